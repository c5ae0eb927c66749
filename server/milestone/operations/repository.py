"""Git for agents and coordinators: one door, and nothing in it that pushes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from milestone.domain.errors import Missing, NotYours, Refusal
from milestone.operations import changes, checkpoints, merges, shared, surveying, tracking
from milestone.operations.arguments import Key, Line, MaybeAgentId, MaybeMilestoneId, Offset, Token
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.registry import operation

Kind = Literal["", "feat", "fix", "docs", "test", "refactor", "perf", "build", "ci", "chore", "style", "revert"]
Action = Literal["status", "worktree", "commit", "diff", "preview", "merge", "pr"]
Summary = Annotated[str, Field(max_length=100, pattern=r"^[^\r\n]*$")]
Paths = Annotated[list[Line], Field(max_length=200)]
_USUAL = {"design": "docs", "spec": "docs", "task": "chore", "execute": "feat"}


@operation()
def git_milestone(
    ctx: Context,
    action: Action,
    agent_id: MaybeAgentId = "",
    task_id: Key | Literal[""] = "",
    milestone_id: MaybeMilestoneId = "",
    summary: Summary = "",
    kind: Kind = "",
    url: Line = "",
    remove: Paths | None = None,
    offset: Offset = 0,
    token: Token = "",
) -> Answer | Aside:
    """Git of a milestone. For an agent: worktree (your folder to work in), commit (summary, kind; remove deletes
    files), diff and preview of task_id (dry run of its merge). For the coordinator: status, merge, pr (note the url).
    Nothing is ever pushed.
    """
    if action in ("worktree", "commit"):
        task = _own_task(ctx, agent_id, token)
        return _worktree(ctx, task) if action == "worktree" else _commit(ctx, task, summary, kind, remove or [])
    row = shared.milestone(ctx, milestone_id, agent_id=agent_id)
    if action == "status":
        return _status(ctx, row)
    if action == "pr":
        return _note_pr(ctx, row, task_id, url)
    if not task_id:
        raise Refusal(f"Action {action!r} needs a task", remedy="Call again with task_id.")
    task = shared.task(ctx, row["milestone_id"], task_id)
    job = _in_git(ctx, task)
    if action == "diff":
        return Aside(lambda _: changes.diff(job, offset), lambda _, found: _shown(task_id, found))
    if action == "preview":
        return Aside(lambda _: merges.preview(job), lambda _, found: found | {"next": "Nothing was changed."})
    shared.coordinator_or_person(ctx, row["milestone_id"])
    return _merge(ctx, task, job)


def _own_task(ctx: Context, agent_id: str, token: str) -> dict[str, Any]:
    """Return the task of the agent that calls, in execution.

    Raises:
        NotYours: it holds none.
    """
    own = ctx.store.agents.of_caller(ctx.caller)
    agent_id = agent_id or (own.agent_id if own else "")
    if not agent_id:
        raise Refusal("agent_id is left out and the host does not say who calls", remedy="Call again with agent_id.")
    shared.writer(ctx, agent_id, token)
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim is None or claim["ended_at"]:
        raise NotYours(f"Agent {agent_id!r} holds no task", remedy="Tasks are handed out by next_actions.")
    return shared.task(ctx, claim["milestone_id"], claim["task_id"])


def _in_git(ctx: Context, task: Mapping[str, Any]) -> changes.Job:
    """Return what Git has to know of a task.

    Raises:
        Missing: the milestone has no branch.
    """
    job = changes.job(ctx, task)
    if job.branch:
        return job
    raise Missing(
        f"Task {task['task_id']!r} has no branch: the project lies outside of Git, or is not being executed",
        remedy=f"Work in {ctx.world.project}.",
    )


def _worktree(ctx: Context, task: Mapping[str, Any]) -> Answer | Aside:
    job = changes.job(ctx, task)
    if not job.branch:
        return {"path": str(ctx.world.project), "branch": "", "next": "Work there; there is no Git to commit to."}
    return Aside(lambda _: changes.worktree(job), lambda later, tree: _told(later, task, tree))


def _told(ctx: Context, task: Mapping[str, Any], tree: changes.Tree) -> Answer:
    detail = {"branch": tree.branch, "at": tree.commit}
    ctx.record("worktree_given", task["milestone_id"], subject=task["task_id"], detail=detail)
    answer: Answer = {"path": tree.path, "branch": tree.branch, "commit": tree.commit}
    if not tree.branch:
        return answer | {"next": "Read there; changes in it are not kept."}
    answer["you_may_change"] = list(task["paths"])
    if tree.changes:
        answer["left_by_the_attempt_before"] = list(tree.changes[:50])
    if tree.conflicts:
        answer["conflicts"] = list(tree.conflicts)
        answer["next"] = "The milestone's branch was merged in: resolve the marks in these files, then commit."
        return answer
    return answer | {"next": "Edit files there; then git_milestone(action='commit')."}


def _commit(ctx: Context, task: Mapping[str, Any], summary: str, kind: str, remove: list[str]) -> Aside:
    if "commit" not in task["proof"]:
        raise Refusal(
            f"Task {task['task_id']!r} owes no commit", remedy="Its result is what you save; then complete_task."
        )
    if not summary.strip():
        raise Refusal("A commit needs a summary of one line", remedy="Say in at most 100 characters what it does.")
    job = _in_git(ctx, task)
    kind = kind or _USUAL.get(task["phase"], "chore")
    return Aside(
        lambda _: changes.commit(job, kind, summary, remove), lambda later, made: _committed(later, task, made)
    )


def _committed(ctx: Context, task: Mapping[str, Any], made: str) -> Answer:
    ctx.record("committed", task["milestone_id"], subject=task["task_id"], detail={"commit": made})
    return {"task_id": task["task_id"], "commit": made, "next": "run_gates tries it; complete_task hands it in."}


def _shown(task_id: str, found: changes.Diff) -> Answer:
    answer: Answer = {"task_id": task_id, "files": list(found.files[:100]), "characters": found.characters}
    answer |= {"offset": found.offset, "diff": found.text}
    end = found.offset + len(found.text)
    more = f"git_milestone(action='diff', task_id={task_id!r}, offset={end}) shows more."
    return answer | {"next": more if end < found.characters else "That is all of it."}


def _merge(ctx: Context, task: Mapping[str, Any], job: changes.Job) -> Aside:
    waived = "waiver" in tracking.evidence(ctx, task)
    if not waived and ("gates" in task["proof"] or task["status"] not in ("in_review", "completed")):
        remedy = "run_gates merges it once they pass." if "gates" in task["proof"] else "complete_task merges it."
        raise Refusal(f"Task {task['task_id']!r} is merged with its proof, not before", remedy=remedy)
    merge = Aside(lambda _: merges.check(job, merge=True), lambda later, found: _merged(later, task, found))
    return checkpoints.before_merge(ctx, job, merge)


def _merged(ctx: Context, task: Mapping[str, Any], found: merges.Checked) -> Answer:
    task_id = task["task_id"]
    if found.merged:
        ctx.store.evidence.add(task["milestone_id"], task_id, "commit", "server", found.merged, ctx.at)
    return {"task_id": task_id, "merged": found.merged, "lacking": found.lacking, "next": "next_actions"}


def _note_pr(ctx: Context, row: Mapping[str, Any], name: str, url: str) -> Answer:
    shared.coordinator_or_person(ctx, row["milestone_id"])
    if not url.startswith(("https://", "http://")) or any(char.isspace() for char in url):
        raise Refusal(
            "url is no web address", allowed="https://…", remedy="Call again with the pull request's address."
        )
    names = [one["name"] for one in ctx.store.evidence.repositories(row["milestone_id"])]
    if name not in names:
        raise Missing(f"There is no repository {name!r}", allowed=f"task_id as repository name: {', '.join(names)}")
    ctx.store.evidence.set_pr_url(row["milestone_id"], name, url)
    ctx.record("pull_request_noted", row["milestone_id"], subject=name, detail={"url": url})
    return {"milestone_id": row["milestone_id"], "pr_url": url, "next": "Go on."}


def _status(ctx: Context, row: Mapping[str, Any]) -> Answer | Aside:
    world, rows = ctx.world, ctx.store.evidence.repositories(row["milestone_id"])
    return Aside(
        lambda _: surveying.survey(world, rows),
        lambda _, found: {"milestone_id": row["milestone_id"], "repositories": found, "next": "Nothing was changed."},
    )
