"""A machine with nothing on it but Python and a shell, and a plugin folder with one tiny dependency."""

from __future__ import annotations

import base64
import hashlib
import os
import select
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
UV = Path(sys.executable).with_name("uv")
PROGRAM = """\
import json, sys
from sibling import here
import tiny

print(json.dumps({"args": sys.argv[1:], "stdin": sys.stdin.read(), "prefix": sys.prefix, "tiny": tiny.__file__}))
"""
GATE = """\
#!/bin/sh
echo "$1" >>"{folder}/calls"
if [ "$1" = venv ]; then echo here >"{folder}/here" && read -r _ <"{folder}/go"; fi
exec "{uv}" "$@"
"""


@dataclass
class Gate:
    """A uv that stops before it works until it is let through."""

    folder: Path
    here: int
    go: int

    def reached(self) -> None:
        """Return when an installation has come to the gate."""
        assert select.select([self.here], [], [], 60)[0], "no installation began"
        os.read(self.here, 100)

    def open(self) -> None:
        """Let one installation through."""
        os.write(self.go, b"\n")

    def calls(self) -> list[str]:
        """Return what uv was asked to do, in order."""
        return (self.folder / "calls").read_text().split()


@dataclass
class Machine:
    """Where bin/milestone runs: the plugin's folder, an empty home, and a PATH with only what is named here."""

    root: Path
    home: Path
    tools: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> Path:
        """The folder where environments are kept."""
        return self.home / ".local" / "share" / "milestone"

    def environments(self) -> list[Path]:
        """Return the environments made so far; fails if anything but them and the lock is left there."""
        found = sorted(self.kept.iterdir())
        assert {path.name for path in found if not path.name.startswith("env-")} <= {"making.lock"}
        return [path for path in found if path.name.startswith("env-")]

    def start(
        self, *args: str, by: Path | None = None, before: tuple[str, ...] = (), **variables: str
    ) -> subprocess.Popen[str]:
        """Start bin/milestone, in a process group of its own."""
        pipe = subprocess.PIPE
        command = [*before, str(by or self.root / "bin" / "milestone"), *args]
        surroundings = {**self.variables, **variables}
        return subprocess.Popen(
            command, env=surroundings, cwd=self.home, stdin=pipe, stdout=pipe, stderr=pipe, text=True, process_group=0
        )

    def run(
        self, *args: str, stdin: str = "", by: Path | None = None, before: tuple[str, ...] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Start bin/milestone and wait for its end."""
        process = self.start(*args, by=by, before=before, **variables)
        stdout, stderr = process.communicate(stdin, timeout=300)
        return subprocess.CompletedProcess(args, process.returncode, stdout, stderr)

    def give(self, name: str, program: Path | str) -> None:
        """Put a program on PATH: one of this machine's, or a script."""
        place = self.tools / name
        place.unlink(missing_ok=True)
        if isinstance(program, Path):
            place.symlink_to(program)
        else:
            place.write_text(program)
            place.chmod(0o755)

    def give_gate(self) -> Gate:
        """Put a uv on PATH that waits to be let through."""
        self.give("uv", GATE.format(folder=self.home.parent, uv=UV))
        for name in ("here", "go"):
            os.mkfifo(self.home.parent / name)
        pipes = [os.open(self.home.parent / name, os.O_RDWR) for name in ("here", "go")]
        return Gate(self.home.parent, *pipes)


def lock(machine: Machine, digest: str) -> None:
    """Make the plugin depend on the tiny package with this digest."""
    (machine.root / "requirements.lock").write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n")


def wheel(folder: Path) -> str:
    """Write the wheel of a package with one empty module into a folder; return its digest."""
    folder.mkdir()
    files = {
        "tiny.py": b"",
        "tiny-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        name: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=") for name, data in files.items()
    }
    record = "".join(f"{name},sha256={digests[name].decode()},{len(data)}\n" for name, data in files.items())
    files["tiny-1.0.dist-info/RECORD"] = f"{record}tiny-1.0.dist-info/RECORD,,\n".encode()
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return hashlib.sha256(path.read_bytes()).hexdigest()
