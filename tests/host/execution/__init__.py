"""Tests that carry a milestone out inside the real Claude Code, on a small repository with tests of its own."""
