"""What a saver removes, what it leaves, and what a copy has of its own."""

from __future__ import annotations

import pytest

from milestone.domain.errors import Refusal
from milestone.surfaces.langgraph import MilestoneSaver
from tests.helpers.projects import Project
from tests.langgraph.samples import TABLES, at, got, kept, pending, put, values

NOTHING = dict.fromkeys(TABLES, 0)


def test_nothing_is_left_of_a_deleted_thread_in_any_table(saver: MilestoneSaver, shared: Project, thread: str) -> None:
    for namespace in ("", "child:1"):
        config = put(saver, at(thread, namespace), changed={"c": 1})
        saver.put_writes(config, [("c", 2)], "task")
    other = put(saver, at(f"{thread}-other"), changed={"c": "stays"})
    assert kept(shared, thread) == dict.fromkeys(TABLES, 2)
    saver.delete_thread(thread)
    assert kept(shared, thread) == NOTHING
    assert values(saver, other) == {"c": "stays"}


def test_what_a_run_stored_is_gone_and_what_others_still_name_stays(
    saver: MilestoneSaver, shared: Project, thread: str
) -> None:
    first = put(saver, at(thread), changed={"a": "shared", "b": "of the run"}, run_id=f"{thread}-1")
    saver.put_writes(first, [("a", 1)], "task")
    second = put(saver, first, changed={"b": "later"}, versions={"a": 1, "b": 2}, run_id=f"{thread}-2")
    saver.put_writes(second, [("a", 2)], "task")
    elsewhere = put(saver, at(thread, "child:1"), changed={"b": "elsewhere"})
    saver.delete_for_runs([f"{thread}-1"])
    assert saver.get_tuple(first) is None
    assert (values(saver, second), pending(saver, second)) == ({"a": "shared", "b": "later"}, [2])
    assert values(saver, elsewhere) == {"b": "elsewhere"}
    assert kept(shared, thread) == {"thread_checkpoints": 2, "thread_values": 3, "thread_writes": 1}


def test_a_checkpoint_of_no_run_is_not_of_the_run_without_a_name(saver: MilestoneSaver, thread: str) -> None:
    stored = put(saver, at(thread), changed={"c": 1})
    saver.delete_for_runs([""])
    assert values(saver, stored) == {"c": 1}


def test_pruning_keeps_the_newest_of_each_namespace_with_all_its_values(
    saver: MilestoneSaver, shared: Project, thread: str
) -> None:
    newest = []
    for namespace in ("", "child:1"):
        config = put(saver, at(thread, namespace), changed={"a": "old but named", "b": 0})
        saver.put_writes(config, [("b", 0)], "task")
        for step in range(1, 4):
            config = put(saver, config, changed={"b": step}, versions={"a": 1, "b": step + 1})
        saver.put_writes(config, [("b", "next")], "task")
        newest.append(config)
    saver.prune([thread])
    assert [found.config for found in saver.list({"configurable": {"thread_id": thread}})] == newest[::-1]
    for config in newest:
        assert values(saver, config) == {"a": "old but named", "b": 3}
        assert pending(saver, config) == ["next"]
    assert kept(shared, thread) == {"thread_checkpoints": 2, "thread_values": 4, "thread_writes": 2}
    saver.prune([thread], strategy="delete")
    assert kept(shared, thread) == NOTHING


def test_pruning_keeps_what_delta_channels_are_put_together_from_and_no_more(
    saver: MilestoneSaver, thread: str
) -> None:
    """Planted and found: pruning that keeps the newest checkpoint alone empties the channel."""
    config = put(saver, at(thread), changed={"log": ["too old"]})
    seed = config = put(saver, config, changed={"log": ["seed"]}, versions={"log": 2})
    for number in range(3):
        saver.put_writes(config, [("log", number)], "task")
        counted = {"log": (number + 1, number + 1), "never written": (0, number + 1)}
        config = put(saver, config, versions={"log": 3 + number}, counters_since_delta_snapshot=counted)
    before = saver.get_delta_channel_history(config=config, channels=["log"])
    saver.prune([thread])
    assert saver.get_delta_channel_history(config=config, channels=["log"]) == before
    assert [value for _, _, value in before["log"]["writes"]] == [0, 1, 2]
    listed = list(saver.list(at(thread)))
    assert (len(listed), listed[-1].config) == (4, seed)
    assert values(saver, seed) == {"log": ["seed"]}


def test_a_strategy_that_does_not_exist_is_refused_and_removes_nothing(saver: MilestoneSaver, thread: str) -> None:
    stored = put(saver, at(thread))
    with pytest.raises(Refusal, match=r"no strategy 'keep_all'.*Allowed: keep_latest, delete"):
        saver.prune([thread], strategy="keep_all")
    assert got(saver, stored).config == stored


def test_a_copy_has_everything_and_lives_on_without_its_source(
    saver: MilestoneSaver, shared: Project, thread: str
) -> None:
    first = put(saver, at(thread), changed={"a": 1, "b": 1}, run_id=thread)
    second = put(saver, first, changed={"b": 2}, versions={"a": 1, "b": 2})
    saver.put_writes(second, [("b", 3)], "task", "~path")
    before = kept(shared, thread)
    saver.copy_thread(thread, f"{thread}-copy")
    saver.delete_thread(thread)
    assert kept(shared, f"{thread}-copy") == before
    found = got(saver, at(f"{thread}-copy"))
    assert (found.checkpoint["channel_values"], found.pending_writes) == ({"a": 1, "b": 2}, [("task", "b", 3)])
    assert found.parent_config == at(
        f"{thread}-copy", checkpoint_id=got(saver, found.parent_config or {}).checkpoint["id"]
    )
    assert got(saver, found.parent_config or {}).metadata.get("run_id") == thread


def test_a_copy_leaves_what_its_target_has_already(saver: MilestoneSaver, shared: Project, thread: str) -> None:
    put(saver, at(thread), changed={"a": 1})
    for _ in range(2):
        saver.copy_thread(thread, f"{thread}-copy")
    put(saver, at(f"{thread}-copy"), changed={"a": 2}, versions={"a": 2})
    saver.copy_thread(thread, f"{thread}-copy")
    saver.copy_thread(thread, thread)
    assert values(saver, at(f"{thread}-copy")) == {"a": 2}
    assert kept(shared, f"{thread}-copy") == {"thread_checkpoints": 2, "thread_values": 2, "thread_writes": 0}
    assert kept(shared, thread) == {"thread_checkpoints": 1, "thread_values": 1, "thread_writes": 0}
