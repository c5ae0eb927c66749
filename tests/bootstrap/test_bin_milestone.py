"""bin/milestone on a machine that has nothing yet: real processes, real installers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.bootstrap.machine import ROOT, UV, Machine, lock

NOT_EVEN_ROOT = ("setpriv", "--bounding-set", "-dac_override") if os.geteuid() == 0 else ()
"""Makes permissions hold for root, too."""


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """Return what the program in the environment printed."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_starts_at_the_same_moment_share_one_environment(bare: Machine, installer: str) -> None:
    if installer == "uv":
        bare.give("uv", UV)
    starts = [bare.start(str(number)) for number in range(4)]
    answers = [json.loads(start.communicate("", timeout=300)[0]) for start in starts]
    assert [each["args"] for each in answers] == [["0"], ["1"], ["2"], ["3"]]
    assert {each["prefix"] for each in answers} == {str(path) for path in bare.environments()}
    assert len(bare.environments()) == 1


def test_a_second_start_waits_for_the_first_and_installs_nothing(machine: Machine) -> None:
    gate = machine.give_gate()
    first = machine.start("first")
    gate.reached()
    second = machine.start("second")
    assert second.stderr
    assert "waiting" in second.stderr.readline()
    gate.open()
    assert [start.communicate("", timeout=60)[0] != "" for start in (first, second)] == [True, True]
    assert gate.calls() == ["venv", "pip"]


def test_killed_in_the_middle_the_next_start_finishes(machine: Machine) -> None:
    gate = machine.give_gate()
    killed = machine.start()
    gate.reached()
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=60)
    assert any(path.name.startswith("making-") for path in machine.kept.iterdir())
    machine.give("uv", UV)
    assert answer(machine.run())["prefix"] == str(machine.environments()[0])


def test_asked_to_stop_in_the_middle_nothing_is_left(machine: Machine) -> None:
    gate = machine.give_gate()
    stopped = machine.start()
    gate.reached()
    os.killpg(stopped.pid, signal.SIGTERM)
    stopped.communicate(timeout=60)
    assert machine.environments() == []


def test_a_host_that_loses_patience_finds_the_work_done_later(machine: Machine) -> None:
    gate = machine.give_gate()
    abandoned = machine.start()
    gate.reached()
    abandoned.kill()
    gate.open()
    abandoned.communicate(timeout=60)  # until the installation it started has ended, too
    assert answer(machine.run())["prefix"] == str(machine.environments()[0])
    assert gate.calls() == ["venv", "pip"]


def test_everything_it_says_itself_goes_to_stderr(machine: Machine) -> None:
    first = machine.run()
    assert len(first.stdout.splitlines()) == 1
    assert len(first.stderr.splitlines()) == 2
    assert all(line.startswith("milestone: ") for line in first.stderr.splitlines())
    assert machine.run().stderr == ""


def test_arguments_and_input_reach_the_program_as_they_are(machine: Machine) -> None:
    machine.give("uv", f'#!/bin/sh\nwhile read -r line; do :; done\nexec "{UV}" "$@"\n')  # it would read what it can
    for _ in ("first start", "later start"):
        got = answer(machine.run("a b", "", "$HOME", "-x", stdin="line\n\x00ü"))
        assert (got["args"], got["stdin"]) == (["a b", "", "$HOME", "-x"], "line\n\x00ü")


def test_a_hook_without_an_environment_ends_well_and_silently(machine: Machine) -> None:
    done = machine.run("hook", "session-start", stdin="{}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not machine.kept.exists()


def test_a_hook_that_breaks_down_still_ends_well(machine: Machine) -> None:
    machine.run()
    (machine.root / "server" / "__main__.py").write_text("raise SystemExit(2)\n")
    assert machine.run("hook", "session-start").returncode == 0
    assert machine.run("status").returncode == 2


@pytest.mark.parametrize("found", ["Python 3.9.2", None])
def test_a_python_that_is_too_old_or_missing_gives_one_clear_line(machine: Machine, found: str | None) -> None:
    (machine.tools / "python3").unlink()
    if found:
        machine.give("python3", f'#!/bin/sh\n[ "$1" = --version ] && echo "{found}" && exit 0\nexit 1\n')
    done = machine.run()
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "3.11 or newer" in done.stderr
    assert (found or "") in done.stderr


def test_the_python_that_is_asked_for_must_fit(machine: Machine) -> None:
    done = machine.run(MILESTONE_PYTHON="python9")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "MILESTONE_PYTHON=python9" in done.stderr
    answer(machine.run(MILESTONE_PYTHON=str(machine.tools / "python3")))
    answer(machine.run())
    assert len(machine.environments()) == 1


def test_a_plugin_folder_that_cannot_be_written_is_left_alone(machine: Machine) -> None:
    before = sorted(machine.root.rglob("*"))
    for path in [machine.root, *before]:
        path.chmod(path.stat().st_mode & 0o555)
    for _ in ("first start", "later start"):
        answer(machine.run(before=NOT_EVEN_ROOT, PATH=f"{machine.tools}:{os.environ['PATH']}"))
    assert sorted(machine.root.rglob("*")) == before
    assert list(machine.environments()[0].glob("compiled/**/sibling.*.pyc"))


def test_it_is_found_through_links(machine: Machine) -> None:
    shelf = machine.home / "shelf"
    shelf.mkdir()
    (shelf / "inner").symlink_to(os.path.relpath(machine.root / "bin" / "milestone", shelf))
    (machine.home / "milestone").symlink_to("shelf/inner")
    assert answer(machine.run("x", by=machine.home / "milestone"))["args"] == ["x"]
    relative = Path(os.path.relpath(machine.root / "bin" / "milestone", machine.home))
    assert answer(machine.run("x", by=relative))["args"] == ["x"]


def test_somebody_elses_python_settings_do_not_matter(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text("raise RuntimeError\n")
    (machine.home / "tiny.py").write_text("raise RuntimeError\n")
    machine.variables |= {"PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nowhere", "VIRTUAL_ENV": str(tmp_path)}
    machine.variables |= {"PIP_USER": "1", "PIP_TARGET": str(tmp_path)}
    got = answer(machine.run())
    assert str(got["tiny"]).startswith(str(machine.environments()[0]))


def test_where_environments_are_kept_can_be_told(machine: Machine, tmp_path: Path) -> None:
    for variable, place in [("XDG_DATA_HOME", "xdg"), ("CLAUDE_PLUGIN_DATA", "data"), ("MILESTONE_ENV_DIR", "b c")]:
        machine.variables |= {"HOME": "", variable: str(tmp_path / place)}
        got = answer(machine.run())
        assert str(got["prefix"]).startswith(str(tmp_path / place))


def test_without_any_home_it_says_what_to_set(machine: Machine) -> None:
    machine.give("id", "#!/bin/sh\n")
    done = machine.run(HOME="")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "MILESTONE_ENV_DIR" in done.stderr


def test_where_nothing_can_be_written_it_says_so(machine: Machine) -> None:
    (machine.home / "file").touch()
    done = machine.run(MILESTONE_ENV_DIR=str(machine.home / "file" / "below"))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "MILESTONE_ENV_DIR" in done.stderr


def test_what_cannot_be_installed_is_told_and_not_left_half_done(machine: Machine) -> None:
    lock(machine, "0" * 64)
    done = machine.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert "uv did not come through" in done.stderr
    assert "0000000" in done.stderr
    assert "start again" in done.stderr
    assert machine.environments() == []


def test_new_dependencies_get_a_new_environment(machine: Machine) -> None:
    answer(machine.run())
    with (machine.root / "requirements.lock").open("a") as lockfile:
        lockfile.write("# changed\n")
    answer(machine.run())
    assert len(machine.environments()) == 2


def test_charts_have_an_environment_of_their_own_beside_the_usual_one(machine: Machine) -> None:
    usual = (machine.root / "requirements.lock").read_text()
    (machine.root / "requirements-charts.lock").write_text(usual + "# and more\n")
    answer(machine.run(MILESTONE_CHARTS="on"))
    answer(machine.run())
    answer(machine.run(MILESTONE_CHARTS="on"))
    assert len(machine.environments()) == 2


def test_an_environment_whose_python_is_gone_is_made_anew(machine: Machine) -> None:
    answer(machine.run())
    python = machine.environments()[0] / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    answer(machine.run())
    assert len(machine.environments()) == 1


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_real_lock_installs_into_an_empty_home_and_the_program_starts(bare: Machine, installer: str) -> None:
    if installer == "uv":
        bare.give("uv", UV)
    ours = ("HOME", "PATH", "PYTHON", "VIRTUAL_ENV", "MILESTONE_", "CLAUDE", "XDG_")
    bare.variables = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    bare.variables |= {"HOME": str(bare.home), "PATH": str(bare.tools)}
    done = bare.run("--help", by=ROOT / "bin" / "milestone")
    assert done.returncode == 0, done.stderr
    assert "rehearse" in done.stdout
    assert "trying" not in done.stderr
    needed = "import anyio, click, mcp, packaging, psycopg, psycopg_pool, pydantic, sqlite_utils, yaml"
    subprocess.run([bare.environments()[0] / "bin" / "python", "-I", "-c", needed], check=True)
