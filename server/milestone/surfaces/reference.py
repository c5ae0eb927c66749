"""The README's table of tools, from the operations themselves."""

from __future__ import annotations

from milestone.operations.catalogue import REGISTRY, Operation


def tools_table() -> str:
    """Return a Markdown table with every tool, its arguments and what it does."""
    rows = [f"| `{one.name}` | {_arguments(one)} | {one.description} |" for one in REGISTRY.values() if one.listed]
    return "\n".join(["| tool | arguments | what it does |", "| --- | --- | --- |", *rows])


def _arguments(operation: Operation) -> str:
    required = operation.schema.get("required", [])
    names = [name for name in operation.schema["properties"] if name != "request_id"]
    return ", ".join(f"`{name}`" if name in required else f"[`{name}`]" for name in names)
