"""Where a milestone is carried out: several repositories, each with a branch of its own, and a folder without Git."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.helpers.execution import FILES, git, lean, make_repository, task
from tests.helpers.following import until
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess, Worker, planned
from tests.helpers.wire import Wire

REPOSITORIES = "repositories:\n  - {name: lib, path: lib}\n  - {name: site, path: ../%s}\n"
LIB_GATE = "gates:\n  - {name: lib-check, run: [test, -f, lib.py]}\n"
APP = task("build-app", "execute", paths=("app/",))
LIB = task("build-lib", "execute", paths=("lib.py", "docs/"), repository="lib")
SITE = task("spec-site", "spec", paths=("docs/",), repository="site")


@pytest.fixture
def several(new_repository: Callable[..., Project], connect: Callable[..., Wire], tmp_path: Path) -> Execution:
    """A milestone in three repositories: the project's, one within it and one beside it."""
    site = tmp_path.name
    project = new_repository(files={**lean(), ".gitignore": "lib/\n"})
    (project.mirror / "config" / "repositories.yaml").write_text(REPOSITORIES % f"site-{site}", "utf-8")
    make_repository(project.folder / "lib", {"lib.py": "", ".milestones/config/gates.yaml": LIB_GATE})
    make_repository(project.folder.parent / f"site-{site}", {"index.md": "# Site\n"})
    return Execution.begin(connect(project), APP, LIB, SITE)


def test_each_repository_has_its_own_branch_gates_and_commits_and_is_listed(several: Execution) -> None:
    """Planted and found: a job that opens the project's repository for every task."""
    lib, run = several.project.folder / "lib", several
    assert [(one["name"], one["branch"]) for one in run.state("execution-state")["repositories"]] == [
        ("", run.branch),
        ("lib", run.branch),
        ("site", run.branch),
    ]
    assert any("no gates are configured" in one for one in run.begun["warnings"])
    before = run.git("rev-parse", run.branch)
    worker = run.worker("build-lib").begin()
    assert (worker.folder / "lib.py").is_file()
    assert not (worker.folder / "app").exists()
    worker.write("lib.py")
    worker.commit()
    worker.save()
    worker.complete()
    assert [one["gate"] for one in run.gates("build-lib")["gates"]] == ["lib-check"]
    proof = run.proof("build-lib")
    assert run.git("rev-parse", run.branch, folder=lib) == proof["commit"]["commit"]
    assert run.git("rev-parse", run.branch) == before
    url = "https://git.example/lib/1"
    run.call("git_milestone", action="pr", task_id="lib", url=url)
    told = {one["name"]: one for one in run.call("git_milestone", action="status")["repositories"]}
    assert [(told[name]["files"], told[name]["pr_url"]) for name in ("", "lib", "site")] == [(0, ""), (1, url), (1, "")]
    shown = run.finish()
    assert shown["branches"] == [f"{name}: {run.branch}" for name in ("this repository", "lib", "site")]
    ended = run.project.mirror / "completed" / f"{run.milestone_id}.yaml"
    until(ended.exists)
    listed = yaml.safe_load(ended.read_text("utf-8"))["git"]["repositories"]
    assert [(one["name"], one["pr_url"]) for one in listed] == [("lib", url), ("site", "")]
    site = run.project.folder / next(one["path"] for one in listed if one["name"] == "site")
    assert run.git("log", "--format=%s", f"main..{run.branch}", folder=site) == "docs(spec): carry out spec-site"
    for folder in (run.project.folder, lib, site):
        assert git(folder, "worktree", "list", "--porcelain").count("worktree ") == 1
        assert git(folder, "branch", "--show-current") == "main"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Project]:
    """A project that lies outside of Git, with a gate."""
    for name, text in lean().items():
        (tmp_path / "place" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "place" / name).write_text(text, "utf-8")
    project = Project(tmp_path / "place")
    yield project
    project.close()


def test_outside_of_git_nobody_owes_a_commit_and_gates_run_in_the_folder(
    bare: Project, connect: Callable[..., Wire]
) -> None:
    run = Execution.begin(connect(bare), APP, task("decide", "design", paths=("docs/",)))
    assert run.begun["branch"] == ""
    assert "the project lies outside of Git: no commit can prove anything" in run.begun["warnings"][0]
    assert (run.task("decide")["proof"], run.task("build-app")["proof"]) == ((), ("gates", "review"))
    worker = run.worker("build-app").begin()
    assert worker.folder == bare.folder
    assert "owes no commit" in worker.refused("git_milestone", action="commit", summary="x")
    worker.write("app/new.py", "BROKEN = 1\n")
    worker.save()
    assert worker.complete()["status"] == "in_review"
    run.gates("build-app", "failed")
    again = Worker(run.agents, run.to("build-app")).begin()
    again.write("app/new.py")
    again.save()
    again.complete()
    run.gates("build-app")
    assert "has no branch: the project lies outside of Git" in run.refusal(
        "git_milestone", action="diff", task_id="build-app"
    )
    assert run.finish()["progress"]["overall"] == 100
    assert not (bare.folder / ".git").exists()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("name: lib", "repositories.yaml, line 2"),
        ("name: lib, path: /etc", "line 2: path is '/etc'"),
        ("name: other, path: .milestones/x", "no repository may lie in"),
        ("name: other, path: own", "the repository lib, which repositories.yaml does not list"),
        ("name: lib, path: missing", "lib: there is no other repository whose top is"),
        ("name: lib, path: app", "lib: there is no other repository whose top is"),
    ],
)
def test_a_repository_that_cannot_be_used_keeps_the_milestone_from_beginning(
    waiting: tuple[InProcess, str], entry: str, told: str
) -> None:
    door, milestone_id = waiting
    config = door.project.mirror / "config" / "repositories.yaml"
    config.write_text(f"repositories:\n  - {{{entry}}}\n", "utf-8")
    assert told in door.refusal("initialize_agent_coordination", milestone_id=milestone_id, mode="execution")


@pytest.fixture(scope="module")
def waiting(new_repository: Callable[..., Project]) -> tuple[InProcess, str]:
    """A planned milestone with a task in a repository `lib`, in a project that has none yet."""
    project = new_repository(files=FILES)
    make_repository(project.folder / "own", {"file": ""})
    door = InProcess(project)
    return door, planned(door, task("build", "execute", paths=("x",), repository="lib"))
