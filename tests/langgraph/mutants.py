"""Bugs planted in copies of the saver and its tables, each a textual replacement, and what the tests say of them.

Run `python -m tests.langgraph.mutants` for all of them, or name some; it ends with how many were found.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.helpers.worker import ROOT

SQL, STORE = "store/sql/threads.sql", "store/threads.py"
DESK, SAVER, WORK = (f"surfaces/langgraph/{name}.py" for name in ("desk", "saver", "work"))
TESTS = [f"tests/langgraph/test_{name}.py" for name in ("conformance", "saver", "removing", "graphs")]
PATIENCE = 120


class Mutant(NamedTuple):
    """A replacement in a file of the package; `name` says what is wrong then."""

    name: str
    file: str
    old: str
    new: str


MUTANTS = [
    Mutant(
        "unchanged channels are written again",
        WORK,
        "in new_versions.items()",
        'in checkpoint["channel_versions"].items()',
    ),
    Mutant("a value is not kept by its version", WORK, "json.dumps([channel, version])", "json.dumps([channel])"),
    Mutant("a value is not kept by its channel", WORK, "json.dumps([channel, version])", "json.dumps([version])"),
    Mutant("a value that comes again is ignored", SQL, "DO UPDATE SET value = excluded.value;", "DO NOTHING;"),
    Mutant(
        "a checkpoint that comes again is ignored",
        SQL,
        "DO UPDATE SET parent_id = excluded.parent_id, run_id = excluded.run_id, head = excluded.head, metadata "
        "= excluded.metadata",
        "DO NOTHING",
    ),
    Mutant(
        "the oldest checkpoint is taken for the newest",
        SQL,
        "ORDER BY checkpoint_id DESC LIMIT 1",
        "ORDER BY checkpoint_id LIMIT 1",
    ),
    Mutant("a checkpoint has no parent", WORK, "parent.checkpoint_id, run_id", '"", run_id'),
    Mutant("a checkpoint has no run", WORK, 'str(about.get("run_id") or "")', '""'),
    Mutant(
        "what the config says is not in the metadata", WORK, "get_checkpoint_metadata(config, metadata)", "metadata"
    ),
    Mutant(
        "a thread named by a number is another one", WORK, 'Place(str(given["thread_id"])', 'Place(given["thread_id"]'
    ),
    Mutant("names are not checked", WORK, "if scrub(list(place))[1]:", "if False:"),
    Mutant(
        "writes are ordered by task",
        WORK,
        'writes_sort_key(row["task_path"], row["task_id"], row["ordinal"])',
        '(row["task_id"], row["ordinal"])',
    ),
    Mutant("what a task wrote is replaced", STORE, "if ordinal < 0:", "if ordinal > -9:"),
    Mutant("an error is not replaced", STORE, "if ordinal < 0:", "if ordinal < -9:"),
    Mutant("errors have no place of their own", WORK, "WRITES_IDX_MAP.get(channel, ordinal)", "ordinal"),
    Mutant(
        "a list begins with the oldest",
        SQL,
        "ORDER BY checkpoint_id DESC, namespace",
        "ORDER BY checkpoint_id, namespace",
    ),
    Mutant("a list has the namespaces it was not asked for", SQL, ":any_namespace = 1 OR", ":any_namespace < 2 OR"),
    Mutant(
        "a list goes on where it should begin",
        SQL,
        "OR checkpoint_id < :before)\n   AND",
        "OR checkpoint_id <= :before)\n   AND",
    ),
    Mutant(
        "a list is not filtered",
        WORK,
        "metadata.get(name) != value",
        "metadata.get(name, value) != metadata.get(name, value)",
    ),
    Mutant("a list is cut before it is filtered", WORK, "EVERYTHING if wanted else left", "left"),
    Mutant("a filtered list is not cut", WORK, "wanted)[:left]", "wanted)"),
    Mutant(
        "values outlive their thread",
        STORE,
        'self._change("delete_values"',
        'self._rows("values", namespace="", names="{}"',
    ),
    Mutant(
        "writes outlive their thread",
        STORE,
        'self._change("delete_writes"',
        'self._rows("writes", namespace="", checkpoint_id=""',
    ),
    Mutant(
        "other projects lose their thread, too",
        SQL,
        "DELETE FROM thread_values WHERE project_id = :project_id AND thread_id = :thread_id;",
        "DELETE FROM thread_values WHERE :project_id <> '' AND thread_id = :thread_id;",
    ),
    Mutant("writes outlive their checkpoint", STORE, 'self._change("drop_writes"', 'self._rows("writes"'),
    Mutant("values that others name are removed", WORK, "for name in _names(self._unpack(head))", "for name in ()"),
    Mutant("values that nobody names stay", SQL, "AND name NOT IN", "AND name = '' AND name NOT IN"),
    Mutant("whatever has no run is of the run without a name", SQL, "AND run_id <> '' AND run_id IN", "AND run_id IN"),
    Mutant("pruning forgets namespaces", WORK, "{place.namespace: place for", '{"": place for'),
    Mutant("pruning empties delta channels", WORK, "            yield before", "            del before"),
    Mutant(
        "pruning keeps all that delta channels were never written to",
        WORK,
        "[channel for channel in counted if channel in written]",
        "counted",
    ),
    Mutant("any strategy deletes", WORK, "if strategy not in STRATEGIES:", "if not strategy:"),
    Mutant("a copy has no values", STORE, 'self._change("copy_values", thread_id=source, target=target)', "pass"),
    Mutant("a copy has no writes", STORE, 'self._change("copy_writes", thread_id=source, target=target)', "pass"),
    Mutant(
        "delta channels begin at the oldest value",
        WORK,
        "            sought -= values.keys()",
        "            sought -= frozenset()",
    ),
    Mutant("delta channels are put together backwards", WORK, 'one["writes"].reverse()', 'one["writes"].sort(key=id)'),
    Mutant("branches have the same versions", SAVER, ".{random_hex(8)}", ".0"),
    Mutant("version ten comes before version nine", SAVER, "{number + 1:016}", "{number + 1}"),
    Mutant(
        "the event loop stands still",
        DESK,
        "await asyncio.wrap_future(self._thread.submit(work, *args, **named))",
        "self.now(work, *args, **named)",
    ),
    Mutant(
        "a writer does not wait for its turn", DESK, "self._run(change, write=True)", "self._run(change, write=False)"
    ),
]


def trial(mutant: Mutant | None, tests: Sequence[str] = TESTS) -> str:
    """Return the first test that found a planted bug, or an empty text; SQLite alone is tried."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "server"
        shutil.copytree(ROOT / "server", copy)
        if mutant:
            file = copy / "milestone" / mutant.file
            text = file.read_text("utf-8")
            assert text.count(mutant.old) == 1, f"{mutant.name}: what is to be replaced is not there once"
            file.write_text(text.replace(mutant.old, mutant.new), "utf-8")
        plugins = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "tests.langgraph.conftest"]
        quiet = ["-x", "-q", "-k", "sqlite and not trio", "--noconftest", "--tb=no", "--durations=0", "-rf"]
        command = [sys.executable, "-m", "pytest", *plugins, *quiet, "-o", f"pythonpath={copy} {ROOT}", *tests]
        environment = {"PATH": "", "HOME": folder, "TMPDIR": folder, "PYTHONPATH": f"{copy}:{ROOT}"}
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            return "it did not end"
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert bool(found) == bool(done.returncode), done.stdout
    return found[0].split("::")[-1].split(" - ")[0] if found else ""


def main(names: Sequence[str]) -> int:
    """Try the mutants that are named, all where none is, and return whether one survived."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    with ThreadPoolExecutor(2) as pool:
        answers = dict(zip([None, *chosen], pool.map(trial, [None, *chosen]), strict=True))
    assert not answers.pop(None), "the tests fail on what they should pass on"
    for mutant, found in answers.items():
        sys.stdout.write(f"{'found   ' if found else 'SURVIVED'}  {mutant.name if mutant else ''}  ({found})\n")
    sys.stdout.write(f"{sum(map(bool, answers.values()))} of {len(answers)} found\n")
    return int(not all(answers.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
