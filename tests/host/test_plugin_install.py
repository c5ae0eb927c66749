"""The plugin as a person gets it: validated, installed from a local marketplace, connected, priced, removed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from .claude import Host


def test_the_host_finds_no_fault_in_the_plugin(host: Host, clone: Path) -> None:
    """Both as any plugin and as one for the public directory."""
    # Planted bugs that fail it: a manifest by symlink; an icon that is not square; an unquoted plugin root in a hook.
    for profile in ((), ("--profile", "directory")):
        run = host.run("plugin", "validate", "--strict", *profile, str(clone))
        assert run.code == 0, run.output + run.errors


def test_it_is_installed_from_a_local_marketplace_and_its_server_connects(
    host: Host, clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Marketplace, installation, connection, cost and removal, in a fresh home."""
    # Planted bugs that fail it: the marketplace names another folder; the manifest starts a program that is not there;
    # the program writes its progress on stdout.
    name = _marketplace(host, clone)
    _must_work(host, "plugin", "install", f"milestone@{name}")
    assert re.search(r"plugin:milestone:milestone\b.*Connected", _must_work(host, "mcp", "list"))
    details = _must_work(host, "plugin", "details", "milestone")
    assert "milestone" in details
    with capsys.disabled():
        sys.stdout.write(f"\n{details}\n")
    _must_work(host, "plugin", "uninstall", "milestone")
    assert "plugin:milestone" not in _must_work(host, "mcp", "list")


def _marketplace(host: Host, folder: Path) -> str:
    said = _must_work(host, "plugin", "marketplace", "add", str(folder))
    found = re.search(r"marketplace:? '?\"?([a-z0-9-]+)", said)
    assert found, said
    return found[1]


def _must_work(host: Host, *arguments: str) -> str:
    run = host.run(*arguments)
    assert run.code == 0, f"{arguments}: {run.output}{run.errors}"
    return run.output
