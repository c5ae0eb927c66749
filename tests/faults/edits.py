"""What may become of a milestone's file under the hands of people, editors, Git and attackers."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Plant = Callable[[Path, Path], object]


@dataclass(frozen=True)
class Case:
    """A file that cannot be taken in: `plant` gets its path and a folder elsewhere. `at` stands on the line that is
    told, or is empty; `beside` means the file of the tasks.
    """

    name: str
    plant: Plant
    said: str
    at: str = ""
    beside: bool = False


def text(name: str, change: Callable[[str], str | bytes], said: str, at: str = "", *, beside: bool = False) -> Case:
    """Return the case of a text that was changed."""

    def plant(path: Path, _: Path) -> None:
        changed = change(path.read_text("utf-8"))
        path.write_bytes(changed if isinstance(changed, bytes) else changed.encode("utf-8", "surrogatepass"))

    return Case(name, plant, said, at, beside)


def put(before: str, new: str) -> Callable[[str], str]:
    """Return the change that writes something before the first text of that kind."""

    def change(old: str) -> str:
        assert before in old, before
        return old.replace(before, new + before, 1)

    return change


def swap(before: str, new: str) -> Callable[[str], str]:
    """Return the change that replaces the first text of that kind."""
    return lambda old: put(before, new)(old).replace(new + before, new, 1)


def _link(path: Path, elsewhere: Path) -> None:
    path.rename(elsewhere / "target.yaml")
    path.symlink_to(elsewhere / "target.yaml")


def _dangling(path: Path, elsewhere: Path) -> None:
    path.unlink()
    path.symlink_to(elsewhere / "nowhere")


def _folder_link(path: Path, elsewhere: Path) -> None:
    path.parent.rename(elsewhere / "active")
    path.parent.symlink_to(elsewhere / "active")


def _whole_link(path: Path, elsewhere: Path) -> None:
    root = path.parent.parent
    root.rename(elsewhere / "workspace")
    root.symlink_to(elsewhere / "workspace")


def _pipe(path: Path, _: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path, _: Path) -> None:
    path.unlink()
    path.mkdir()


def _socket(path: Path, _: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket is short
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def _hard_link(path: Path, elsewhere: Path) -> None:
    (elsewhere / "other.yaml").hardlink_to(path)


def _huge(path: Path, _: Path) -> None:
    os.truncate(path, 4 << 30)


ANCHOR = "anchors and aliases are not allowed"
MARKER = "git left a conflict marker here"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)

CASES = (
    # No YAML
    text("an open bracket", swap("scope:\n", "scope: [\n"), "did not find expected node", "  - login"),
    text("an open quote", swap("duration: ", "duration: '"), "", "duration: '"),
    text("an open double quote", swap("duration: ", 'duration: "'), "", 'duration: "'),
    text("a tab", put("  owner:", "\t"), "cannot start any token", "\t  owner:"),
    text("a wrong indentation", put("  owner:", "   x: 1\n"), "", "  owner:"),
    text("two colons", swap("duration: 2", "duration: 2: 3"), "mapping values are not allowed", "duration: 2: 3"),
    text("a stray brace", put("team:\n", "}\n"), "", "}\n"),
    text("an unknown escape", swap("duration: 2", 'duration: "\\q"\nx: 2'), "unknown escape", 'duration: "\\q"'),
    text("another version of YAML", lambda old: "%YAML 9.9\n---\n" + old, "incompatible", "%YAML 9.9"),
    text("two documents", put("team:\n", "---\n"), "another document", "---\n"),
    text("nothing at all", lambda _: "", "the file must be a mapping"),
    text("only a word", lambda _: "hello\n", "the file must be a mapping"),
    text("a list", lambda _: "- a\n- b\n", "the file must be a mapping"),
    text("a control character", put("team:\n", "x: \x01\n"), "U+0001 is not allowed", "x: \x01"),
    text("a NUL", put("team:\n", "x: \x00\n"), "U+0000 is not allowed", "x: \x00"),
    text("half of a character", swap("duration: 2 weeks", 'duration: "\\ud800"'), "", 'duration: "\\ud800"'),
    # Conflicts
    text("a conflict of Git", put("team:\n", "<<<<<<< HEAD\nx: 1\n=======\nx: 2\n>>>>>>> b\n"), MARKER, "<<<<<<< HEAD"),
    text("a conflict's middle", put("team:\n", "=======\n"), MARKER, "=======\n"),
    text("a conflict's middle with CRLF", put("team:\n", "=======\r\n"), MARKER, "=======\r"),
    text("a conflict's end", put("team:\n", ">>>>>>> main\n"), MARKER, ">>>>>>> main"),
    text("a conflict's ancestor", put("team:\n", "||||||| 1234567\n"), MARKER, "||||||| 1234567"),
    # What YAML lets slip
    text("an anchor", swap("risks:\n", "risks: &r\n"), ANCHOR, "risks: &r"),
    text("an alias", put("team:\n", "x: *r\n"), ANCHOR, "x: *r"),
    text("an anchor on a name", put("team:\n", "&n x: 1\n"), ANCHOR, "&n x"),
    text("a merged mapping", put("  owner:", "  <<: {owner: x}\n"), "a field's name must be a plain text", "  <<:"),
    text("a billion laughs", lambda old: old + BOMB, ANCHOR, "a: &a"),
    text("a doubled section", lambda old: old + "team: {}\n", "team stands here for the second time", "team: {}"),
    text(
        "a doubled field", put("  owner:", "  owner: me\n"), "owner stands here for the second time", "  owner: current"
    ),
    text("a doubled field of a task", put("  title: Carry", "  weight: 3\n"), "for the second time", "  weight: 30"),
    text(
        "a Python object", put("team:\n", "x: !!python/object/apply:os.system [ls]\n"), "python/object", "x: !!python"
    ),
    text("a set", put("team:\n", "x: !!set {a}\n"), "a value of kind set", "x: !!set"),
    text("binary", put("team:\n", "x: !!binary aGk=\n"), "a value of kind binary", "x: !!binary"),
    text("a tag of one's own", put("team:\n", "x: !mine 1\n"), "a value of kind !mine", "x: !mine"),
    text("a date", swap("duration: 2 weeks", "duration: 2026-01-01"), "kind timestamp", "duration: 2026"),
    text("a number as a name", put("team:\n", "1: x\n"), "a field's name must be a plain text", "1: x"),
    text("twenty thousand brackets", put("team:\n", "x: " + "[" * 20_000 + "\n"), "nested more than", "x: ["),
    text("twenty-five levels", put("team:\n", "x: " + "[" * 25 + "]" * 25 + "\n"), "nested more than", "x: ["),
    # Encoding and size
    text(
        "Latin-1",
        lambda old: old.replace("2 weeks", "für").encode("latin-1", "replace"),
        "this is no UTF-8",
        "duration: ",
    ),
    text("UTF-16", lambda old: old.encode("utf-16"), "this is no UTF-8"),
    text("half a character at the end", lambda old: old.encode() + b"# \xe2\x82", "this is no UTF-8"),
    text("over four megabytes", lambda old: old + "#" * (4 << 20), "at most 4,194,304 are allowed"),
    text("a million values", lambda old: old + "x:\n" + "- 1\n" * 1_000_000, "holds more than 50,000 values"),
    Case("four gigabytes of nothing", _huge, "it has 4,294,967,296 bytes"),
    # Other things than files
    Case("a link", _link, "it is a link, no file"),
    Case("a link to nothing", _dangling, "it is a link, no file"),
    Case("a folder that is a link", _folder_link, "it must be a folder, and no link"),
    Case("all of it a link", _whole_link, "it must be a folder, and no link"),
    Case("a pipe", _pipe, "it is a pipe, no file"),
    Case("a folder", _folder, "it is a folder, no file"),
    Case("a socket", _socket, "it is a socket, no file"),
    Case("a hard link", _hard_link, "it is a hard link"),
    # What is no person's
    text("progress", swap("percentage: 0", "percentage: 100"), "progress is computed", "percentage: 100"),
    text("a commit", swap("commits: []", "commits: [abc]"), "git is computed", "commits: [abc]"),
    text(
        "a section taken out",
        lambda old: old.partition("risks:\n")[0] + "team:" + old.partition("team:")[2],
        "the section risks is missing",
    ),
    text(
        "a task without an id",
        swap("- id: decide\n", "- name: decide\n"),
        "with an id that is a text",
        "- name: decide",
    ),
    text("tasks that are no list", swap("tasks:\n", "tasks: none\nx:\n"), "tasks must be a list", "tasks: none"),
    # The file of many tasks beside it
    text("a broken line", swap('"weight": 30', '"weight": 30,,'), "", '"weight": 30,,', beside=True),
    text(
        "a doubled field of a line",
        swap('"weight": 30', '"weight": 30, "weight": 9'),
        "weight stands here for the second",
        '"weight": 9',
        beside=True,
    ),
    text(
        "four megabytes and a mistake",
        lambda old: swap('"weight": 30', '"weight": 31')(old) + "# x\n" * 900_000,
        "weight is computed",
        '"weight": 31',
        beside=True,
    ),
    Case("a link beside it", _link, "it is a link, no file", beside=True),
)
