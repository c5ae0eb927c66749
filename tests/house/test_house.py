"""The house rules, kept by a machine."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from milestone.domain.text import tokens
from milestone.operations.catalogue import REGISTRY
from milestone.store.queries import load
from milestone.surfaces.mcp import INSTRUCTIONS, record
from milestone.surfaces.serve import CONSTANTS
from milestone.wiring import Application, read_settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "server" / "milestone"
MODULES = sorted((ROOT / "server").rglob("*.py"))
LISTED = [one for one in REGISTRY.values() if one.listed]
WIDE = {
    "surfaces/mcp.py": "a crash says nothing to the agent and is logged; the host goes on",
    "surfaces/monitor.py": "a monitor that ends is not started again by its host, so it rests and looks again",
    "surfaces/statusline.py": "a host would show what is said here in the place of the line",
    "surfaces/hooks.py": "a hook has no failure that is worth stopping a host for",
    "surfaces/stdio.py": "what is raised in the door's threads and tasks would vanish with them",
    "surfaces/session.py": "what is raised in the door's threads and tasks would vanish with them",
}
HOSTS = "|".join(
    f"{a}{b}"
    for a, b in (("py", "pi[.]org"), ("python", "hosted"), ("registry", "[.]npm"), ("j", "frog"), ("arti", "factory"))
)
MACHINE = r"(?<![\w.~/-])/(home/(?!person/)|Users/|root/|work/|workspace/|mnt/)\w"


def named(path: Path) -> str:
    """Return a path as people read it."""
    return path.relative_to(ROOT).as_posix()


def tracked() -> Iterator[Path]:
    """Yield the text files of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in (".png", ".gif", ".jpg", ".webp"):
            yield path


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every function of a module with its length in lines, its docstring not counted."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            first = node.body[0]
            said = (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            )
            doc = (first.end_lineno or 0) - first.lineno + 1 if said else 0
            yield node.name, node.end_lineno - node.lineno + 1 - doc


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_opens_with_a_sentence_and_stays_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 300
    assert [name for name, lines in functions(path) if lines > 40] == []
    opening = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
    assert opening.endswith(".")
    assert "\n" not in opening
    assert opening.count(". ") == 0


def test_no_test_grows_beyond_a_few_screens() -> None:
    assert [named(path) for path in (ROOT / "tests").rglob("*.py") if path.read_text("utf-8").count("\n") > 300] == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_everything_is_caught_only_where_we_say_why(path: Path) -> None:
    wide = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} & {"Exception", "BaseException"}
        )
    ]
    lines = path.read_text("utf-8").splitlines()
    handed_on = [number for number in wide if "raise" in "".join(lines[number : number + 6])]
    silent = [number for number in wide if number not in handed_on]
    if silent:
        assert path.relative_to(PACKAGE).as_posix() in WIDE
        assert all(" - " in lines[number - 1] for number in silent), "say why beside it"


def test_the_list_of_tools_costs_at_most_3500_tokens() -> None:
    cost = sum(tokens(one.name) + tokens(one.description) + tokens(json.dumps(one.schema)) for one in LISTED)
    assert cost <= 3_500


@pytest.mark.parametrize("name", [one.name for one in LISTED])
def test_a_tool_is_described_briefly(name: str) -> None:
    assert 40 < len(REGISTRY[name].description) < 500
    assert REGISTRY[name].schema["additionalProperties"] is False


def test_the_instructions_stay_under_two_kilobytes() -> None:
    assert len(INSTRUCTIONS.encode()) < 2_048
    assert "next_actions" in INSTRUCTIONS


def test_what_the_door_answers_before_the_sdk_is_loaded_is_what_the_sdk_would(tmp_path: Path) -> None:
    application = Application(read_settings({"MILESTONE_PROJECT_DIR": str(tmp_path)}))
    assert Path(CONSTANTS).read_text("utf-8") == record(application), "milestone record-handshake writes it anew"


@pytest.mark.parametrize("path", sorted((PACKAGE / "store" / "sql").glob("*.sql")), ids=named)
def test_every_query_is_used_and_every_query_that_is_used_is_there(path: Path) -> None:
    source = (PACKAGE / "store" / f"{path.stem}.py").read_text("utf-8")
    used = set(re.findall(r"""_(?:rows|one|change)\(\s*"(\w+)\"""", source))
    assert used == set(load(path.stem))


def test_a_query_names_every_table_of_the_project_it_looks_into() -> None:
    """A statement without project_id would reach into other projects of the same database."""
    for path in (PACKAGE / "store" / "sql").glob("*.sql"):
        for name, query in load(path.stem).items():
            assert ":project_id" in query.sql, (path.stem, name)
            inner = len(re.findall(r"JOIN \(SELECT", query.sql))
            linked = len(re.findall(r"\w+\.project_id = \w+\.project_id", query.sql))
            assert query.sql.count("JOIN ") <= linked + inner, (path.stem, name)


def test_no_file_names_a_registry_or_somebodys_machine() -> None:
    found = [
        f"{named(path)}: {match[0]}"
        for path in tracked()
        if path != Path(__file__)
        for match in [re.search(f"{HOSTS}|{MACHINE}", path.read_text("utf-8"))]
        if match
    ]
    assert found == []


def test_no_file_holds_a_character_that_nobody_sees() -> None:
    found = [
        f"{named(path)}: U+{ord(char):04X}"
        for path in tracked()
        for char in set(path.read_text("utf-8"))
        if unicodedata.category(char) in ("Cf", "Co", "Cs")
        or (unicodedata.category(char) == "Cc" and char not in "\n\t")
    ]
    assert found == []
