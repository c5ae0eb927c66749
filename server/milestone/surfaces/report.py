"""The command that writes a milestone as one page for a pull request, a review or the printer."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from milestone import __version__
from milestone.domain.errors import Missing
from milestone.wiring import Application

if TYPE_CHECKING:
    from milestone.operations.context import Context

_TEMPLATES = Path(__file__).parent / "templates"
_TASKS, _PROOFS, _RUNS, _MESSAGES, _NODES, _ATTEMPTS = 1_000, 1_000, 40, 40, 150, 60
_CHARTS = ("phases", "burnup", "timeline", "graph")
_BAD = ("failed", "error", "timeout", "lost")


@click.command("report")
@click.argument("milestone_id", metavar="[MILESTONE]", default="")
@click.option("--output", default="", help="The file; '-' is the standard output. By default it is named here.")
@click.option("--json", "as_json", is_flag=True, help="What the page says, as one line of JSON.")
@click.pass_obj
def report_command(application: Application, *, milestone_id: str, output: str, as_json: bool) -> None:
    """Write MILESTONE, by default the newest that goes on, as one HTML page that needs no other file and no network."""
    facts = told(application, milestone_id)
    if as_json and not output:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    text = json.dumps(facts, ensure_ascii=False) + "\n" if as_json else page(facts)
    if output == "-":
        sys.stdout.write(text)
        return
    file = Path(output or f"report-{facts['milestone']['milestone_id']}.html")
    file.write_text(text, "utf-8")
    click.echo(f"Written to {file}")


def told(application: Application, milestone_id: str = "") -> dict[str, Any]:
    """Return what a report says of a milestone.

    Raises:
        Missing: there is none, or none of that id.
    """
    from milestone.surfaces.looking import look

    facts = look(application, lambda ctx: _gathered(ctx, milestone_id))
    if facts is None:
        wanted = f"There is no milestone {milestone_id!r}" if milestone_id else "This project has no milestone yet"
        raise Missing(wanted, remedy="milestone status shows those there are; /milestone:plan begins one.")
    return facts


def page(facts: Mapping[str, Any]) -> str:
    """Return the report as one HTML page: no scripts, nothing from outside, whatever agents wrote escaped."""
    from jinja2 import FileSystemLoader
    from markupsafe import Markup

    from milestone.surfaces import charts
    from milestone.surfaces.web.showing import environment

    made: Any = environment().overlay(loader=FileSystemLoader(_TEMPLATES))
    made.filters["said"] = _said
    drawn = _drawn(facts) if charts.available() else {}
    style = (_TEMPLATES / "report.css").read_text("utf-8") + (charts.theme() if drawn else "")
    pictures = {name: [Markup(one) for one in both] for name, both in drawn.items()}  # noqa: S704 - charts escape
    given = {"charts": pictures, "style": Markup(style), "bad": _BAD, "version": __version__}  # noqa: S704 - our own file
    text: str = made.get_template("report.html").render(**facts, **given)
    return text


def _gathered(ctx: Context, milestone_id: str) -> dict[str, Any] | None:
    from milestone.operations.views import board, records, time, work

    row = board.find(ctx, milestone_id)
    whole = ctx.store.milestones.get(row["milestone_id"]) if row else None
    if row is None or whole is None:
        return None
    sections = whole["sections"]
    return {
        "written_at": ctx.at,
        "milestone": {name: row[name] for name in ("milestone_id", "name", "description", "status", "created_at")},
        "objectives": sections["objectives"],
        "scope": sections["scope"],
        "risks": sections["risks"],
        "board": board.board(ctx, row),
        "branches": _branches(ctx, row["milestone_id"]),
        "burnup": time.burnup(ctx, row),
        "timeline": time.timeline(ctx, row, _ATTEMPTS),
        "graph": work.graph(ctx, row, _NODES),
        "tasks": work.tasks(ctx, row, 0, _TASKS),
        "decisions": records.decisions(ctx, row),
        "evidence": records.evidence(ctx, row, 0, _PROOFS),
        "gate_runs": records.gate_runs(ctx, row, 0, _RUNS),
        "approvals": records.approvals(ctx, row),
        "messages": records.messages(ctx, row, 0, _MESSAGES),
    }


def _said(payload: str) -> str:
    """Return a message as people read it: its text where it is nothing else."""
    try:
        value: Any = json.loads(payload)
    except ValueError:  # it was cut
        return payload
    known: dict[str, Any] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return str(known["text"]) if list(known) == ["text"] else payload


def _branches(ctx: Context, milestone_id: str) -> Sequence[Mapping[str, Any]]:
    fields = ("name", "branch", "base_commit", "pr_url", "gates_from")
    return [
        {**{name: one[name] for name in fields}, "gates": [gate["name"] for gate in one["gates"]]}
        for one in ctx.store.evidence.repositories(milestone_id)
    ]


def _drawn(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return each chart for wide paper and for a phone, in colours that the page's theme decides."""
    from milestone.surfaces import charts

    views: Mapping[str, Any] = {**{name: facts.get(name) for name in _CHARTS}, "phases": facts["board"]["progress"]}
    draw: Mapping[str, Callable[..., str]] = {
        "phases": charts.phases,
        "burnup": charts.burnup,
        "timeline": partial(charts.timeline, whole=True),
        "graph": partial(charts.graph, whole=True),
    }
    return {
        name: [charts.themed(draw[name](views[name], narrow=narrow)) for narrow in (False, True)] for name in _CHARTS
    }
