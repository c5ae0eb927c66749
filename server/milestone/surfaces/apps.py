"""The page for hosts that render MCP Apps: one file, which asks its host for what it shows."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp_types import ReadResourceResult

EXTENSION = "io.modelcontextprotocol/ui"
PAGE = "ui://milestone/board.html"
MIME = "text/html;profile=mcp-app"
TOOL = "get_milestone"
TOOL_META: dict[str, Any] = {"ui": {"resourceUri": PAGE}}
"""What tells a host which page shows the tool's results; no model sees it."""


@cache
def html() -> str:
    """Return the page."""
    return Path(__file__).with_name("board.html").read_text("utf-8")


def page() -> ReadResourceResult:
    """Return the page as a resource. It names no address of others: it needs none and may reach none."""
    from mcp_types import ReadResourceResult, TextResourceContents

    meta: dict[str, Any] = {"ui": {"prefersBorder": True}}
    return ReadResourceResult(contents=[TextResourceContents(uri=PAGE, mime_type=MIME, text=html(), _meta=meta)])
