"""A usage limit inside the real Claude Code: nothing starts before its end, and after it nothing is missing."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from .actors import KEYS, Coordinator, cast, honest, started
from .claude import Ended, Host
from .conversation import Block, Request
from .deliveries import VALUES
from .ledger import Ledger
from .scripted_model import Actor, Limit, ScriptedModel
from .test_planning import COMMAND

HOUR = 3_600
SUBSCRIPTION = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-made-up"}
TOGETHER = ("scope", "research", "dependencies")


class Account:
    """The account of everybody here: while its limit is reached, nobody gets an answer."""

    def __init__(self, limit: Callable[[int], Limit]) -> None:
        self.end = 0
        self._limit = limit

    def reach(self) -> None:
        """Reach the limit; it ends in two hours."""
        self.end = int(time.time()) + 2 * HOUR

    def reset(self) -> None:
        """Let everybody work again."""
        self.end = 0

    def of(self, actor: Actor, when: Callable[[Request], bool] = lambda _: False) -> Actor:
        """Return the actor, made to use the limit up where `when` says so, once."""
        reached: list[Request] = []

        def act(request: Request) -> Sequence[Block]:
            if not reached and when(request):
                reached.append(request)
                self.reach()
            if self.end:
                raise self._limit(self.end)
            return actor(request)

        return act


def in_words(end: int) -> Limit:
    """Return the limit as an older service tells its end: in the message."""
    return Limit(f"Claude AI usage limit reached|{end}")


def in_headers(end: int) -> Limit:
    """Return the limit as the service tells a subscription its end: the host shows it in its own words."""
    prefix = "anthropic_ratelimit_unified_"
    fields = {"status": "rejected", "reset": str(end), "representative_claim": "five_hour"}
    return Limit("Error", **{prefix + name: value for name, value in fields.items()})


def play(model: ScriptedModel, account: Account, **agents: Actor) -> None:
    """Let everybody live on one account."""
    coordinator = agents.pop("coordinator", account.of(Coordinator()))
    cast(model, coordinator, **{**{task: account.of(honest) for task in KEYS}, **agents})


def parked(ledger: Ledger) -> tuple[str, str]:
    """Return until when the milestone is parked, and why."""
    ((until, why),) = ledger.rows("SELECT parked_until, parked_why FROM milestones")
    return str(until), str(why)


def counted(ledger: Ledger) -> Mapping[str, int]:
    """Return how many failures each task has."""
    return dict(ledger.rows("SELECT task_id, failures FROM tasks"))  # type: ignore[arg-type]  # two columns


def must_be_whole(run: Ended, ledger: Ledger) -> None:
    """Check in the database that every task was done, with nothing missing."""
    assert (run.code, run.denied) == (0, []), run.output[-3000:] + run.errors[-2000:]
    assert ledger.tasks() == dict.fromkeys(KEYS, "completed")
    saved = ledger.values()
    assert {key: saved.get(key) for key in VALUES} == VALUES


def let_time_pass(ledger: Ledger) -> None:
    """Put the end of the limit into the past, as it will be in two hours."""
    path = ledger.project / ".git" / "milestone" / "milestone.db"
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection, connection:
        connection.execute("UPDATE milestones SET parked_clock = 1, parked_until = '2020-01-01T00:00:00.000Z'")


def utc(moment: float) -> str:
    """Return a time as the database has it, to the minute."""
    return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(moment))


def test_the_coordinator_meets_the_limit_and_a_later_session_goes_on_after_its_end(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """The first run breaks off while agents are at work, the second comes too early, the third ends the planning."""
    # Planted bug that fails it: the end of the limit is not read.
    account = Account(in_words)
    launched = lambda request: any(result.tool == "Agent" for result in request.fresh)  # noqa: E731
    play(model, account, coordinator=account.of(Coordinator(), launched))
    first = host.prompt(COMMAND)
    assert "usage limit reached" in first.answer
    until, why = parked(ledger)
    assert until[:16] == utc(account.end)
    assert "usage limit" in why

    begun = started(model)
    account.reset()
    second = host.prompt(COMMAND)
    assert second.code == 0, second.output[-2000:]
    (action,) = model.asked("coordinator")[-1].of("next_actions")[-1].json["actions"]
    assert action["kind"] == "retry_at"
    assert HOUR < action["seconds"] <= 2 * HOUR
    assert started(model) == begun, "somebody was started before the limit ended"

    let_time_pass(ledger)
    must_be_whole(host.prompt(COMMAND), ledger)
    assert set(counted(ledger).values()) == {0}
    assert all(1 <= times <= 2 for times in started(model).values())
    assert all(started(model)[task] == 1 for task in set(KEYS) - set(TOGETHER))


def test_an_agent_meets_the_limit_of_a_subscription_and_nobody_is_started_before_its_end(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """The host knows the end from headers and says it in its own words, to the minute."""
    # Planted bugs that fail it: the shown minute is taken for its beginning; the limit counts as a failure of the task.
    account = Account(in_headers)
    play(model, account, dependencies=account.of(honest, lambda request: bool(request.turn)))
    plan = replace(host, extra=SUBSCRIPTION)
    plan.prompt(COMMAND)
    until, _ = parked(ledger)
    assert utc(account.end) < until[:16] <= utc(account.end + 60)
    assert ledger.tasks()["dependencies"] in ("ready", "pending")

    begun = started(model)
    account.reset()
    assert plan.prompt(COMMAND).code == 0
    assert started(model) == begun
    let_time_pass(ledger)
    must_be_whole(plan.prompt(COMMAND), ledger)
    assert counted(ledger)["dependencies"] == 0
