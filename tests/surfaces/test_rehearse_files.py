"""Which files a rehearsal looks at, and what a strange repository can neither stop nor smuggle in."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from milestone.surfaces.rehearse.listing import READ_LIMIT, Project, list_files, shown
from milestone.surfaces.rehearse.survey import survey
from tests.surfaces.shop import ENVIRONMENT, Files, candidates, deliver, repository

Make = Callable[[Files], Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a maker of Git repositories from paths and contents."""
    return lambda files: repository(tmp_path / "shop", files)


def test_names_that_are_no_text_are_shown_as_escapes_and_never_reach_a_path_of_the_plan(make: Make) -> None:
    project = make({"ok.py": "x = 1\n", "two\nlines.txt": "", "bell\x07\u202e.txt": ""})
    odd = os.fsencode(project.root) + b"/caf\xe9.txt"
    os.close(os.open(odd, os.O_CREAT | os.O_WRONLY))
    saved = deliver(project)
    assert "Remove the empty file caf\\xe9.txt" in candidates(saved["planning-scope"], "remove")
    assert "Remove the empty file two\\nlines.txt" in candidates(saved["planning-scope"], "remove")
    assert all("\\" not in path for task in saved["milestone-plan"]["tasks"] for path in task["paths"])
    assert "\u202e" not in json.dumps(saved, ensure_ascii=False)


def test_text_of_the_repository_cannot_become_markup_of_a_document(make: Make) -> None:
    saved = deliver(make({"a|b`c](x).txt": "", "README.md": "# <script>alert(1)</script> | `x`\n"}))
    files = {each["name"]: each["content"] for each in saved["planning-documentation"]["files"]}
    assert "a\\|b\\`c\\](x).txt" in files["decision_record.md"]
    assert "|b`c" not in files["task_graph.md"]


def test_links_pipes_and_sockets_are_neither_followed_nor_opened(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make({"real.py": "x = 1\n", "folder/inner.py": "y = 1\n"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "inner.py").write_text("secret\n")
    (project.root / "link.py").symlink_to(tmp_path / "outside" / "inner.py")
    os.mkfifo(project.root / "pipe")
    with socket.socket(socket.AF_UNIX) as door:
        monkeypatch.chdir(project.root)  # the path of a socket must be short
        door.bind("socket")
    (project.root / "folder" / "inner.py").unlink()
    (project.root / "folder").rmdir()
    (project.root / "folder").symlink_to(tmp_path / "outside")
    listing = list_files(project)
    assert [entry.path for entry in listing.entries] == ["real.py"]
    assert "secret" not in json.dumps(deliver(project))


def test_limits_cut_and_say_so(make: Make) -> None:
    project = make({f"f{number:02}.py": "x = 1\n" for number in range(12)} | {"huge.py": "y = 1\n" * READ_LIMIT})
    listing = list_files(project, limit=5)
    assert len(listing.entries) == 5
    assert "only the first 5 files were looked at; there are more" in listing.notes
    assert "files of which only the first 256 KiB were read: 1" in survey(list_files(project)).notes
    assert any("reading limit" in note for note in survey(listing, total=10).notes)


def test_vendored_code_is_left_out_and_said(make: Make) -> None:
    project = make({"app.js": "x\n", "node_modules/a/index.js": "y\n", ".milestones/active/m.yaml": "z: 1\n"})
    scope = deliver(project)["planning-scope"]
    assert scope["languages"] == ["JavaScript: 1 file, 1 line"]
    assert "Files: files in folders of vendored or generated code, left out: 1." in scope["unknowns"]


def test_a_folder_without_git_is_walked(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    for name in ("a.py", "node_modules/b.js", "build/c.py", "deep/er/d.go"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")
    listing = list_files(Project(root, ENVIRONMENT))
    assert [entry.path for entry in listing.entries] == ["a.py", "deep/er/d.go"]
    assert listing.source == "a walk through the folders"
    deliver(Project(root, ENVIRONMENT))


def test_a_walk_has_a_limit_too(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / "wide" / str(number)).mkdir(parents=True)
    assert (
        "walks that were cut, for too many folders: 1"
        in list_files(Project(tmp_path / "wide", ENVIRONMENT), limit=10).notes
    )


def test_an_empty_folder_gets_a_plan(tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    saved = deliver(Project(tmp_path / "void", ENVIRONMENT))
    assert saved["planning-scope"]["summary"] == "void holds no files that could be looked at."
    assert [each["id"] for each in saved["milestone-plan"]["decisions"]] == ["o1", "o2"]


def test_a_repository_runs_none_of_its_programs_when_it_is_looked_at(make: Make) -> None:
    project = make({"a.py": "x = 1\n"})
    spy = project.root / "spy.sh"
    spy.write_text("#!/bin/sh\ntouch fired\n")
    spy.chmod(0o755)
    with (project.root / ".git" / "config").open("a") as config:
        config.write(f"[core]\n\tfsmonitor = {spy}\n")
    assert list_files(project).source == "Git"
    assert not (project.root / "fired").exists()


def test_another_repository_named_by_the_environment_is_not_looked_at(make: Make, tmp_path: Path) -> None:
    project = make({"a.py": "x = 1\n"})
    other = {**ENVIRONMENT, "GIT_DIR": str(tmp_path / "nowhere"), "GIT_INDEX_FILE": str(tmp_path / "none")}
    assert [entry.path for entry in list_files(Project(project.root, other)).entries] == ["a.py"]


def test_shown_text_is_printable_and_short() -> None:
    assert shown("a\x1b[31m\ud800\udcff\u200bz") == "a\\x1b[31m\\ud800\\xff\\u200bz"
    assert len(shown("x" * 1_000, 50)) == 50
