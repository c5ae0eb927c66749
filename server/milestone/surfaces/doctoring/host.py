"""What surrounds the program looked at: the hooks, the host, how it starts, its settings, its environments."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

from milestone.domain.health import Finding
from milestone.operations.catalogue import REGISTRY
from milestone.operations.health import some
from milestone.surfaces.doctoring.database import size
from milestone.surfaces.doctoring.patient import Checkup, Patient

_START_SECONDS = 20
_SECRET = ("MILESTONE_DATABASE_URL",)
_CLAUDE_CODE = ("CLAUDECODE", "CLAUDE_PLUGIN_ROOT", "CLAUDE_PROJECT_DIR")


def checkups(patient: Patient) -> Iterator[Checkup]:
    """Yield what there is to look at; nothing here is mended, since it is the person's."""
    yield Checkup("hooks", partial(_hooks, patient))
    yield Checkup("host", partial(_host, patient))
    yield Checkup("program", partial(_program, patient))
    yield Checkup("settings", partial(_settings, patient))
    yield Checkup("environments", partial(_environments, patient))


def _hooks(patient: Patient) -> Finding:
    path = patient.settings.assets / "hooks" / "hooks.json"
    remedy = "Install the plugin anew."
    try:
        hooks = list(_listed(json.loads(path.read_text("utf-8"))))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        return Finding("hooks", "broken", f"{path} cannot be read: {error}", remedy)
    unknown = {str(one.get("tool")) for one in hooks if one.get("type") == "mcp_tool"} - REGISTRY.keys()
    missing = [one["command"] for one in hooks if one.get("type") == "command" and not _starts(patient, one["command"])]
    if unknown or missing:
        said = f"they call what there is not: {some([*sorted(unknown), *missing])}"
        return Finding("hooks", "broken", said, remedy)
    if not patient.settings.hooks:
        return Finding("hooks", "ok", "switched off by MILESTONE_HOOKS=off")
    return Finding("hooks", "ok", f"{len(hooks)} hooks, and what each of them calls is there")


def _listed(document: Any) -> Iterator[dict[str, Any]]:
    for groups in cast("dict[str, list[Any]]", document["hooks"]).values():
        for group in groups:
            yield from group["hooks"]


def _starts(patient: Patient, command: str) -> bool:
    """Return whether the program that a hook's command names is there."""
    program = command.partition(" ")[0].strip('"').replace("${CLAUDE_PLUGIN_ROOT}", str(patient.settings.assets))
    return Path(program).is_file()


def _host(patient: Patient) -> Finding:
    environ = patient.settings.environ
    host = "Claude Code" if any(map(environ.get, _CLAUDE_CODE)) else "a shell, or a host that does not tell"
    root = environ.get("CLAUDE_PLUGIN_ROOT") or str(patient.settings.assets)
    return Finding("host", "ok", f"started by {host}; the plugin lies in {root}")


def _program(patient: Patient) -> Finding:
    program = patient.settings.assets / "bin" / "milestone"
    if not program.is_file():
        return Finding("program", "broken", f"{program} is missing", "Install the plugin anew.")
    base, key = _base(patient), key_of(patient.settings.assets)
    if base is None or not key or not any(base.glob(f"env-{key}-*/bin/python")):
        return Finding("program", "ok", f"{program} makes its environment when it is first started, in half a minute")
    command, environ = [str(program), "--version"], dict(patient.settings.environ)
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=_START_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Finding("program", "broken", f"{program} did not start within {_START_SECONDS} s", "Start it by hand.")
    if done.returncode:
        return Finding(
            "program", "broken", f"{program} does not start: {done.stderr.strip()[-300:]}", "Start it by hand."
        )
    return Finding("program", "ok", f"{program} starts: {done.stdout.strip()}")


def _settings(patient: Patient) -> Finding:
    shown = [
        f"{name}={'(not shown)' if name in _SECRET else value}"
        for name, value in patient.settings.given.items()
        if value
    ]
    return Finding("settings", "ok", ", ".join(sorted(shown)) or "none of ours is set")


def _environments(patient: Patient) -> Finding:
    base, key = _base(patient), key_of(patient.settings.assets)
    old = [one for one in sorted(base.glob("env-*")) if _is_old(one, key)] if base and key else []
    if not old:
        return Finding("environments", "ok", "none that is not in use")
    bytes_ = sum(file.lstat().st_size for one in old for file in one.rglob("*") if not file.is_dir())
    said = f"{len(old)} of earlier versions, {size(bytes_)}"
    return Finding("environments", "ok", said, f"No longer needed: rm -r {' '.join(str(one) for one in old)}")


def _is_old(environment: Path, key: str) -> bool:
    return not environment.name.startswith(f"env-{key}-") and Path(sys.prefix) != environment


def key_of(plugin: Path) -> str:
    """Return what bin/milestone names environments after; empty where that cannot be known."""
    lock, cksum = plugin / "requirements.lock", shutil.which("cksum")
    if cksum is None or not lock.is_file():
        return ""
    with lock.open("rb") as file:
        done = subprocess.run([cksum], stdin=file, capture_output=True, text=True, check=False)
    return done.stdout.partition(" ")[0]


def _base(patient: Patient) -> Path | None:
    """Return where bin/milestone keeps environments."""
    environ = patient.settings.environ
    given = environ.get("MILESTONE_ENV_DIR") or environ.get("CLAUDE_PLUGIN_DATA")
    if given:
        return Path(given)
    data, home = environ.get("XDG_DATA_HOME", ""), environ.get("HOME", "")
    if data.startswith("/"):
        return Path(data) / "milestone"
    return Path(home) / ".local" / "share" / "milestone" if home else None
