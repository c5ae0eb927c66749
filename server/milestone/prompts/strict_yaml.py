"""Reads the YAML that people write, and refuses what YAML lets slip: aliases, doubled keys, tags, excess."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LIMIT = 256 * 1024
DEPTH = 20
_YAML = "tag:yaml.org,2002:"
_SCALARS = frozenset(_YAML + kind for kind in ("str", "int", "float", "bool", "null"))


class BadYaml(ValueError):
    """A file that cannot be taken as it is; the message names file, line and reason."""

    def __init__(self, where: str, line: int, reason: str) -> None:
        self.where, self.line, self.reason = where, line, reason
        super().__init__(f"{where}, line {line}: {reason}")


class Fields(dict[str, Any]):
    """A mapping that remembers on which line it and each of its keys stand."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


def read(text: str, where: str, *, first_line: int = 1) -> Any:
    """Return the document in `text`, mappings as `Fields`; `where` and `first_line` tell where the text comes from.

    >>> read("a: [1, two]", "some.yaml")
    {'a': [1, 'two']}

    Raises:
        BadYaml: it is over 256 kB, no YAML, more than one document, or uses what is refused here.
    """
    yaml = _library()
    if len(text.encode("utf-8", "replace")) > LIMIT:
        raise BadYaml(where, first_line, f"the file is too large: at most {LIMIT:,} bytes are allowed")
    before = first_line - 1
    try:
        for line, reason in _refused(text):
            raise BadYaml(where, line + before, reason)
        node = yaml.compose(text, yaml.SafeLoader)
        return None if node is None else _value(node, where, before)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadYaml(where, (mark.line if mark else 0) + 1 + before, error.problem or "this is no YAML") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadYaml(where, line + before, f"the character U+{error.character:04X} is not allowed") from None


def _refused(text: str) -> Iterator[tuple[int, str]]:
    yaml = _library()
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1
        if getattr(event, "anchor", None):
            yield line, "anchors and aliases are not allowed: write the value out"
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            yield line, f"nested more than {DEPTH} deep"


def _value(node: Any, where: str, before: int) -> Any:
    yaml = _library()
    line = node.start_mark.line + 1 + before
    if isinstance(node, yaml.SequenceNode) and node.tag == _YAML + "seq":
        return [_value(item, where, before) for item in node.value]
    if isinstance(node, yaml.MappingNode) and node.tag == _YAML + "map":
        fields = Fields(line)
        for key_node, value_node in node.value:
            key, at = key_node.value, key_node.start_mark.line + 1 + before
            if key_node.tag != _YAML + "str":
                raise BadYaml(where, at, "a field's name must be a plain text")
            if key in fields:
                raise BadYaml(where, at, f"{key} stands here for the second time, first in line {fields.lines[key]}")
            fields.lines[key] = at
            fields[key] = _value(value_node, where, before)
        return fields
    if node.tag not in _SCALARS:
        raise BadYaml(where, line, f"a value of kind {node.tag.removeprefix(_YAML)} is not allowed: put it in quotes")
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except ValueError as error:  # an explicit tag that does not fit, as in !!int x
        raise BadYaml(where, line, str(error)) from None


def _library() -> Any:
    """Return PyYAML, loaded when the first file is read: a hook that reads none starts without it."""
    import yaml

    return yaml
