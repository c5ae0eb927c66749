"""Kills the real Claude Code at named points of a planning and an execution, and compares what resuming ends with."""
