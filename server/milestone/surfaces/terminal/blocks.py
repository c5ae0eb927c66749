"""A milestone's board as blocks of lines: where it stands, who works, what waits, what was spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from milestone.surfaces.terminal.lines import LABEL, Block, bar, columns, command, counted, ends, line, state
from milestone.surfaces.terminal.paper import Marks
from milestone.surfaces.terminal.words import ago, amount, clock, lease, many, since, visible

if TYPE_CHECKING:
    from rich.text import Text

Board = Mapping[str, Any]
_HELD = {"paused": "PAUSED", "stopped": "STOPPED"}
_PHASE, _PERCENT, _APPROVAL = 8, 6, 22
_APPROVALS = {
    "needed": ("needs approval", "dim"),
    "waiting": ("waits for approval", "bold magenta"),
    "approved": ("approved", "green"),
    "rejected": ("rejected", "bold red"),
}
_ASKED = {"failed": "failed", "salvage": "left files", "budget": "used up its budget"}
_AT_WORK = ("claimed", "in_review")
_WIDE, _WIDER = 90, 110  # columns from which on the role of a task is shown, and the word for a weight
_LATE = 60  # seconds left of a lease below which it is shown in colour


def head(board: Board, marks: Marks, width: int) -> list[Text]:
    """Return the name, the bar of the whole and what is known of pace and time left."""
    progress = board["progress"]
    planning = board["mode"] == "planning"
    counts = board["tasks"]["counts"]
    done, total = progress["tasks_completed"], progress["tasks_total"]
    if planning:
        done, total = counts.get("completed", 0), sum(counts.values())
    share = 100 * done / total if planning and total else 0.0 if planning else float(progress["percentage"])
    mode = "" if board["status"] == board["mode"] else f"{board['mode']} {marks.dot} "
    name = line((f"{marks.head} ", "bold cyan"), (visible(board["name"]), "bold"))
    first = ends(name, line((f"{mode}{visible(board['status']).replace('_', ' ')}", "cyan")), width)
    said = f"{share:5.1f} %  {done} of {many(total, 'task')}"
    whole = line("  ", bar(share, max(width - len(said) - 4, 10), marks), "  ", (said, "bold"))
    lines = [first, whole, line("  ", (f"{visible(board['milestone_id'])}{_pace(progress, planning, marks)}", "dim"))]
    held = board["held_back"] or _HELD.get(board["steering"], "")
    return [*lines, line("  ", (f"{marks.blocked} {visible(held)}", "bold yellow"))] if held else lines


def phases(board: Board, marks: Marks, width: int) -> Block:
    """Return a line for each phase; the length of its bar is its weight. A planning has none yet."""
    known: Sequence[Mapping[str, Any]] = board["progress"]["phases"] if board["mode"] != "planning" else ()
    heaviest = max((one["weight"] for one in known), default=1) or 1
    longest = min(max(width // 4, 12), 40)
    lines: list[Text] = []
    for one in known:
        length = max(round(longest * one["weight"] / heaviest), 1)
        style = "green" if one["status"] == "completed" else "yellow"
        drawn = line(bar(one["percentage"], length, marks, style), " " * (longest - length))
        weight = f"{'weight' if width >= _WIDER else ''}{one['weight']:>3g}  "
        share = (f"  {one['percentage']:5.1f} %  ", style if one["percentage"] else "dim")
        words = counted(one["tasks"]) or "no tasks"
        left = line((f"  {visible(one['phase']):8}", "bold"), (weight, "dim"), drawn, share, words)
        lines.append(ends(left, line(_APPROVALS.get(one["approval"], "")), width))
    return Block("", lines, len(lines))


def waiting(board: Board, marks: Marks, width: int) -> Block:
    """Return what waits for a person, each with the commands that answer it."""
    asked = [_question(one, marks, width - LABEL) for one in board["waiting"]]
    label = f"you ({len(asked)})" if len(asked) > 1 else "you"
    least = len(asked[0]) if asked else 0  # the first question has its commands whole
    return Block(label, [text for one in asked for text in one], least, "bold magenta", counted=False)


def _question(one: Mapping[str, Any], marks: Marks, width: int) -> list[Text]:
    phase = one["kind"] == "approval"
    what = f"approve {one['phase']}?" if phase else f"{', '.join(one['tasks'])} {_ASKED.get(one['kind'], 'waits')}"
    why = "every task of it has ended" if phase else visible(one["why"])
    old = since(one["since"], datetime.now(UTC))
    left = line((f"{marks.blocked} {visible(what)}", "bold magenta"), f"  {why}")
    return [ends(left, line((f"for {old}" if old else "", "dim")), width), *_answers(one, width)]


def _answers(one: Mapping[str, Any], width: int) -> list[Text]:
    """Return the commands that answer a question; of those that differ in the decision alone the first, whole."""
    commands, choices = one["commands"], one["choices"]
    if one["kind"] == "approval":
        return [part for words in commands for part in command(words, width)]
    others = "; ".join(f"{visible(key)} ({visible(words).lower()})" for key, words in list(choices.items())[1:])
    first = [part for words in commands[:1] for part in command(words, width)]
    return [*first, line((f"  or --decision {others}", "dim"))] if others else first


def front(board: Board, marks: Marks, width: int) -> Block:
    """Return the tasks at the front of the graph: delivered, held, failed, blocked, ready."""
    tasks: Sequence[Mapping[str, Any]] = board["tasks"]["front"]
    room = width - LABEL
    name = min(max((len(one["task_id"]) for one in tasks), default=8), max(room // 4, 14))
    who = min(max((len(one["agent_type"]) for one in tasks), default=0), room // 3) if width >= _WIDE else 0
    lines: list[Text] = []
    for one in tasks:
        mark, word, style = state(one["status"], marks)
        rest = room - name - 13 - (who + 1 if who else 0)
        said = visible(one["why"] if one["why"] and one["status"] not in _AT_WORK else one["title"])
        cells = [(mark, 1, style), (one["task_id"], name, "bold"), (word, 9, style), (said, max(rest, 8), "")]
        lines.append(columns(*cells, *([(one["agent_type"], who, "dim")] if who else [])))
    counts = board["tasks"]["counts"]
    known = sum(counts.get(status, 0) for status in (*_AT_WORK, "failed", "blocked", "ready"))
    return Block("front", lines or [line(("nothing is ready", "dim"))], 2, left_out=max(known - len(tasks), 0))


def agents(board: Board, width: int, passed: float = 0.0) -> Block:
    """Return the agents that live, `passed` seconds after the board was made."""
    known: Sequence[Mapping[str, Any]] = board["agents"]
    room = width - LABEL
    kind = min(max((len(one["agent_type"]) for one in known), default=8), room * 2 // 5)
    task = min(max((len(one["task_id"]) for one in known), default=8), room // 4)
    lines = [_agent(one, kind, task, room - kind - task - 2, passed) for one in known]
    count = sum(board["agent_counts"].get(status, 0) for status in {one["status"] for one in known})
    ended = ", ".join(f"{n} {visible(name)}" for name, n in board["agent_counts"].items())
    nobody = line((f"none{f' ({ended})' if ended else ''}", "dim"))
    return Block("agents", lines or [nobody], min(max(len(lines), 1), 2), left_out=max(count - len(known), 0))


def _agent(one: Mapping[str, Any], kind: int, task: int, rest: int, passed: float) -> Text:
    left = None if one["lease_seconds"] is None else one["lease_seconds"] - passed
    silent = (one["silent_seconds"] or 0) + passed
    spent = [many(one["turns"], "turn")] if one["turns"] else []
    spent += [f"{amount(one['tokens'])} tokens"] if one["tokens"] else []
    said = [] if one["status"] == "active" else [visible(one["status"])]
    said += [ago((one["age_seconds"] or 0) + passed)]
    said += [f"lease {lease(left)}"] if left is not None else []
    said += [f"silent {ago(silent)}"] if silent >= _LATE else []
    style = "bold red" if left is not None and left < 0 else "yellow" if left is not None and left < _LATE else ""
    text = ", ".join([*said, *spent])
    return columns((one["agent_type"], kind, "bold"), (one["task_id"], task, ""), (text, max(rest, 8), style))


def facts(board: Board, marks: Marks, passed: float = 0.0) -> list[Block]:
    """Return messages, gates, what was spent and what was waived, a line or two each; nothing of what is not there."""
    said: list[tuple[str, Text]] = []
    late = board["messages"]
    if late["queued"]:
        to = ", ".join(visible(one) for one in late["recipients"])
        old = ago((late["oldest_seconds"] or 0) + passed)
        style = "yellow" if late["late"] else ""
        said.append(("messages", line((f"{late['queued']} not received", style), f", the oldest for {old}: {to}")))
    gates = _gates(board["gates"], marks)
    said += [("gates", gates)] if gates.plain else []
    spend = board["spend"]
    if spend["turns"] or spend["tokens"]:
        parts = [many(spend["turns"], "turn"), f"{spend['minutes']:,.0f} min"]
        parts += [f"{amount(spend['tokens'])} tokens"] if spend["tokens"] else []
        most = ", ".join(f"{visible(task)} {one['turns']}" for task, one in spend["most"].items())
        said.append(("spent", line(", ".join(parts), (f"; most turns: {most}" if most else "", "dim"))))
    blocks = [Block(label, [text], 1) for label, text in said]
    waived = [
        line((visible(one["task_id"]), "bold"), f" by {visible(one['by'])}: {visible(one['reason'])}")
        for one in board["waived"]
    ]
    return [*blocks, *([Block("waived", waived, 1)] if waived else [])]


def _gates(gates: Mapping[str, Any], marks: Marks) -> Text:
    text = line()
    if gates["none"]:
        return line(("none are configured: no test of the project proves anything", "yellow"))
    if gates["running"]:
        text.append(f"running for {', '.join(visible(one) for one in gates['running'])}  ", "yellow")
    for one in gates["last"]:
        good = one["outcome"] == "passed"
        mark = marks.completed if good else marks.failed
        text.append(f"{mark} {visible(one['task_id'])} {visible(one['outcome'])}  ", "green" if good else "bold red")
    return text


def log(events: Sequence[Mapping[str, Any]]) -> Block:
    """Return the newest events, the newest last."""
    lines = [line((f"{clock(one['at'])} ", "dim"), visible(one["text"])) for one in events]
    return Block("log", lines[::-1], 2, newest=True)


def _pace(progress: Mapping[str, Any], planning: bool, marks: Marks) -> str:  # noqa: FBT001 - one of two words
    if planning:
        return f" {marks.dot} the plan is being made"
    left = progress["eta_hours"]
    if not left:
        return f" {marks.dot} too few proven tasks to tell what is left"
    return f" {marks.dot} {visible(progress['velocity'])} {marks.dot} {left[0]:.1f} to {left[1]:.1f} h left"
