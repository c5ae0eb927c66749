"""Takes the fields of a file that people write, one by one, and says on which line one does not fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from milestone.prompts.strict_yaml import LIMIT, BadYaml, Fields

TITLE_LIMIT = 120

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class BadConfiguration(ValueError):
    """A file that cannot be used; the message names file, line and reason."""


def read_text(path: Path) -> str:
    """Return what a file holds, at most as much as is refused for being too much.

    Raises:
        BadConfiguration: it cannot be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise BadConfiguration(f"{path}: {error.strerror or error}") from None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadConfiguration(f"{path}, line {line}: this is no UTF-8") from None


class Reader:
    """Takes the fields of one mapping; `expected` says what stands in its place where it is none.

    All its methods raise `BadYaml` with the line of the field that does not fit.
    """

    def __init__(self, where: str, fields: Any, expected: str, line: int = 1) -> None:
        self._where = where
        if not isinstance(fields, Fields):
            raise BadYaml(where, line, expected)
        self._fields = fields

    def bad(self, field: str, reason: str) -> BadYaml:
        """Return the error for a field."""
        return BadYaml(self._where, self._fields.lines.get(field, self._fields.line), reason)

    def has(self, field: str) -> bool:
        """Return whether a field has a value."""
        return self._fields.get(field) is not None

    def fields(self, required: Sequence[str], optional: Sequence[str] = ()) -> None:
        """Check that all required fields are there, and none that is not known."""
        for field in self._fields:
            if field not in (*required, *optional):
                raise self.bad(field, f"unknown field {field}; allowed: {', '.join((*required, *optional))}")
        for field in required:
            if not self.has(field):
                raise self.bad(field, f"the field {field} is missing")

    def choice(self, field: str, allowed: Sequence[str]) -> str:
        """Return a word out of `allowed`."""
        return self._choice(field, self._fields[field], allowed)

    def choices(self, field: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """Return words out of `allowed`, each once; a single word needs no list, a field left out has none."""
        value = self._fields.get(field)
        if value is None:
            return ()
        if not isinstance(value, str | list):
            raise self.bad(field, f"{field} must be a list; allowed in it: {', '.join(allowed)}")
        items = [value] if isinstance(value, str) else cast("list[Any]", value)
        words = tuple(self._choice(field, item, allowed) for item in items)
        return self._once(field, words, "word")

    def title(self, field: str) -> str:
        """Return one line of text."""
        value = self._fields[field]
        if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= TITLE_LIMIT:
            raise self.bad(field, f"{field} must be one line of at most {TITLE_LIMIT} characters")
        return value

    def name(self, field: str) -> str:
        """Return a name."""
        return self._name(field, self._fields[field])

    def names(self, field: str) -> tuple[str, ...]:
        """Return names, each once; a field left out has none."""
        names = tuple(self._name(field, item) for item in self._list(field, "names"))
        return self._once(field, names, "key")

    def texts(self, field: str) -> tuple[str, ...]:
        """Return texts that a program can be given; a field left out has none."""
        return tuple(self._text(field, item) for item in self._list(field, "texts"))

    def yes_or_no(self, field: str) -> bool:
        """Return true or false."""
        value = self._fields[field]
        if not isinstance(value, bool):
            raise self.bad(field, f"{field} must be true or false")
        return value

    def number(self, field: str, low: int, high: int) -> int:
        """Return a whole number."""
        value = self._fields[field]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.bad(field, f"{field} must be a whole number from {low} to {high}")
        return value

    def inner(self, field: str, expected: str) -> Reader:
        """Return a reader of the mapping that a field holds."""
        return Reader(self._where, self._fields[field], expected, self._fields.lines[field])

    def items(self, field: str, expected: str) -> list[Reader]:
        """Return a reader of each mapping in a list; a field left out has none."""
        line = self._fields.lines.get(field, self._fields.line)
        return [Reader(self._where, item, expected, line) for item in self._list(field, "entries")]

    def _list(self, field: str, kind: str) -> list[Any]:
        value = self._fields.get(field)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.bad(field, f"{field} must be a list of {kind}")
        return cast("list[Any]", value)

    def _once(self, field: str, values: tuple[str, ...], kind: str) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise self.bad(field, f"{field} names the same {kind} twice")
        return values

    def _choice(self, field: str, value: Any, allowed: Sequence[str]) -> str:
        if value not in allowed:
            raise self.bad(field, f"{field} is {value!r}; allowed: {', '.join(allowed)}")
        return value

    def _name(self, field: str, value: Any) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise self.bad(field, f"{field} holds {value!r}, but a name has small letters, digits, '-', '_' and '.'")
        return value

    def _text(self, field: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self.bad(field, f"{field} holds {value!r}, which is no text: put it in quotes")
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise self.bad(field, f"{field} holds {value!r} with a character that no program can be given")
        return value
