"""Which tables and columns the migrations make, read from the migrations themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from milestone.store import queries

_CREATE = re.compile(r"^CREATE TABLE (\w+) \((.*)\)$", re.DOTALL)
_COLUMN = re.compile(r"^\s+([a-z_]+) (?:TEXT|BIGINT|INTEGER)\b", re.MULTILINE)
_ADD = re.compile(r"^ALTER TABLE (\w+) ADD COLUMN (\w+) ")
_RENAME = re.compile(r"^ALTER TABLE (\w+) RENAME TO (\w+)$")
_DROP = re.compile(r"^DROP TABLE (\w+)$")
JOURNAL = "journal"


def tables(version: int) -> Mapping[str, tuple[str, ...]]:
    """Return the tables of a version but the journal, with their columns; each follows those it refers to."""
    return _tables(tuple(text for number, _, texts in queries.migrations() if number <= version for text in texts))


@cache
def _tables(statements: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    known: dict[str, tuple[str, ...]] = {}
    for text in statements:
        if made := _CREATE.match(text):
            known[made[1]] = tuple(_COLUMN.findall(made[2]))
        elif added := _ADD.match(text):
            known[added[1]] += (added[2],)
        elif renamed := _RENAME.match(text):
            known[renamed[2]] = known.pop(renamed[1])
        elif dropped := _DROP.match(text):
            del known[dropped[1]]
    return {name: columns for name, columns in known.items() if name != JOURNAL}


def kept(version: int) -> Mapping[str, tuple[str, ...]]:
    """Return the tables of a version of which the journal keeps what changes, with their columns."""
    return {name: columns for name, columns in tables(version).items() if name not in left_out()}


def left_out() -> frozenset[str]:
    """Return the tables of which the journal keeps nothing."""
    return frozenset(table for table, columns in volatile().items() if "*" in columns)


@cache
def volatile() -> Mapping[str, frozenset[str]]:
    """Return the columns that the journal does not keep, by table; `*` stands for whole rows."""
    found: dict[str, frozenset[str]] = {}
    for group in queries.catalogue().values():
        for query in group.values():
            if query.volatile and query.writes != JOURNAL:
                found[query.writes] = found.get(query.writes, frozenset()) | set(query.volatile)
    return found
