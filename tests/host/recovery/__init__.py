"""Kills the real Claude Code at named points of a whole planning and execution, and compares what resuming ends with."""
