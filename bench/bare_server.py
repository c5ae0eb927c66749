"""What the product is measured against: the SDK's own server and transport, with one tool that does nothing."""

from typing import Any

from mcp.server import MCPServer

server = MCPServer("bare", log_level="WARNING")


@server.tool()
async def save_agent_state(agent_id: str, key: str, value: dict[str, Any]) -> str:
    """Save nothing."""
    return f"{agent_id} {key} {len(value)}"


server.run("stdio")
