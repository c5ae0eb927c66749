"""The stand-ins that carry a plan out: they save what follows by rule, commit notes, and judge each other's changes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milestone.surfaces.rehearse import notes, results
from milestone.surfaces.rehearse.host import Action, Stopped, Tools
from milestone.surfaces.rehearse.listing import shown
from milestone.surfaces.rehearse.orders import Order, order
from milestone.surfaces.rehearse.standins import NoIdentity

if TYPE_CHECKING:
    from milestone.surfaces.rehearse.results import Facts
    from milestone.surfaces.rehearse.screen import Screen

_LINES, _SAID = 3, 240
_TELL = 10.0  # seconds


class Executors:
    """The stand-ins of an execution, at work. The first attempt of task `flawed` is made for a gate to refuse."""

    def __init__(self, tools: Tools, facts: Facts, screen: Screen, milestone_id: str, flawed: str = "") -> None:
        self._tools, self._facts, self._screen = tools, facts, screen
        self._milestone_id, self._flawed = milestone_id, flawed
        self._in_flaw: set[str] = set()
        self._begun: set[str] = set()
        self.gates: Counter[str] = Counter()

    def begin(self, spawns: list[Action]) -> None:
        """Say which tasks are begun."""
        names = [str(one["task_id"]) for one in spawns]
        said = [f"{name} again" if name in self._begun else name for name in names]
        self._begun.update(names)
        self._screen.say("coordinator", "starts", ", ".join(said))

    async def play(self, spawn: Action) -> None:
        """Do one task as an agent would: show the token, load, work, save, complete."""
        try:
            given = order(str(spawn["brief"]), str(spawn["agent_type"]).rpartition(":")[2])
        except NoIdentity as reason:
            raise Stopped(str(reason)) from reason
        await self._tools.call("update_agent_status", status="active", **given.own)
        for key, author in given.loads:
            await self._tools.load(key, self._milestone_id, author)
        said = await self._work(given)
        await self._tools.call("complete_task", task_id=given.who.task_id, **given.own)
        self._screen.say(given.name, *said)

    async def obey(self, action: Action) -> None:
        """Run the gates of a task, or complete a phase."""
        if action["kind"] == "run_gates":
            await self._run_gates(str(action["task_id"]))
            return
        done = await self._tools.call("transition_phase", phase=action["phase"], milestone_id=self._milestone_id)
        share = f"{done['progress']['overall']:g} % of the milestone is proven"
        self._screen.say("phase", "completed", f"{action['phase']}: {share}")

    async def _work(self, given: Order) -> tuple[str, ...]:
        """Save everything that a task asks for, and return what to say of it."""
        if given.keys == ("review",):
            return await self._review(given)
        if given.commits:
            return await self._commit(given)
        for key in given.keys:
            await self._save(given, key, await self._value(given, key))
        return "finished", f"{given.who.task_id}: {', '.join(given.keys)}"

    async def _save(self, given: Order, key: str, value: Any) -> None:
        await self._tools.call("save_agent_state", key=key, value=value.model_dump(), **given.own)

    async def _value(self, given: Order, key: str) -> Any:
        if key == "task-report":
            return self._report(given, self._note(given, f"{given.who.task_id}.md"), committed=False)
        status = await self._tools.call("git_milestone", action="status", milestone_id=self._milestone_id)
        made = results.result(key, given, self._facts, status["repositories"])
        if made is None:
            raise Stopped(f"The playbook asks for the key {key}, which no stand-in can deliver.")
        return made

    def _note(self, given: Order, path: str) -> notes.Note:
        planned = notes.planned_task(self._facts.plan, given.who.task_id)
        if planned is not None:
            return notes.note_on(planned, self._facts.plan, path)
        return notes.note_of(given.title, results.listed_tests(path, self._facts), path)

    def _report(self, given: Order, note: notes.Note, *, committed: bool) -> Any:
        planned = notes.planned_task(self._facts.plan, given.who.task_id)
        served = [each for each in self._facts.plan.decisions if planned and each.id in planned.decisions]
        return notes.report_on(planned, note, committed=committed, served=served)

    async def _commit(self, given: Order) -> tuple[str, ...]:
        """Write the note of a task into its working tree and commit it."""
        task_id = given.who.task_id
        tree = await self._tools.call("git_milestone", action="worktree", **given.own)
        note = self._note(given, notes.note_path(tree["you_may_change"], task_id))
        flawed = task_id == self._flawed and not given.sent_back
        text = notes.with_blanks(note) if flawed else note.text
        changed = notes.write(Path(tree["path"]), note.path, text)
        if not changed and given.sent_back:
            raise Stopped(f"A stand-in cannot mend what was sent back: {task_id}.")
        if changed or tree.get("left_by_the_attempt_before"):
            summary = f"write {note.path.rpartition('/')[2]}"
            await self._tools.call("git_milestone", action="commit", kind="docs", summary=summary, **given.own)
        await self._save(given, "task-report", self._report(given, note, committed=True))
        if not flawed:
            return "mended" if given.sent_back else "committed", note.path
        self._in_flaw.add(task_id)
        why = "On purpose one of its lines ends in blanks: a gate has to refuse that, and the task to go back."
        return "committed", note.path, why

    async def _review(self, given: Order) -> tuple[str, ...]:
        """Read the whole difference of a task, and judge it by rule."""
        text, files = "", list[str]()
        while True:
            page = await self._tools.call(
                "git_milestone", action="diff", task_id=given.reviews, offset=len(text), **given.own
            )
            text, files = text + page["diff"], page["files"]
            if len(text) >= page["characters"] or not page["diff"]:
                break
        planned = notes.planned_task(self._facts.plan, given.reviews)
        review = notes.review_of(given.reviews, planned, files, text)
        await self._save(given, "review", review)
        if review.verdict == "approved":
            return "approved", f"{given.reviews}: {review.summary.partition(': ')[0]}"
        return "objected to", given.reviews, review.summary

    async def _run_gates(self, task_id: str) -> None:
        told_at = self._screen.seconds

        def tell(message: str) -> None:
            nonlocal told_at
            if self._screen.seconds - told_at >= _TELL:
                told_at = self._screen.seconds
                self._screen.say("gates", "go on", f"with {task_id}", message)

        found = await self._tools.call("run_gates", tell, task_id=task_id, milestone_id=self._milestone_id)
        ran = ", ".join(f"{one['gate']} {_ending(one)} in {one['seconds']:.1f} s" for one in found["gates"])
        if found["result"] in ("passed", "failed"):
            self.gates[found["result"]] += 1
        if found["result"] == "passed":
            self._screen.say("gates", "passed", task_id, ran)
            return
        if found["result"] in ("running", "cancelled", "not run"):
            return
        why = next((str(one["output"]) for one in found["gates"] if one["outcome"] != "passed"), found.get("why", ""))
        last = [shown(line, _SAID) for line in why.strip().splitlines()[-_LINES:]]
        self._screen.say("gates", "refused", task_id, ran, *last)
        if task_id not in self._in_flaw:
            raise Stopped(f"The gates refuse {task_id}, and a stand-in, which writes notes alone, cannot mend that.")
        self._in_flaw.discard(task_id)


def _ending(one: dict[str, Any]) -> str:
    return f"exit {one['exit_code']}" if one["exit_code"] is not None else str(one["outcome"])
