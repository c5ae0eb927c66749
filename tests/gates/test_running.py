"""A gate is run as it is written, without a shell, in a clean environment, and its result says what happened."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable

import pytest

from milestone.gates.environment import MARK
from tests.gates.conftest import Gates
from tests.helpers.following import until


def test_exit_code_0_passes_and_every_other_fails(gates: Gates) -> None:
    passed, failed = gates.python("print('fine')"), gates.python("import sys; sys.exit(3)")
    assert (passed.passed, passed.outcome, passed.exit_code, passed.output) == (True, "passed", 0, "fine")
    assert (failed.passed, failed.outcome, failed.exit_code, failed.output) == (False, "failed", 3, "")


def test_a_command_that_a_signal_ended_fails_with_the_signal(gates: Gates) -> None:
    result = gates.python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert (result.outcome, result.exit_code) == ("failed", -11)


def test_the_result_says_what_was_run_and_what_it_used(gates: Gates) -> None:
    code = "x = bytearray(100_000_000)\nfor _ in range(3_000_000): pass"
    result = gates.python(code)
    assert result.gate == "tests"
    assert result.command[-1] == code
    assert 0.02 < result.cpu_seconds < 10
    assert result.cpu_seconds < result.seconds * (os.cpu_count() or 1) + 0.1
    assert 100_000_000 < result.peak_bytes < 200_000_000
    assert json.loads(json.dumps(result.plain()))["command"] == list(result.command)


def test_what_ended_processes_used_is_counted(gates: Gates) -> None:
    short = "import os\nfor _ in range(400):\n  if not os.fork(): os._exit(sum(range(40_000)) * 0)\n  os.wait()"
    assert gates.python(short).cpu_seconds > 0.25


def test_no_shell_reads_the_arguments(gates: Gates) -> None:
    nasty = ["$HOME", "`id`", "a b", "", "; touch made", "*", "'\""]
    result = gates.run(sys.executable, "-c", "import sys, json; print(json.dumps(sys.argv[1:]))", *nasty)
    assert json.loads(result.output) == nasty
    assert list(gates.folder.iterdir()) == []


def test_a_command_runs_in_the_folder_with_nothing_to_read_and_a_session_of_its_own(gates: Gates) -> None:
    result = gates.python(
        "import os, sys; print(os.getcwd(), os.environ['PWD'], repr(sys.stdin.read()), os.getsid(0) == os.getpid(),"
        " os.getpriority(os.PRIO_PROCESS, 0))"
    )
    priority = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
    assert result.output == f"{gates.folder} {gates.folder} '' True {priority}"


def test_a_command_sees_no_secret_and_no_setting_of_others(gates: Gates) -> None:
    """Planted and found: handing the environment on as it is shows every one of these."""
    hidden = (
        *("GIT_DIR", "GIT_WORK_TREE", "MILESTONE_DATABASE_URL", "CLAUDE_PROJECT_DIR", "CLAUDECODE", "ANTHROPIC_MODEL"),
        *("NPM_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "GOOGLE_CREDENTIALS", "OPENAI_API_KEY", "my_private_key"),
    )
    kept = {"PATH": os.environ["PATH"], "VIRTUAL_ENV": "/venv", "PYTHONPATH": "/here", "HOME": "/nowhere", "LANG": "C"}
    result = gates.python(
        "import os, json; print(json.dumps(dict(os.environ)))", environ={**kept, **dict.fromkeys(hidden, "shown")}
    )
    seen = json.loads(result.output)
    assert "shown" not in seen.values()
    assert kept.items() <= seen.items()
    assert (seen["CI"], seen["TERM"]) == ("true", "dumb")
    assert {name for name in seen if name.startswith("MILESTONE_")} == {MARK}


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("no-such-program", "no-such-program: No such file or directory. Install the program"),
        ("pytest -q", "pytest -q: No such file or directory. Each argument stands by itself in the list of run."),
        ("./not-for-running", "./not-for-running: Permission denied."),
        ("./nobody-reads-it", "./nobody-reads-it: No such file or directory. It is there, but not the program that"),
        ("./no-first-line", "./no-first-line: Exec format error."),
    ],
)
def test_a_program_that_cannot_be_started_is_named_with_the_reason(gates: Gates, program: str, said: str) -> None:
    for name, mode, text in (
        ("not-for-running", 0o644, "#!/bin/sh\n"),
        ("nobody-reads-it", 0o755, "#!/no/such/reader\n"),
        ("no-first-line", 0o755, "echo\n"),
    ):
        (gates.folder / name).write_text(text)
        (gates.folder / name).chmod(mode)
    result = gates.run(program)
    assert (result.outcome, result.exit_code, result.passed) == ("not_found", None, False)
    assert result.output.startswith(f"tests could not be started: {said}")


def test_a_folder_that_is_not_there_is_named(gates: Gates) -> None:
    gates.folder /= "gone"
    assert gates.run("true").output == f"tests could not be started: the folder {gates.folder} is not there."


def test_both_streams_are_kept_in_the_order_in_which_they_were_written(gates: Gates) -> None:
    result = gates.run("sh", "-c", "echo one; echo two >&2; echo three")
    assert result.output == "one\ntwo\nthree"


def test_colours_control_characters_and_broken_text_are_made_readable(gates: Gates) -> None:
    result = gates.python(
        r"import sys; sys.stdout.buffer.write(b'\x1b[1;31mred\x1b[0m \x1b]8;;http:x\x07link\x1b]8;;\x1b\\ \xff\xfe"
        r"\x00\x08 caf\xc3\xa9\t10%\r20%\r\ndone\n')"
    )
    assert result.output == "red link �� café\t10%\n20%\ndone"


def test_of_much_output_the_beginning_and_the_end_are_kept(gates: Gates) -> None:
    result = gates.python("print('first'); [print('x' * 99) for _ in range(20_000)]; print('last')")
    assert result.passed
    assert result.truncated
    assert result.output.startswith("first\nxxx")
    assert result.output.endswith("x\nlast")
    assert "\n… 2,000,011 bytes in all; the middle is left out …\n" in result.output
    assert 20_000 <= len(result.output) < 20_100


def test_of_output_that_fits_nothing_is_left_out(gates: Gates) -> None:
    result = gates.python("print('x' * 19_999)")
    assert (result.output, result.truncated) == ("x" * 19_999, False)


def test_progress_is_told_and_a_script_that_empties_its_own_output_loses_nothing_that_was_read(gates: Gates) -> None:
    """Opening /dev/stderr for writing empties the file behind it.

    Planted and found: reading at the end loses what stood before, reading on from the same place what comes after.
    """
    script = "echo before; until [ -e stop ]; do :; done; echo within > /dev/stderr; echo after"

    def stop(line: str) -> None:
        assert re.fullmatch(r"tests: 2 s, \d+ MB, last line: before", line)
        (gates.folder / "stop").touch()

    result = gates.run("sh", "-c", script, progress=stop)
    assert (result.outcome, result.output) == ("passed", "before\nwithin\nafter")


def test_a_command_that_fills_the_disk_is_ended(gates: Gates, alive: Callable[[int], bool]) -> None:
    result = gates.python(
        "import os\nopen('pid', 'w').write(str(os.getpid()))\nwhile True: os.write(1, b'y\\n' * 50000)"
    )
    assert (result.outcome, result.exit_code, result.truncated) == ("failed", None, True)
    assert result.output.endswith("tests was ended: it wrote more than 64 MB of output.")
    assert not alive(gates.noted("pid"))


def test_cancelling_ends_it_at_once(gates: Gates, alive: Callable[[int], bool]) -> None:
    took: list[float] = []

    def cancel() -> None:
        until(lambda: gates.noted("pid"))
        took.append(-time.monotonic())
        gates.cancelled.set()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    result = gates.python(
        "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('pid', 'w').write(str(os.getpid()))\nsignal.pause()"
    )
    took.append(time.monotonic())
    canceller.join()
    assert sum(took) < 0.5
    assert (result.outcome, result.exit_code, result.output) == (
        "cancelled",
        None,
        "tests was ended: it was cancelled.",
    )
    assert not alive(gates.noted("pid"))
