"""Any sequence of edits, checkpoints and ways back: a worktree is always what it was when it was captured."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from milestone.git.capture import Captured, capture
from milestone.git.putting_back import preview, put_back
from tests.git.repositories import Sandbox
from tests.git.states import Picture, picture

NAMES = st.sampled_from(["a", "b/c", "b", "b/d/e", "x\ny", "-z", "ü", "\udcff", ' "q" ', "a/b", "l", "r.ign"])
CONTENT = st.binary(max_size=4) | st.sampled_from([b"1\r\n", b"1\n", b"$Id$"])


class Edits(RuleBasedStateMachine):
    """A person edits, stages, commits and switches; now and then all is put back to a checkpoint."""

    checkpoints = Bundle[tuple[Captured, Picture]]("checkpoints")

    @initialize()
    def begin(self) -> None:
        """Make a repository that converts line ends and keywords."""
        self.folder = Path(tempfile.mkdtemp())
        self.sandbox = Sandbox(self.folder / "project", self.folder / "home")
        for folder in (self.sandbox.root, self.sandbox.home):
            folder.mkdir()
        self.sandbox.git("init", "--quiet", "--initial-branch=main", "--template=")
        self.sandbox.git("config", "core.autocrlf", "true")
        self.sandbox.write({".gitattributes": "a ident\n", ".gitignore": "*.never\n"})
        self.number = 0

    def teardown(self) -> None:
        """Remove it."""
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    def _clear(self, name: str) -> Path:
        """Make room for a file at a name, whatever is there or on the way."""
        path = self.sandbox.root / name
        for place in (*reversed(path.parents), path):
            if place.is_relative_to(self.sandbox.root) and place != self.sandbox.root:
                if place.is_symlink() or place.is_file():
                    place.unlink()
                elif place == path and place.is_dir():
                    shutil.rmtree(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @rule(name=NAMES, content=CONTENT, run=st.booleans())
    def write(self, name: str, content: bytes, run: bool) -> None:
        """Write a file."""
        path = self._clear(name)
        path.write_bytes(content)
        path.chmod(0o755 if run else 0o644)

    @rule(name=NAMES, target_name=NAMES)
    def link(self, name: str, target_name: str) -> None:
        """Make a link."""
        self._clear(name).symlink_to(target_name)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        """Remove a file."""
        self._clear(name)

    @rule(name=NAMES, how=st.sampled_from(["--all", "--intent-to-add", "--force"]))
    def stage(self, name: str, how: str) -> None:
        """Stage what is there."""
        self.sandbox.git("--literal-pathspecs", "add", how, "--", name, check=False)

    @rule(name=NAMES)
    def unstage(self, name: str) -> None:
        """Forget what was staged."""
        self.sandbox.git("--literal-pathspecs", "rm", "--quiet", "--cached", "-r", "-f", "--", name, check=False)

    @rule(name=NAMES, mark=st.sampled_from(["assume-unchanged", "no-assume-unchanged", "chmod=+x"]))
    def mark(self, name: str, mark: str) -> None:
        """Mark a file in the index."""
        self.sandbox.git("update-index", f"--{mark}", "--", name, check=False)

    @rule()
    def commit(self) -> None:
        """Commit what is staged."""
        self.sandbox.git("commit", "--quiet", "--allow-empty", "-m", "x", check=False)

    @rule(to=st.sampled_from(["one", "two", "--detach"]))
    def switch(self, to: str) -> None:
        """Go to another branch, which may be new."""
        create = () if to == "--detach" else ("-C",)
        self.sandbox.git("switch", "--quiet", *create, to, check=False)

    @rule(target=checkpoints)
    def capture(self) -> tuple[Captured, Picture]:
        """Make a checkpoint."""
        return self._captured()

    def _captured(self) -> tuple[Captured, Picture]:
        self.number += 1
        seen = picture(self.sandbox)
        made = capture(self.sandbox.repository, self.sandbox.root, f"c-{self.number}", "main")
        assert picture(self.sandbox) == seen
        return made, seen

    @rule(checkpoint=checkpoints, target=checkpoints)
    def put_back(self, checkpoint: tuple[Captured, Picture]) -> tuple[Captured, Picture]:
        """Go back to a checkpoint; what was there is one, too."""
        before = self._captured()
        made, seen = checkpoint
        preview(self.sandbox.repository, self.sandbox.root, made.ref)
        put_back(self.sandbox.repository, self.sandbox.root, made.ref)
        assert picture(self.sandbox) == seen
        return before


TestEdits = Edits.TestCase
TestEdits.settings = settings(
    max_examples=int(os.environ.get("MILESTONE_EDITS", "6")),
    stateful_step_count=25,
    deadline=None,
    derandomize="MILESTONE_EDITS" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
