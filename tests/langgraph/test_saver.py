"""What a saver keeps and gives back, beyond what the conformance suite asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT

from milestone.domain.errors import Refusal
from milestone.surfaces.langgraph import MilestoneSaver
from milestone.wiring import Application, read_settings
from tests.helpers.projects import Project
from tests.langgraph.samples import at, got, identity, kept, pending, put, values

MANY = 45


def test_another_process_reads_what_was_stored(open_saver: Callable[[], MilestoneSaver], thread: str) -> None:
    first = put(open_saver(), at(thread), changed={"text": "ä\0🎈", "raw": b"\0\xff", "none": None}, note="n")
    found = got(open_saver(), at(thread))
    assert found.checkpoint["channel_values"] == {"text": "ä\0🎈", "raw": b"\0\xff", "none": None}
    assert found.config == first
    assert found.metadata == {"source": "loop", "step": 0, "parents": {}, "note": "n"}


def test_a_channel_that_did_not_change_is_not_written_again(
    saver: MilestoneSaver, shared: Project, thread: str
) -> None:
    """The second checkpoint lies about the channels it does not call new, so that writing them would show."""
    many = {f"channel-{number}": f"value {number}" for number in range(MANY)}
    first = put(saver, at(thread), changed=many)
    versions = {**dict.fromkeys(many, 1), "channel-7": 2}
    second = put(saver, first, changed={"channel-7": "new"}, unchanged=dict.fromkeys(many, "?"), versions=versions)
    assert kept(shared, thread)["thread_values"] == MANY + 1
    assert values(saver, first) == many
    assert values(saver, second) == {**many, "channel-7": "new"}


def test_a_value_belongs_to_the_version_and_the_channel_that_it_was_stored_with(
    saver: MilestoneSaver, thread: str
) -> None:
    first = put(saver, at(thread), changed={"a": "a at 1", "b": "b at 1"})
    put(saver, first, changed={"a": "a at 2"}, versions={"a": 2, "b": 1})
    back = put(saver, first, versions={"a": 1, "b": 2})
    assert values(saver, back) == {"a": "a at 1"}


def test_where_a_caller_gives_two_values_one_version_the_newest_checkpoint_is_right(
    saver: MilestoneSaver, thread: str
) -> None:
    put(saver, at(thread), changed={"a": "old"})
    assert values(saver, put(saver, at(thread), changed={"a": "new"})) == {"a": "new"}


def test_the_same_checkpoint_may_come_again_with_more_in_it(saver: MilestoneSaver, thread: str) -> None:
    checkpoint = empty_checkpoint()
    saver.put(at(thread), checkpoint, {"step": 1}, {})
    checkpoint["channel_values"], checkpoint["channel_versions"] = {"a": 1}, {"a": 1}
    config = saver.put(at(thread), checkpoint, {"step": 2}, {"a": 1})
    assert (values(saver, config), got(saver, config).metadata.get("step")) == ({"a": 1}, 2)
    assert len(list(saver.list(at(thread)))) == 1


def test_what_tasks_wrote_comes_back_in_the_order_in_which_a_graph_applies_it(
    saver: MilestoneSaver, thread: str
) -> None:
    config = put(saver, at(thread))
    saver.put_writes(config, [("c", "z1"), ("c", "z2")], "task-a", "~path, z")
    saver.put_writes(config, [("c", number) for number in range(12)], "task-c", "~path, B")
    saver.put_writes(config, [("c", "a1")], "task-d", "~path, a")
    saver.put_writes(config, [("c", "first")], "task-b", "")
    assert pending(saver, config) == ["first", *range(12), "a1", "z1", "z2"]


def test_what_a_task_wrote_counts_once_but_its_error_is_the_last_one(saver: MilestoneSaver, thread: str) -> None:
    config = put(saver, at(thread))
    for attempt in ("one", "two"):
        saver.put_writes(config, [("c", attempt), (ERROR, attempt), (INTERRUPT, attempt)], "task")
    assert sorted(pending(saver, config)) == ["one", "two", "two"]
    assert {channel: value for _, channel, value in got(saver, config).pending_writes or ()}["c"] == "one"


def test_what_a_task_wrote_may_arrive_before_its_checkpoint(saver: MilestoneSaver, thread: str) -> None:
    checkpoint = empty_checkpoint()
    early = at(thread, checkpoint_id=checkpoint["id"])
    saver.put_writes(early, [("c", "early")], "task")
    assert saver.get_tuple(early) is None
    saver.put(at(thread), checkpoint, {}, {})
    assert pending(saver, early) == ["early"]


def test_two_branches_from_one_checkpoint_keep_their_own_values(saver: MilestoneSaver, thread: str) -> None:
    root = put(saver, at(thread), changed={"c": "root"}, versions={"c": saver.get_next_version(None, None)})
    before = got(saver, root).checkpoint["channel_versions"]["c"]
    branches = [
        put(saver, root, changed={"c": name}, versions={"c": saver.get_next_version(str(before), None)})
        for name in ("left", "right")
    ]
    assert [values(saver, branch)["c"] for branch in branches] == ["left", "right"]
    assert [got(saver, branch).parent_config for branch in branches] == [root, root]


def test_versions_grow_and_compare_as_text(saver: MilestoneSaver) -> None:
    grown = [saver.get_next_version(None, None)]
    while len(grown) < MANY:
        grown.append(saver.get_next_version(grown[-1], None))
    assert grown == sorted(set(grown))
    assert all(version < saver.get_next_version(version, None) for version in grown)


def test_what_the_config_says_of_a_run_becomes_metadata(saver: MilestoneSaver, thread: str) -> None:
    config = at(thread)
    config["metadata"] = {"user": "ann", "langgraph_step": 3}
    stored = put(saver, config)
    assert got(saver, stored).metadata.get("user") == "ann"
    assert set(got(saver, stored).metadata) == {"source", "step", "parents", "user"}


def test_a_thread_may_be_named_by_a_number(saver: MilestoneSaver) -> None:
    number: Any = uuid4().int
    stored = put(saver, at(number))
    assert got(saver, at(str(number))).config == stored
    assert [found.config for found in saver.list(at(number))] == [stored]
    saver.delete_thread(number)
    assert saver.get_tuple(stored) is None


@pytest.mark.parametrize("bad", ["nul\0", "half\ud800"], ids=["nul", "surrogate"])
def test_a_name_that_no_database_can_keep_is_refused_alike_on_every_engine(saver: MilestoneSaver, bad: str) -> None:
    with pytest.raises(Refusal, match="No database can keep"):
        put(saver, at(bad))
    with pytest.raises(Refusal, match="No database can keep"):
        saver.get_tuple(at("fine", bad))


def test_a_list_is_newest_first_over_many_pages_and_stops_where_it_should(saver: MilestoneSaver, thread: str) -> None:
    stored = [put(saver, at(thread, f"space-{number % 2}"), step=number % 3) for number in range(MANY)]
    newest = stored[::-1]

    def listed(**given: Any) -> list[Any]:
        return [found.config for found in saver.list({"configurable": {"thread_id": thread}}, **given)]

    assert listed() == newest
    assert [found.config for found in saver.list(at(thread, "space-1"))] == newest[1::2]
    assert (listed(limit=0), listed(limit=1), listed(limit=23)) == ([], newest[:1], newest[:23])
    third = [config for config, number in zip(newest, range(MANY - 1, -1, -1), strict=True) if number % 3 == 1]
    assert listed(filter={"step": 1}) == third
    assert listed(filter={"step": 1}, limit=11) == third[:11]
    assert listed(filter={"step": 1, "source": "input"}) == []
    assert listed(before=newest[30]) == newest[31:]
    assert [found.config for found in saver.list(newest[9])] == [newest[9]]


@pytest.mark.anyio
async def test_a_list_of_all_threads_is_newest_first_and_sees_only_its_own_project(
    open_saver: Callable[..., MilestoneSaver], thread: str
) -> None:
    here, there = open_saver(MILESTONE_PROJECT="here"), open_saver(MILESTONE_PROJECT="there")
    put(there, at(thread), changed={"c": "there"})
    stored = [put(here, at(f"{thread}-{number % 3}"), changed={"c": number}) for number in range(6)]
    assert [found.config for found in here.list(None)][:6] == stored[::-1]
    assert [found.config async for found in here.alist(None, limit=2, before=stored[4])] == stored[3:1:-1]
    assert here.get_tuple(at(thread)) is None
    here.copy_thread(thread, "copy")
    here.delete_thread(thread)
    assert values(there, at(thread)) == {"c": "there"}
    assert here.get_tuple(at("copy")) is None


def test_a_delta_channel_is_put_together_as_langgraph_does_it(saver: MilestoneSaver, thread: str) -> None:
    config = put(saver, at(thread), changed={"log": ["too old"], "plain": 0})
    config = put(saver, config, changed={"log": ["seed"]}, versions={"log": 2, "plain": 1})
    for number in range(3):
        saver.put_writes(config, [("log", f"z{number}"), ("plain", number)], "task-a", "~z")
        saver.put_writes(config, [("log", f"a{number}")], "task-b", "~a")
        config = put(saver, config, versions={"log": 3 + number, "plain": 1 if number < 2 else 2})
    saver.put_writes(config, [("log", "of the next step")], "task")
    history = saver.get_delta_channel_history(config=config, channels=["log", "plain", "never"])
    assert history == BaseCheckpointSaver.get_delta_channel_history(
        saver, config=config, channels=["log", "plain", "never"]
    )
    assert [value for _, _, value in history["log"]["writes"]] == ["a0", "z0", "a1", "z1", "a2", "z2"]
    assert (history["log"].get("seed"), history["plain"].get("seed")) == (["seed"], 0)
    assert history["never"] == {"writes": []}


def test_what_is_stored_can_be_encrypted(shared: Project, thread: str) -> None:
    class Turned:
        """A cipher that anybody can read, and that is not plain."""

        def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
            return "turned", plaintext[::-1]

        def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
            assert ciphername == "turned"
            return ciphertext[::-1]

    with MilestoneSaver.of(environ=shared.environment, serde=EncryptedSerializer(Turned())) as saver:
        config = put(saver, at(thread), changed={"c": "secret"}, note="n")
        saver.put_writes(config, [("c", "secret")], "task")
        assert (values(saver, config), pending(saver, config)) == ({"c": "secret"}, ["secret"])
        assert got(saver.with_allowlist([("a", "b")]), config).metadata.get("note") == "n"
    stored = [row for table in ("thread_values", "thread_writes") for row in shared.rows(table)]
    assert {row["value"].split(" ")[0] for row in stored if row["thread_id"] == thread} == {"msgpack+turned"}


@pytest.mark.anyio
async def test_the_event_loop_goes_on_while_a_saver_waits_for_its_turn(
    saver: MilestoneSaver, shared: Project, thread: str
) -> None:
    """Planted and found: asynchronous methods that do the work in the thread that asks."""
    assert await saver.aget_tuple(at(thread)) is None
    with shared.writing():
        storing = asyncio.create_task(saver.aput(at(thread), empty_checkpoint(), {}, {}))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not storing.done()
    assert got(saver, await storing).config == await storing


def test_threads_may_call_one_saver_at_once(saver: MilestoneSaver, thread: str) -> None:
    def work(number: int) -> int:
        config = at(f"{thread}-{number}")
        for step in range(10):
            config = put(saver, config, changed={"c": step}, versions={"c": step + 1})
            saver.put_writes(config, [("c", step)], "task")
        return len(list(saver.list(at(f"{thread}-{number}"))))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [10] * 8


@pytest.mark.anyio
async def test_a_saver_of_a_folder_has_the_database_of_that_project(tmp_path: Path, thread: str) -> None:
    (tmp_path / ".git").mkdir()
    async with MilestoneSaver.of(tmp_path) as saver:
        config = await saver.aput(at(thread), empty_checkpoint(), {}, {})
    assert (tmp_path / ".git" / "milestone" / "milestone.db").is_file()
    with MilestoneSaver(Application(read_settings({"MILESTONE_PROJECT_DIR": str(tmp_path)}))) as again:
        assert identity(got(again, at(thread)).config) == identity(config)
    with pytest.raises(RuntimeError):
        again.get_tuple(config)
