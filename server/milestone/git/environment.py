"""What git is started with: the little it needs of the person's environment, and settings of ours on top."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

MARK = "MILESTONE_GIT"
_KEPT = ("HOME", "LOGNAME", "TMPDIR", "USER", "XDG_CONFIG_HOME")
_OWN = {
    "LC_ALL": "C",  # its messages are read
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_EDITOR": ":",  # git knows this word and starts nothing
    "GIT_SEQUENCE_EDITOR": ":",
    "GIT_PAGER": "cat",
    "GIT_MERGE_AUTOEDIT": "no",
    "GIT_ALLOW_PROTOCOL": "none",  # no transport at all: nothing is pushed, nor fetched behind anybody's back
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit is what its id says
    MARK: "1",  # by this a git of ours is told from a person's
}
_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.editor=:",
    "core.askPass=",
    "core.sshCommand=false",
    "core.quotePath=false",
    "submodule.recurse=false",
    "diff.ignoreSubmodules=dirty",  # looking into one starts a git there
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "log.showSignature=false",
    "merge.verifySignatures=false",
    "merge.autoStash=false",  # nobody's stash is touched
    "merge.conflictStyle=merge",
    "merge.stat=false",
    "rerere.enabled=false",
    "branch.autoSetupMerge=false",
    "checkout.guess=false",
    "push.default=nothing",
    "color.ui=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
)
OPTIONS = ("--no-pager", *(part for setting in _SETTINGS for part in ("-c", setting)))


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for git: nothing that leads it to another repository, index or program.

    >>> made = clean({"PATH": "/usr/bin:.:bin", "GIT_DIR": "/decoy", "HOME": "/somewhere"})
    >>> made["PATH"], made["HOME"], "GIT_DIR" in made
    ('/usr/bin', '/somewhere', False)
    """
    kept = {name: value for name, value in environ.items() if name in _KEPT or name.startswith("SSL_CERT_")}
    # A relative folder on PATH would be looked for in the repository.
    folders = [one for one in environ.get("PATH", "").split(":") if PurePath(one).is_absolute()]
    return {**kept, "PATH": ":".join(folders) or "/usr/local/bin:/usr/bin:/bin", **_OWN}
