"""Reads the YAML that people write, and refuses what YAML lets slip: aliases, doubled keys, tags, excess."""

from __future__ import annotations

from typing import Any

LIMIT = 256 * 1024
DEPTH = 20
MOST = 50_000
"""How many values a file may hold: more of them take longer to read than anybody waits."""

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


class Items(list[Any]):
    """A list that remembers on which line it and each of its items stand."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def read(text: str, where: str, *, first_line: int = 1, limit: int = LIMIT) -> Any:
    """Return the document in `text`, mappings as `Fields`, lists as `Items`; `where` and `first_line` tell where the
    text comes from. `limit` is in bytes; with more than the usual one a faster parser is used.

    >>> read("a: [1, two]", "some.yaml")
    {'a': [1, 'two']}

    Raises:
        BadYaml: it is over the limit, no YAML, more than one document, or uses what is refused here.
    """
    yaml = _library()
    if len(text.encode("utf-8", "replace")) > limit:
        raise BadYaml(where, first_line, f"the file is too large: at most {limit:,} bytes are allowed")
    before = first_line - 1
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader) if limit > LIMIT else yaml.SafeLoader
    try:
        return _Document(yaml, loader, text, where, before).value()
    except yaml.MarkedYAMLError as error:
        endless = "end of stream" in (error.problem or "")  # then it matters where that begins which does not end
        mark = (error.context_mark if endless else None) or error.problem_mark or error.context_mark
        raise BadYaml(where, (mark.line if mark else 0) + 1 + before, error.problem or "this is no YAML") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadYaml(where, line + before, f"the character U+{error.character:04X} is not allowed") from None


class _Document:
    """The values of a document, made while it is parsed: what is refused ends the parsing at once."""

    def __init__(self, yaml: Any, loader: Any, text: str, where: str, before: int) -> None:
        self._yaml, self._where, self._before = yaml, where, before
        self._events = yaml.parse(text, loader)
        self._resolver, self._constructor = yaml.resolver.Resolver(), yaml.constructor.SafeConstructor()
        self._depth = self._count = 0

    def value(self) -> Any:
        """Return the value of the only document; nothing where there is none."""
        found, documents = None, 0
        for event in self._events:
            if isinstance(event, self._yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._bad(event, "expected a single document, but found another document")
            elif isinstance(event, self._yaml.NodeEvent):
                found = self._node(event)
        return found

    def _node(self, event: Any) -> Any:
        yaml = self._yaml
        if event.anchor:
            raise self._bad(event, "anchors and aliases are not allowed: write the value out")
        self._count += 1
        if self._count > MOST:
            raise self._bad(event, f"the file holds more than {MOST:,} values")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", f"{_YAML}{'map' if mapping else 'seq'}"):
            raise self._kind(event, event.tag)
        self._depth += 1
        if self._depth > DEPTH:
            raise self._bad(event, f"nested more than {DEPTH} deep")
        found = self._mapping(event) if mapping else self._sequence(event)
        self._depth -= 1
        return found

    def _sequence(self, start: Any) -> Items:
        items = Items(self._line(start))
        while not isinstance(event := next(self._events), self._yaml.SequenceEndEvent):
            items.lines.append(self._line(event))
            items.append(self._node(event))
        return items

    def _mapping(self, start: Any) -> Fields:
        fields = Fields(self._line(start))
        while not isinstance(event := next(self._events), self._yaml.MappingEndEvent):
            key, at = self._name(event), self._line(event)
            if key in fields:
                raise self._bad(event, f"{key} stands here for the second time, first in line {fields.lines[key]}")
            fields.lines[key] = at
            fields[key] = self._node(next(self._events))
        return fields

    def _name(self, event: Any) -> str:
        if getattr(event, "anchor", None):
            raise self._bad(event, "anchors and aliases are not allowed: write the value out")
        if not isinstance(event, self._yaml.ScalarEvent) or self._tag(event) != _YAML + "str":
            raise self._bad(event, "a field's name must be a plain text")
        return event.value

    def _scalar(self, event: Any) -> Any:
        tag = self._tag(event)
        if tag == _YAML + "str":
            return event.value
        if tag not in _SCALARS:
            raise self._kind(event, tag)
        try:
            return self._constructor.construct_object(self._yaml.ScalarNode(tag, event.value), deep=True)
        except (ValueError, KeyError):  # an explicit tag that does not fit, as in !!int x
            raise self._bad(event, f"{event.value!r} is no {tag.removeprefix(_YAML)}") from None

    def _tag(self, event: Any) -> str:
        if event.tag in (None, "!"):
            return self._resolver.resolve(self._yaml.ScalarNode, event.value, event.implicit)
        return event.tag

    def _kind(self, event: Any, tag: str) -> BadYaml:
        kind = tag.removeprefix(_YAML)
        return self._bad(event, f"a value of kind {kind} is not allowed: put it in quotes")

    def _bad(self, event: Any, reason: str) -> BadYaml:
        return BadYaml(self._where, self._line(event), reason)

    def _line(self, event: Any) -> int:
        return event.start_mark.line + 1 + self._before


def _library() -> Any:
    """Return PyYAML, loaded when the first file is read: a hook that reads none starts without it."""
    import yaml

    return yaml
