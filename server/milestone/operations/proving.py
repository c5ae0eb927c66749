"""Runs gates where they prove something: on the task's change as it would be on the milestone's branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Refusal
from milestone.domain.gates import Gate, GateResult, Limits
from milestone.operations import changes, merges
from milestone.operations.changes import GivenUp, Job
from milestone.operations.context import Outside
from milestone.operations.merges import Checked, Ready

if TYPE_CHECKING:
    from milestone.git.repository import Repository

TREE = "@gates"
_TRIES = 3
_TAIL = 600


@dataclass(frozen=True)
class Proof:
    """What gates said: passed, failed, conflict, not_found or cancelled; `merged` is the commit on the branch then."""

    status: str
    why: str = ""
    commit: str = ""
    results: Sequence[Mapping[str, Any]] = ()
    merged: Mapping[str, Any] = field(default_factory=dict[str, Any])


def prove(job: Job, gates: Sequence[Gate], limits: Limits, outside: Outside, *, trial: bool) -> Proof:
    """Run gates for a task: a trial in the folder its agent works in, else on the merged change, which then counts."""
    try:
        if trial or not (job.branch and job.writes):
            return _tried(job, gates, limits, outside, trial=trial)
        with job.proving(outside.cancelled):
            return _proven(job, gates, limits, outside)
    except GivenUp:
        return Proof("cancelled", "it was cancelled before it ended")
    except changes.RolledBack as why:
        return Proof("cancelled", str(why))
    except Refusal as refusal:
        return Proof("failed" if trial else "conflict", str(refusal))


def _tried(job: Job, gates: Sequence[Gate], limits: Limits, outside: Outside, *, trial: bool) -> Proof:
    """Run gates where nothing is merged: before a commit, or where there is no Git."""
    if not job.branch:
        folder = Path(job.path)
    elif trial:
        folder = job.tree if job.writes else Path(changes.worktree(job).path)
    else:
        repository = job.open()
        folder = _checked_out(repository, job, repository.tip(job.branch))
    if not folder.is_dir():
        return Proof("failed", "there is no folder to run them in: git_milestone(action='worktree') first")
    return _judged(_run(gates, folder, job, limits, outside))


def _proven(job: Job, gates: Sequence[Gate], limits: Limits, outside: Outside) -> Proof:
    """Check the merged change out, run the gates on it, and move the milestone's branch if all of them pass."""
    repository = job.open()
    for _ in range(_TRIES):
        ready = merges.ready(repository, job)
        if isinstance(ready, Checked) and not ready.merged:
            return Proof("conflict" if ready.conflict else "failed", ready.lacking)
        commit = ready.commit if isinstance(ready, Ready) else str(ready.merged["commit"])
        folder = _checked_out(repository, job, commit)
        results = _run(gates, folder, job, limits, outside)
        proof = _judged(results, commit)
        if proof.status != "passed":
            return proof
        if isinstance(ready, Checked):
            return Proof("passed", "", commit, proof.results, ready.merged)
        with job.merging():
            moved = merges.advance(repository, job, ready)
        if moved:
            return Proof("passed", "", commit, proof.results, merges.on_branch(repository, job, commit))
    return Proof("cancelled", f"branch {job.branch} moved meanwhile, again and again")


def _checked_out(repository: Repository, job: Job, commit: str) -> Path:
    """Return the gates' own folder, which holds exactly a commit, and whatever of it is ignored by Git."""
    from milestone.git.worktrees import checkout_at

    folder = job.world.worktrees / job.milestone_id / TREE
    checkout_at(repository, folder, commit)
    return folder


def _run(gates: Sequence[Gate], folder: Path, job: Job, limits: Limits, outside: Outside) -> list[GateResult]:
    results: list[GateResult] = []
    for number, gate in enumerate(gates, 1):
        outside.tell(f"gate {number} of {len(gates)}: {gate.name}")
        result = _ran(gate, folder, job, limits, outside)
        results.append(result)
        if result.outcome in ("cancelled", "not_found"):
            break
    return results


def _ran(gate: Gate, folder: Path, job: Job, limits: Limits, outside: Outside) -> GateResult:
    """Return what came of one gate, run in one of the places that the project's gates share."""
    from milestone.gates.runner import run_gate
    from milestone.gates.slots import Cancelled, slot

    places, tell, cancelled = job.world.data / "gates", outside.tell, outside.cancelled
    try:
        with slot(places, limits.gates_at_once, progress=tell, cancelled=cancelled) as mark:
            return run_gate(
                gate,
                folder,
                environ=job.world.environ,
                limits=limits.gate,
                progress=tell,
                cancelled=cancelled,
                mark=mark,
            )
    except Cancelled:
        raise GivenUp from None


def _judged(results: Sequence[GateResult], commit: str = "") -> Proof:
    plain = [result.plain() for result in results]
    failed = [result for result in results if not result.passed]
    if not failed:
        return Proof("passed", "", commit, plain)
    outcomes = {result.outcome for result in failed}
    status = next((word for word in ("cancelled", "not_found") if word in outcomes), "failed")
    return Proof(status, "; ".join(_why(result) for result in failed), commit, plain)


def _why(result: GateResult) -> str:
    said = result.output.strip()
    tail = said if len(said) <= _TAIL else "…" + said[-_TAIL:]
    how = f"exited with {result.exit_code}" if result.outcome == "failed" else f"ended with {result.outcome}"
    return f"gate {result.gate!r} {how}: {tail}"
