"""The lock files: complete, hashed, and silent about where packages came from."""

from __future__ import annotations

import re
import tomllib
from itertools import chain

import pytest
from packaging.requirements import Requirement

from tests.bootstrap.machine import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = {
    "requirements.lock": [*PROJECT["dependencies"], *EXTRAS["postgres"]],
    "requirements-charts.lock": [*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["charts"]],
    "requirements-test.lock": [*PROJECT["dependencies"], *chain.from_iterable(EXTRAS.values())],
}


def pinned(name: str) -> dict[str, str]:
    """Return the versions that a lock file pins, by package."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", DECLARED)
def test_every_declared_dependency_is_pinned_within_its_range(name: str) -> None:
    versions = pinned(name)
    for requirement in map(Requirement, DECLARED[name]):
        assert versions[requirement.name.lower()] in requirement.specifier


@pytest.mark.parametrize("name", DECLARED)
def test_every_package_has_a_hash_and_no_line_is_anything_else(name: str) -> None:
    text = (ROOT / name).read_text()
    package = r"[a-z0-9-]+==[^ ;]+( ; [^\n]+?)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert re.fullmatch(f"({package})+", text)
    assert "//" not in text


def test_the_tests_run_with_the_versions_that_people_get() -> None:
    assert pinned("requirements.lock").items() <= pinned("requirements-charts.lock").items()
    assert pinned("requirements-charts.lock").items() <= pinned("requirements-test.lock").items()
