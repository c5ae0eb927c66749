"""Writers of the files for people that are killed at any moment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.faults.amounts import of

WRITER = Path(__file__).with_name("mirror_writer.py")
KILLS = 200


def killed(folder: Path, bug: str = "") -> dict[str, Any]:
    """Return what killed writers left."""
    command = [sys.executable, str(WRITER), str(folder), str(of(KILLS)), bug]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return json.loads(done.stdout)


def test_a_file_is_whole_and_ours_whenever_its_writer_is_killed_and_nothing_is_left_lying_about(tmp_path: Path) -> None:
    found = killed(tmp_path)
    assert found["kills"] == of(KILLS)
    assert found["broken"] == found["taken for a person's"] == found["left after the next start"] == 0
    assert found["left behind"] > 0, "nobody was killed while writing, so nothing was shown"


def test_a_writer_that_overwrites_its_file_is_found_out(tmp_path: Path) -> None:
    assert killed(tmp_path, "in-place")["broken"] > 0


def test_a_writer_that_notes_afterwards_what_it_wrote_is_found_out(tmp_path: Path) -> None:
    assert killed(tmp_path, "hasty")["taken for a person's"] > 0
