"""The doors: MCP, command line and hooks, all generated from the operations."""
