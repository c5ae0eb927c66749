"""Worktrees in every state a person or an agent can leave them in, and pictures of them to compare."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from milestone.git.capture import Captured, capture
from milestone.git.putting_back import preview, put_back
from tests.git.repositories import Sandbox

UNUSUAL = (
    *("with space", "new\nline", '"quoted"', "-leading", "--output=x", "tab\t", "back\\slash", "ünïcode", ":(top)x"),
    *("*star", "[a]", "~", "a'b", "$(x)", "\x01control", "e\u0301", os.fsdecode(b"\xff\xfe bytes"), "...", "a:b"),
)
Picture = dict[str, str | bytes]


def picture(sandbox: Sandbox, at: Path | None = None) -> Picture:
    """Return all of a worktree that counts: every file with its bytes and kind, the index, HEAD, its branch, what is
    under way, and the same of every repository within. Ignored files and `.milestones/` are not in it.
    """
    top = at or sandbox.root
    git_dir = Path(sandbox.git("rev-parse", "--absolute-git-dir", at=top))
    seen: Picture = {f"file {name}": content for name, content in _files(top, top, ignored(sandbox, top))}
    seen["index"] = sandbox.git("ls-files", "--stage", "-v", "-z", at=top)
    seen["meant"] = sandbox.git("diff", "--name-only", "--diff-filter=A", "-z", at=top)
    seen["resolved"] = sandbox.git("ls-files", "--resolve-undo", "-z", at=top)
    seen["HEAD"] = (git_dir / "HEAD").read_bytes()
    seen["commit"] = sandbox.git("rev-parse", "--verify", "--quiet", "HEAD", at=top, check=False)
    seen["status"] = sandbox.git("status", "--porcelain", "-z", "--untracked-files=all", at=top)
    for name in ("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "CHERRY_PICK_HEAD", "rebase-merge/done"):
        seen[name] = (git_dir / name).read_bytes() if (git_dir / name).exists() else b""
    for inner in _repositories(top):
        seen |= {f"{inner.name}: {name}": content for name, content in picture(sandbox, inner).items()}
    return seen


def ignored(sandbox: Sandbox, at: Path) -> set[str]:
    """Return what is ignored in a worktree now."""
    options = ("--others", "--ignored", "--exclude-standard", "-z")
    return set(sandbox.git("ls-files", *options, at=at).split("\0"))


def _files(top: Path, folder: Path, ignored: set[str]) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        path = Path(entry.path)
        name = str(path.relative_to(top))
        if entry.name == ".git" or name == ".milestones" or name in ignored:
            continue
        if entry.is_symlink():
            yield name, b"link " + os.fsencode(path.readlink())
        elif entry.is_dir():
            if not (path / ".git").exists():
                yield from _files(top, path, ignored)
        elif entry.is_file():
            mode = b"x " if path.stat().st_mode & stat.S_IXUSR else b"- "
            yield name, mode + path.read_bytes()


def _repositories(top: Path) -> Iterator[Path]:
    for folder, folders, _ in os.walk(top):
        if ".milestones" in folders:
            folders.remove(".milestones")
        inner = [name for name in folders if (Path(folder) / name / ".git").exists()]
        folders[:] = [name for name in folders if name not in (*inner, ".git")]
        yield from (Path(folder) / name for name in inner)


def touched(sandbox: Sandbox) -> dict[str, tuple[int, bytes]]:
    """Return all files, those of Git included, with the time of their last change; but no objects and what is ours."""
    found: dict[str, tuple[int, bytes]] = {}
    for path in sandbox.root.rglob("*"):
        parts = path.relative_to(sandbox.root).parts
        if path.is_file() and not {"objects", "milestone"} & set(parts):
            found["/".join(parts)] = (path.lstat().st_mtime_ns, path.read_bytes())
    return found


def submodule(sandbox: Sandbox, at: Path | None = None, name: str = "sub") -> Path:
    """Add a submodule of two commits and return its folder; nothing is committed."""
    source = Sandbox(sandbox.root.parent / f"source-{name}", sandbox.home)
    if not source.root.exists():
        source.root.mkdir()
        source.git("init", "--quiet", "--initial-branch=main")
        source.commit({"one": "1\n", "deep/two": "2\n"})
        source.commit({"one": "11\n"})
    top = at or sandbox.root
    sandbox.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(source.root), name, at=top)
    return top / name


def prepare(sandbox: Sandbox, at: Path | None = None) -> None:
    """Commit files of every kind, from which `mess` makes changes of every kind."""
    top = at or sandbox.root
    names = ("staged", "both", "changed", "deleted", "gone", "renamed", "kind", "was-link", "mode", "dir/file", "flat")
    sandbox.write({name: f"{name}\n" for name in names}, top)
    sandbox.write({f"odd/{name}": name.encode("utf-8", "surrogateescape") for name in UNUSUAL}, top)
    sandbox.write({".gitignore": "*.ignored\n.milestones\n", "forced.ignored": "tracked\n"}, top)
    (top / "link").symlink_to("changed")
    (top / "run").write_text("#!/bin/sh\n")
    (top / "run").chmod(0o755)
    submodule(sandbox, top)
    sandbox.git("add", "--force", "forced.ignored", at=top)
    sandbox.commit({}, "all kinds", at=top)


def mess(sandbox: Sandbox, at: Path | None = None, mark: str = "1") -> None:
    """Change files in every way: staged, not staged, both, deleted, renamed, of another kind, new, in the submodule."""
    top = at or sandbox.root
    sandbox.write({"staged": f"s{mark}", "both": f"b{mark}", "new-staged": f"n{mark}\r\n"}, top)
    sandbox.git("add", "staged", "both", "new-staged", at=top)
    sandbox.write({"both": f"B{mark}", "changed": f"c{mark}\r\n", "forced.ignored": f"f{mark}"}, top)
    sandbox.git("rm", "--quiet", "--ignore-unmatch", "deleted", at=top)
    (top / "gone").unlink(missing_ok=True)
    if (top / "renamed").exists():
        sandbox.git("mv", "renamed", f"renamed-{mark}", at=top)
    for name in ("kind", "link", "flat"):
        if not (top / name).is_dir() or (top / name).is_symlink():
            (top / name).unlink(missing_ok=True)
    (top / "kind").symlink_to(f"nowhere-{mark}")
    sandbox.write({"link": f"no link {mark}", f"flat/now/a/folder-{mark}": "x"}, top)
    (top / "mode").chmod(0o755)
    (top / "run").chmod(0o644)
    sandbox.write({f"odd/{name}": os.fsencode(name) + mark.encode() for name in UNUSUAL[::2]}, top)
    sandbox.write({f"new/{name}{mark}": f"new {mark}" for name in UNUSUAL}, top)
    sandbox.write(
        {"meant": "to be added", "x.ignored": f"kept {mark}", "new/empty": b"", "raw": bytes(range(256))}, top
    )
    sandbox.git("add", "--intent-to-add", "meant", at=top)
    sandbox.git("update-index", "--assume-unchanged", "README.md", at=top)
    sandbox.write({"README.md": f"unseen {mark}"}, top)
    sandbox.write({"one": f"dirty {mark}", "untracked": mark, "deep/new": mark}, top / "sub")
    sandbox.git("add", "deep/new", at=top / "sub")
    (top / "sub" / "deep" / "two").unlink(missing_ok=True)


def kept(sandbox: Sandbox, at: Path | None = None, name: str = "one", also: str = "") -> Captured:
    """Capture the main worktree, or another one."""
    return capture(sandbox.repository, at or sandbox.root, name, "main", also=also)


def there_and_back(sandbox: Sandbox, at: Path, first: Captured) -> None:
    """Put a worktree back from what it is now, and then undo that."""
    before = picture(sandbox, at)
    second = kept(sandbox, at, "two", also=first.ref)
    put_back(sandbox.repository, at, first.ref)
    assert not preview(sandbox.repository, at, first.ref)
    middle = picture(sandbox, at)
    put_back(sandbox.repository, at, second.ref)
    assert picture(sandbox, at) == before
    put_back(sandbox.repository, at, first.ref)
    assert picture(sandbox, at) == middle
