"""A repository whose every setting, hook and attribute starts a program that leaves its name behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.git.repositories import Sandbox

HOOKS = (
    *("applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg"),
    *("commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-auto-gc"),
    *("post-rewrite", "post-index-change", "reference-transaction", "fsmonitor-watchman", "push-to-checkout"),
)
COMMANDS = (
    *("core.pager", "pager.log", "pager.status", "core.editor", "sequence.editor", "core.sshCommand"),
    *("core.gitProxy", "core.askPass", "core.alternateRefsCommand", "core.fsmonitor", "diff.external"),
    *("diff.evil.command", "diff.evil.textconv", "merge.evil.driver", "filter.evil.clean", "filter.evil.smudge"),
    *("filter.long.process", "filter.a=b.clean", "filter.a=b.smudge", "credential.helper", "gpg.program"),
    *(
        "credential.https://example.org.helper",
        "gpg.ssh.program",
        "gpg.ssh.defaultKeyCommand",
        "interactive.diffFilter",
    ),
    *("uploadpack.packObjectsHook", "gc.recentObjectsHook", "trailer.task.command", "trailer.task.cmd"),
    *("hook.evil.command", "difftool.evil.cmd", "mergetool.evil.cmd", "remote.origin.uploadpack"),
)
ALIASES = ("status", "commit", "merge", "worktree", "rev-parse", "merge-tree")
OTHERS = {
    "commit.gpgSign": "true",
    "log.showSignature": "true",
    "merge.verifySignatures": "true",
    "merge.default": "evil",
    "merge.tool": "evil",
    "diff.tool": "evil",
    "filter.evil.required": "true",
    "hook.evil.event": "pre-commit",
    "core.untrackedCache": "true",
    "remote.origin.url": "ext::{trap}",
    "remote.origin.promisor": "true",
    "protocol.ext.allow": "always",
    "submodule.recurse": "true",
    "include.path": "extra/included",
    "includeIf.onbranch:milestone/**.path": "extra/on-branch",
    "includeIf.gitdir:**/worktrees/**.path": "extra/in-worktree",
}
ATTRIBUTES = """
*.py filter=evil diff=evil merge=evil
*.md filter=long diff=evil
*.txt filter=a=b
*.one filter=included
*.two filter=on-branch
*.three filter=in-worktree
"""


@dataclass(frozen=True)
class Traps:
    """Where programs that were started leave their names."""

    folder: Path

    @property
    def sprung(self) -> set[str]:
        """The names of all that ran."""
        return {path.name for path in (self.folder / "sprung").iterdir()}

    def command(self, name: str, then: str = "exec cat") -> str:
        """Return a program that tells its name and, mostly, hands its input on."""
        program = self.folder / f"trap-{len(list(self.folder.iterdir()))}"
        program.write_text(f'#!/bin/sh\n: >"{self.folder}/sprung/{name.replace("/", ":")}"\n{then}\n')
        program.chmod(0o755)
        return str(program)


def made(sandbox: Sandbox) -> Traps:
    """Return traps of which none is set."""
    traps = Traps(sandbox.root.parent / "traps")
    (traps.folder / "sprung").mkdir(parents=True)
    return traps


def lay(sandbox: Sandbox) -> Traps:
    """Set every trap in a repository, beginning with files that its attributes name."""
    files = dict.fromkeys(("x.txt", "x.one", "x.two", "x.three"), "x\n")
    sandbox.commit({".gitattributes": ATTRIBUTES, **files})
    traps = made(sandbox)
    for hook in HOOKS:
        path = sandbox.root / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n: >{traps.folder}/sprung/{hook}\n")
        path.chmod(0o755)
    settings = {name: traps.command(name) for name in COMMANDS}
    settings |= {f"alias.{name}": f"!{traps.command(f'alias {name}')}" for name in ALIASES}
    settings |= {name: value.format(trap=traps.command("remote", "exit 1")) for name, value in OTHERS.items()}
    lines = [_setting(name, value) for name, value in settings.items()]
    with (sandbox.root / ".git" / "config").open("a") as config:
        config.writelines(lines)
    for name in ("included", "on-branch", "in-worktree"):
        text = "".join(_setting(f"filter.{name}.{what}", traps.command(name)) for what in ("clean", "smudge"))
        sandbox.write({f".git/extra/{name}": text})
    return traps


def _setting(name: str, value: str) -> str:
    section, _, rest = name.partition(".")
    middle, _, key = rest.rpartition(".")
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'[{section} "{middle}"]\n\t{key} = "{quoted}"\n' if middle else f'[{section}]\n\t{key} = "{quoted}"\n'


def decoy(sandbox: Sandbox, traps: Traps) -> Sandbox:
    """Return another repository that everything in the environment points to; its own programs are traps, too."""
    other = Sandbox(sandbox.root.parent / "decoy", sandbox.home)
    other.root.mkdir()
    other.git("init", "--quiet")
    other.commit({"decoy": "x"})
    trap, git = traps.command("environment"), str(other.root / ".git")
    (traps.folder / "exec").mkdir()
    for name in ("git-merge", "git-status", "git-commit", "git-ls-files", "git-reset"):
        (traps.folder / "exec" / name).symlink_to(trap)
    (traps.folder / "config").write_text(f"[core]\n\tfsmonitor = {trap}\n[user]\n\tname = Decoy\n\temail = d@x\n")
    programs = ("GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_EDITOR", "GIT_PAGER", "GIT_ASKPASS", "EDITOR", "PAGER")
    sandbox.more = dict.fromkeys((*programs, "GIT_PROXY_COMMAND", "VISUAL", "GIT_SEQUENCE_EDITOR", "SSH_ASKPASS"), trap)
    sandbox.more |= {
        "GIT_DIR": git,
        "GIT_COMMON_DIR": git,
        "GIT_WORK_TREE": str(other.root),
        "GIT_INDEX_FILE": f"{git}/index",
        "GIT_OBJECT_DIRECTORY": f"{git}/objects",
        "GIT_NAMESPACE": "decoy",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": trap,
        "GIT_CONFIG_KEY_1": "core.worktree",
        "GIT_CONFIG_VALUE_1": str(other.root),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={trap}'",
        "GIT_CONFIG_GLOBAL": str(traps.folder / "config"),
        "GIT_CONFIG_SYSTEM": str(traps.folder / "config"),
        "GIT_EXEC_PATH": str(traps.folder / "exec"),
        "GIT_TRACE": str(traps.folder / "sprung" / "GIT_TRACE"),
        "GIT_AUTHOR_NAME": "Decoy",
        "GIT_COMMITTER_EMAIL": "decoy@x",
        "EMAIL": "decoy@x",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere",
        "GIT_CEILING_DIRECTORIES": "/",
        "GIT_LITERAL_PATHSPECS": "1",
        "LC_ALL": "de_DE.UTF-8",
        "LANGUAGE": "de",
    }
    return other
