"""Reads a milestone's file that a person has edited, strictly, and says on which line it cannot be taken."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from milestone.domain.edits import Wrong
from milestone.domain.errors import Refusal
from milestone.prompts.strict_yaml import BadYaml, Fields, Items, read
from milestone.workspace.mirror import LIMIT, TASKS, Edit

_MARKERS = re.compile(rb"^(?:<{7} |>{7} |\|{7} |={7}\r?$)", re.MULTILINE)
_SHOWN = 20


class BadEdit(Refusal):
    """An edit that cannot be taken in: `problems` are what is wrong, each with its line; nothing was changed."""

    def __init__(self, path: str, wrong: Sequence[Wrong]) -> None:
        ordered = sorted(wrong, key=lambda one: one.line)
        self.path, self.line = path, ordered[0].line
        self.problems = tuple(f"{path}, {one}" for one in ordered)
        more = f"; and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
        super().__init__("; ".join(self.problems[:_SHOWN]) + more, remedy="Nothing was taken in.")


@dataclass(frozen=True)
class Read:
    """An edited file that has been read; nothing in it is known to be right."""

    edit: Edit
    value: Any

    @property
    def digest(self) -> str:
        """What the edited file is known by."""
        return hashlib.sha256(self.edit.content).hexdigest()[:12]

    @property
    def of_tasks(self) -> bool:
        """Whether it is the file of the tasks, which lies beside the milestone's own."""
        return self.edit.path.endswith(TASKS)


def read_edit(edit: Edit) -> Read:
    """Return what an edited file says. Takes up to two seconds, so it has no place in a transaction.

    Raises:
        BadEdit: it cannot be read, or is no YAML as we take it.
    """
    if edit.odd:
        raise BadEdit(edit.path, [Wrong(1, edit.odd)])
    marker = _MARKERS.search(edit.content)
    if marker:
        raise _bad(edit, marker.start(), "git left a conflict marker here: choose what is to stay")
    try:
        text = edit.content.decode("utf-8-sig")
        lines = _json_lines(text, edit.path) if edit.path.endswith(TASKS) else None
        return Read(edit, read(text, edit.path, limit=LIMIT) if lines is None else lines)
    except UnicodeDecodeError as error:
        raise _bad(edit, error.start, "this is no UTF-8") from None
    except BadYaml as error:
        raise BadEdit(edit.path, [Wrong(error.line, error.reason)]) from None


def _bad(edit: Edit, offset: int, why: str) -> BadEdit:
    return BadEdit(edit.path, [Wrong(edit.content.count(b"\n", 0, offset) + 1, why)])


def _json_lines(text: str, where: str) -> Items | None:
    """Return the tasks of a file as we write it, a line of JSON for each; nothing where one is written otherwise.

    A hundred thousand values are read in a moment this way, and not by a reader of YAML.
    """
    items = Items(1)
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue

        def fields(pairs: list[tuple[str, Any]], number: int = number) -> Fields:
            found = Fields(number)
            for key, value in pairs:
                if key in found:
                    raise BadYaml(where, number, f"{key} stands here for the second time, first in line {number}")
                found.lines[key] = number
                found[key] = value
            return found

        try:
            if not line.startswith("- {"):
                return None
            items.append(json.loads(line[2:], object_pairs_hook=fields))
        except BadYaml:
            raise
        except (ValueError, RecursionError):
            return None
        items.lines.append(number)
    return items
