"""The plugin inside the real Claude Code, played by a scripted model on loopback."""
