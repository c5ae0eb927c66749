"""Gates: runs the commands of a project, measured, within limits, and ended with everything they started."""
