"""Files of milestones in every state that people, editors and attackers leave: refused with the line, at once."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.edits import CASES, Case
from tests.helpers.execution import task
from tests.helpers.mirrored import Mirrored
from tests.helpers.projects import Project

SECONDS = 2.0  # of the processor: how busy the machine is with other things is not ours
ODD = ("a link", "a link to nothing", "a pipe", "a folder", "a socket", "a hard link", "four gigabytes of nothing")
BROKEN = ("an open bracket", "UTF-16", "a billion laughs", "a conflict of Git", "a Python object", "progress")


@pytest.fixture(scope="module")
def usual(new_project: Callable[..., Project]) -> Mirrored:
    """A milestone that is planned."""
    return Mirrored.planned(new_project())


@pytest.fixture(scope="module")
def large(new_repository: Callable[..., Project]) -> Mirrored:
    """A milestone with so many tasks that they have a file of their own."""
    tasks = [task(f"t-{number}", "execute", paths=("app/",)) for number in range(501)]
    return Mirrored.planned(new_repository(), *tasks).execute()


@pytest.fixture
def restored(usual: Mirrored, large: Mirrored, tmp_path: Path) -> Iterator[None]:
    """Afterwards the files are as they were."""
    kept = [(one.project.mirror, tmp_path / str(number)) for number, one in enumerate((usual, large))]
    for mirror, copy in kept:
        shutil.copytree(mirror, copy)
    yield
    for mirror, copy in kept:
        mirror.unlink() if mirror.is_symlink() else shutil.rmtree(mirror)
        shutil.copytree(copy, mirror)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_cannot_be_taken_in_is_refused_with_its_line_and_changes_nothing(
    usual: Mirrored, large: Mirrored, tmp_path: Path, case: Case
) -> None:
    """Planted and found: a reader without the check of anchors, one that follows links, and one of pipes that waits."""
    plan = large if case.beside else usual
    path = plan.path.with_name(f"{plan.milestone_id}.tasks.yaml") if case.beside else plan.path
    before = plan.project.dump()
    case.plant(path, tmp_path)
    began = time.process_time()
    done = plan.command("import", plan.milestone_id)
    took = time.process_time() - began
    assert done.return_value == 1
    assert case.said in done.stdout
    assert re.search(f", lines? {_line(path, case.at)}[:-]", done.stdout) or not case.at
    assert plan.project.dump() == before
    assert took < SECONDS


def _line(path: Path, at: str) -> int:
    return path.read_bytes().split(at.encode())[0].count(b"\n") + 1 if at else 0


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("case", [one for one in CASES if one.name in (*ODD, *BROKEN)], ids=lambda case: case.name)
def test_a_server_puts_it_aside_tells_so_and_writes_the_file_anew(usual: Mirrored, tmp_path: Path, case: Case) -> None:
    was, before = usual.path.read_text("utf-8"), usual.sections()
    told = len(usual.events("edit_refused"))
    case.plant(usual.path, tmp_path)
    elsewhere = {file: file.read_bytes() for file in tmp_path.glob("*.yaml")}
    usual.write()
    assert _body(usual.path.read_text("utf-8")) == _body(was)
    assert usual.sections() == before
    events = usual.events("edit_refused")
    assert len(events) == told + 1
    assert case.said in events[-1]["problems"][0]
    assert os.path.lexists(usual.project.mirror / events[-1]["subject"])
    assert elsewhere == {file: file.read_bytes() for file in tmp_path.glob("*.yaml")}


def _body(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("how", ["written", "swapped", "swapped for a link"])
def test_a_file_that_changes_while_it_is_read_is_read_again_and_given_up_if_it_never_rests(
    usual: Mirrored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Planted and found: a reader that looks before it reads, and not afterwards."""
    usual.edit(lambda document: document["team"].update(owner="Ada"))
    text, before, reads, read = usual.path.read_text("utf-8"), usual.project.dump(), [], os.read

    def restless(descriptor: int, size: int) -> bytes:
        data = read(descriptor, size)
        if not data or b"position" not in data[:200]:
            return data
        reads.append(len(data))
        new = tmp_path / f"new-{len(reads)}"
        if how == "written":
            usual.path.write_text(text + "#" * len(reads), "utf-8")
        elif how == "swapped":
            new.write_text(text.replace("Ada", "Bo"), "utf-8")
            new.rename(usual.path)
        else:
            new.symlink_to(tmp_path / "secret.yaml")
            new.rename(usual.path)
        return data

    monkeypatch.setattr(os, "read", restless)
    done = usual.command("import", usual.milestone_id)
    monkeypatch.undo()
    assert done.return_value == 1
    assert ("it is a link, no file" if "link" in how else "it changes while it is read") in done.stdout
    assert usual.project.dump() == before
    assert len(reads) == (1 if "link" in how else 5)
