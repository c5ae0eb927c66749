"""Every failure is answered with one decision and its reason, and no answer goes beyond what the policy allows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milestone.domain.recovery import (
    KINDS,
    KNOWN_TO_BE_WRONG,
    Ask,
    Decision,
    Degrade,
    Failure,
    FailureKind,
    Park,
    Policy,
    Retry,
    RollBack,
    backoff,
    decide,
)

STEADY = Policy(jitter=0)
RESTS: tuple[FailureKind, ...] = ("error", "lost", "no_result")


def decided(failure: Failure, policy: Policy = STEADY, **more: object) -> Decision:
    known = {"failures": 1, "critical": True, "checkpoint": "", "rollbacks": 0, "chance": 0.5, **more}
    return decide(failure, policy=policy, **known)  # type: ignore[arg-type]  # the fields as a test names them


def of(kind: FailureKind, **more: object) -> Decision:
    return decided(Failure(kind, "it broke"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", RESTS)
def test_what_may_pass_is_tried_again_after_5_and_20_seconds_and_then_a_person_is_asked(kind: FailureKind) -> None:
    found = [of(kind, failures=failures) for failures in (1, 2, 3)]
    assert [one.seconds for one in found if isinstance(one, Retry)] == [5.0, 20.0]
    assert isinstance(found[2], Ask)


@pytest.mark.parametrize("kind", sorted(KNOWN_TO_BE_WRONG))
def test_what_is_known_to_be_wrong_goes_back_at_once(kind: FailureKind) -> None:
    found = [of(kind, failures=failures) for failures in (1, 2, 3)]
    assert [one.seconds for one in found if isinstance(one, Retry)] == [0.0, 0.0]
    assert isinstance(found[2], Ask)


def test_what_went_down_with_its_host_session_goes_on_at_once() -> None:
    found = decided(Failure("lost", "the session ended", gone=True))
    assert isinstance(found, Retry)
    assert found.seconds == 0


@pytest.mark.parametrize("failures", [0, 1, 2, 3, 9])
def test_whoever_a_usage_limit_came_upon_starts_anew_and_it_counts_for_nothing(failures: int) -> None:
    failure = Failure("lost", "nothing was heard of it", limited=True)
    found = decided(failure, failures=failures)
    assert not failure.counts
    assert isinstance(found, Retry)
    assert found.seconds == 0


def test_what_is_not_critical_is_done_without_after_the_last_attempt() -> None:
    found = of("error", failures=3, critical=False)
    assert isinstance(found, Degrade)
    assert "not critical" in found.why
    assert isinstance(of("error", failures=2, critical=False), Retry)


def test_what_cannot_be_done_is_not_tried_again() -> None:
    assert isinstance(of("impossible"), Ask)
    assert isinstance(of("impossible", critical=False), Degrade)


def test_what_is_damaged_is_rolled_back_once_and_then_a_person_is_asked() -> None:
    assert isinstance(of("damaged"), Ask)
    back = of("damaged", checkpoint="checkpoint-1")
    assert isinstance(back, RollBack)
    assert back.checkpoint == "checkpoint-1"
    assert isinstance(of("damaged", checkpoint="checkpoint-1", rollbacks=1), Ask)
    assert isinstance(of("damaged", checkpoint="checkpoint-1", rollbacks=1, critical=False), Ask)


def test_when_a_budget_is_used_up_a_person_is_asked_however_little_it_matters() -> None:
    assert isinstance(of("budget"), Ask)
    assert isinstance(of("budget", critical=False), Ask)


def test_a_usage_limit_rests_until_its_end_and_where_that_is_unknown_for_the_set_time() -> None:
    known, unknown, over = (of("usage_limit", reset_seconds=reset) for reset in (7_200.0, None, 0.0))
    assert isinstance(known, Park)
    assert isinstance(unknown, Park)
    assert isinstance(over, Park)
    assert (known.seconds, unknown.seconds, over.seconds) == (7_200.0, 900.0, 1.0)


def test_the_waits_grow_up_to_the_longest_however_many_failures_there_are() -> None:
    assert [backoff(failures, Policy()) for failures in (1, 2, 3, 4, 5_000)] == [5, 20, 80, 300, 300]
    assert [backoff(failures, Policy(factor=1)) for failures in (1, 9)] == [5, 5]
    assert backoff(3, Policy(base_seconds=0)) == 0


POLICIES = st.builds(
    Policy,
    attempts=st.integers(1, 10),
    base_seconds=st.floats(0, 1_000),
    factor=st.floats(1, 100),
    most_seconds=st.floats(0, 86_400),
    jitter=st.floats(0, 1),
    rollbacks=st.integers(0, 3),
    park_seconds=st.floats(1, 86_400),
)
FAILURES = st.builds(Failure, st.sampled_from(KINDS), st.text(max_size=30), gone=st.booleans(), limited=st.booleans())
RESETS = st.none() | st.floats(0, 3e6)


@settings(max_examples=500)
@given(
    failure=FAILURES,
    policy=POLICIES,
    failures=st.integers(0, 20),
    critical=st.booleans(),
    checkpoint=st.sampled_from(["", "checkpoint-1"]),
    rollbacks=st.integers(0, 4),
    chance=st.floats(0, 1),
    reset=RESETS,
)
def test_every_failure_gets_one_decision_with_a_reason_within_the_policy(
    failure: Failure,
    policy: Policy,
    failures: int,
    critical: bool,
    checkpoint: str,
    rollbacks: int,
    chance: float,
    reset: float | None,
) -> None:
    """Planted and found: one attempt too many, a rollback too many, a park that ends before the reset, no reason."""
    more = {"failures": failures, "critical": critical, "checkpoint": checkpoint, "rollbacks": rollbacks}
    found = decided(failure, policy, **more, chance=chance, reset_seconds=reset)
    assert len(found.why) > len(failure.why)
    match found:
        case Retry(seconds):
            assert failures < policy.attempts or not failure.counts
            assert failure.kind not in ("usage_limit", "impossible", "damaged", "budget")
            assert 0 <= seconds <= policy.most_seconds
            if failure.kind in RESTS and not failure.gone and not failure.limited:
                longest = backoff(failures, policy)
                assert longest * (1 - policy.jitter) - 1e-6 <= seconds <= longest + 1e-6
        case Park(seconds):
            assert failure.kind == "usage_limit"
            assert seconds >= (policy.park_seconds if reset is None else reset)
        case RollBack(name):
            assert failure.kind == "damaged"
            assert name == checkpoint != ""
            assert rollbacks < policy.rollbacks
        case Degrade():
            assert not critical
        case Ask():
            assert critical or failure.kind in ("damaged", "budget")
    if failure.kind == "usage_limit":
        assert isinstance(found, Park)
