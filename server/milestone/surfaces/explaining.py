"""The command that shows what would follow from a failure, without anything having failed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import click

from milestone.domain.errors import Refusal
from milestone.domain.recovery import KINDS, Failure, FailureKind, Park, Policy, Retry, decide
from milestone.store.engine import Transaction, run
from milestone.wiring import Application

_WIDE, _UNDER = 78, " " * 16


@dataclass(frozen=True)
class Case:
    """What is known of the task: `failures` so far, and whether it could be rolled back."""

    failures: int = 0
    critical: bool = True
    checkpoint: str = ""
    rollbacks: int = 0


@click.command("explain-recovery")
@click.argument("task_id", default="")
@click.option("--milestone-id", default="", help="Milestone of the task; by default the newest that has one.")
@click.option("--kind", type=click.Choice(KINDS), multiple=True, help="Only this kind of failure.")
@click.option("--failures", type=click.IntRange(0, 100), help="How often the task has failed so far.")
@click.option("--critical/--no-critical", default=None, help="Whether the task is critical.")
@click.option("--checkpoint", help="The last checkpoint there is.")
@click.option("--gone", is_flag=True, help="The host session is known to have ended.")
@click.option("--reset", type=click.FloatRange(0), help="Seconds until the usage limit ends, where that is known.")
@click.option("--json", "as_json", is_flag=True, help="Answer as one line of JSON.")
@click.pass_obj
def explain_recovery(
    application: Application,
    *,
    task_id: str,
    milestone_id: str,
    kind: tuple[str, ...],
    failures: int | None,
    critical: bool | None,
    checkpoint: str | None,
    gone: bool,
    reset: float | None,
    as_json: bool,
) -> None:
    """Show what would be decided at each further failure of TASK_ID, or of any task; changes nothing."""
    from milestone.operations.recovering import policy

    rules = policy(application.limits())
    known = _known(application, task_id, milestone_id) if task_id else Case()
    case = Case(
        known.failures if failures is None else failures,
        known.critical if critical is None else critical,
        known.checkpoint if checkpoint is None else checkpoint,
        known.rollbacks,
    )
    wanted = cast("tuple[FailureKind, ...]", kind or KINDS)
    rows = [row for one in wanted for row in simulate(one, case, rules, gone=gone, reset=reset)]
    told = {"task_id": task_id, "failures": case.failures, "critical": case.critical, "checkpoint": case.checkpoint}
    click.echo(json.dumps({**told, "decisions": rows}) if as_json else _screen(told, rows, rules))


def simulate(
    kind: FailureKind, case: Case, rules: Policy, *, gone: bool = False, reset: float | None = None
) -> list[dict[str, Any]]:
    """Return what would be decided at each further failure of one kind, until something else than a wait is."""
    rows: list[dict[str, Any]] = []
    failures, rollbacks = case.failures, case.rollbacks
    while not rows or rows[-1]["decision"] in ("retry", "roll_back"):
        failures += 1
        failure = Failure(kind, "it failed", gone)
        least, most = (
            decide(
                failure,
                failures=failures,
                critical=case.critical,
                checkpoint=case.checkpoint,
                rollbacks=rollbacks,
                chance=chance,
                policy=rules,
                reset_seconds=reset,
            )
            for chance in (0.0, 1.0)
        )
        rollbacks += most.name == "roll_back"
        waits = [one.seconds for one in (least, most) if isinstance(one, Retry | Park)]
        rows.append({"kind": kind, "failure": failures, "decision": most.name, "seconds": waits, "why": most.why})
    return rows


def _known(application: Application, task_id: str, milestone_id: str) -> Case:
    """Return what the database holds of a task.

    Raises:
        Refusal: no milestone has it.
    """

    def look(transaction: Transaction) -> Case | None:
        store = application.store(transaction)
        names = [milestone_id] if milestone_id else [row["milestone_id"] for row in reversed(store.milestones.all())]
        for name in names:
            task = store.tasks.get(name, task_id)
            if task:
                last = store.state.last_checkpoint(name)
                checkpoint = last["checkpoint_id"] if last else ""
                return Case(task["failures"], bool(task["critical"]), checkpoint, task["rollbacks"])
        return None

    engine = application.engine()
    found = run(engine, look, write=False) if engine else None
    if found is None:
        raise Refusal(f"No milestone has a task {task_id!r}", remedy="milestone status shows the tasks there are.")
    return found


def _screen(told: Mapping[str, Any], rows: list[dict[str, Any]], rules: Policy) -> str:
    about = f"Task {told['task_id']}" if told["task_id"] else "A task"
    critical = "critical" if told["critical"] else "not critical"
    back = f"last checkpoint {told['checkpoint']}" if told["checkpoint"] else "no checkpoint"
    head = f"{about}, {critical}, failed {told['failures']} times so far, {back}; at most {rules.attempts} attempts."
    lines = [*textwrap.wrap(head, _WIDE), "", f"{'failure':13}{'no.':>3}  {'decision':10}{'wait in seconds':>17}"]
    for row in rows:
        lines += [_line(row), *textwrap.wrap(row["why"], _WIDE, initial_indent=_UNDER, subsequent_indent=_UNDER)]
    return "\n".join(lines)


def _line(row: Mapping[str, Any]) -> str:
    least, most = row["seconds"] or (0.0, 0.0)
    wait = "" if not row["seconds"] else f"{most:g}" if least == most else f"{least:g} to {most:g}"
    return f"{row['kind']:13}{row['failure']:>3}  {row['decision']:10}{wait:>17}".rstrip()
