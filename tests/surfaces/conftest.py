"""What the tests of the stdio door share: the toy server's recorded answers, and toy servers that end with the test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from milestone.surfaces import handshake
from tests.surfaces import toy_server
from tests.surfaces.toy_host import Toy


@pytest.fixture(scope="session")
def constants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of what the toy server answers by itself."""
    path = tmp_path_factory.mktemp("toy") / "handshake.json"
    path.write_text(json.dumps(handshake.record(toy_server.build)), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def arguments(constants: Path) -> Callable[[str], list[str]]:
    """How the toy server is started behind each door."""
    return lambda door: {"sdk": ["sdk"], "plain": ["ours"], "ours": ["ours", str(constants)]}[door]


@pytest.fixture
def toy(arguments: Callable[[str], list[str]]) -> Iterator[Callable[..., Toy]]:
    """Starts toy servers behind a door; every one ends with the test."""
    with ExitStack() as stack:

        def start(door: str = "ours", *more: str | Path, **options: Any) -> Toy:
            return stack.enter_context(Toy(*arguments(door), *more, **options))

        yield start


@pytest.fixture(scope="module")
def running(arguments: Callable[[str], list[str]]) -> Iterator[Toy]:
    """A toy server behind our door with the SDK there, shared by tests that must not end it."""
    with Toy(*arguments("ours")) as shared:
        yield shared.greet()
