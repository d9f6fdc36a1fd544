from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoimb.errors import UsageError
from autoimb.search.budget import Budget, parse_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("60s", 60.0),
        ("5m", 300.0),
        ("5min", 300.0),
        ("1h", 3600.0),
        ("1.5h", 5400.0),
        (".5m", 30.0),
        ("2.s", 2.0),
        (" 60 s ", 60.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-5s", "5 days", "1h30m", "s", "1e3s", "inf", "nan", "60S"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_seconds(text)
    assert str(caught.value) == (
        f"budget must be a positive duration such as 60s, 5m or 1h, but got '{text}'."
    )


@given(st.text(max_size=12))
def test_any_text_is_a_positive_duration_or_refused(text: str) -> None:
    try:
        seconds = parse_seconds(text)
    except UsageError:
        return
    assert 0 < seconds < math.inf


@pytest.mark.parametrize(
    ("seconds", "trials", "message"),
    [
        (None, None, "a budget is needed: give seconds (time_budget), trials (n_trials), or both."),
        (0, None, "time_budget must be a positive number of seconds, but got 0."),
        (-1.5, 3, "time_budget must be a positive number of seconds, but got -1.5."),
        (math.nan, None, "time_budget must be a positive number of seconds, but got nan."),
        (math.inf, None, "time_budget must be a positive number of seconds, but got inf."),
        (None, 0, "n_trials must be at least 1, but got 0."),
        (60.0, -1, "n_trials must be at least 1, but got -1."),
    ],
)
def test_limits_that_are_not_positive(
    seconds: float | None, trials: int | None, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Budget(seconds, trials)
    assert str(caught.value) == message


def test_the_clock_runs_from_the_start() -> None:
    budget = Budget(seconds=10.0, started=time.monotonic() - 4)
    assert budget.elapsed() == pytest.approx(4, abs=0.5)
    assert budget.left() == pytest.approx(6, abs=0.5)


def test_refitting_explaining_and_finishing_are_set_aside() -> None:
    budget = Budget(seconds=100.0)
    assert budget.left_to_search([]) == pytest.approx(100 - 2 - 5, abs=0.5)
    assert budget.left_to_search([10.0]) <= budget.left_to_search([]) - 10


def test_what_is_blended_with_the_best_may_take_a_share_of_the_time() -> None:
    budget = Budget(seconds=100.0)
    alone = budget.left_to_search([10.0])
    assert budget.left_to_search([10.0, 2.0]) <= alone - 2
    assert budget.left_to_search([10.0, *[50.0] * 9]) == pytest.approx(alone - 20, abs=0.5)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ([], []),
        ([500.0], [0]),
        ([500.0, 1.0], [0]),
        ([1.0, 2.0, 3.0], [0, 1, 2]),
        ([1.0, 50.0, 50.0, 1.0], [0, 1, 3]),
    ],
)
def test_as_many_are_refitted_as_time_is_left_for(seconds: list[float], chosen: list[int]) -> None:
    assert Budget(seconds=100.0).affordable(seconds) == chosen
    assert Budget(seconds=None, trials=1).affordable(seconds) == list(range(len(seconds)))


def test_a_count_of_trials_limits_no_time() -> None:
    budget = Budget(seconds=None, trials=3)
    assert budget.left() == math.inf
    assert budget.left_to_search([5.0]) == math.inf
    assert budget.trial_limit(5.0) is None


@given(st.floats(1, 1e5), st.floats(0, 1e4))
def test_a_trial_may_take_a_share_of_the_time_or_thrice_the_typical(
    seconds: float, typical: float
) -> None:
    limit = Budget(seconds).trial_limit(typical)
    assert limit is not None
    assert limit >= 3 * typical
    assert limit >= seconds / 10
    assert limit <= max(3 * typical, seconds / 2)


def test_explaining_takes_little_and_leaves_time_for_tracking() -> None:
    assert Budget(None, trials=1).left_to_explain() is None
    assert Budget(seconds=10.0).left_to_explain() == 2.0
    assert Budget(seconds=600.0).left_to_explain() == 30.0
    now = time.monotonic()
    left = Budget(seconds=60.0, started=now - 58.0).left_to_explain()
    assert left == pytest.approx(1.0, abs=0.5)
    late = Budget(seconds=60.0, started=now - 61.0).left_to_explain()
    assert late is not None
    assert late < 0
