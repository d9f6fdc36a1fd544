"""What two stored headlines say about each other, and what they do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autoimb.past_run import PastRun
from autoimb.run_comparison import RunComparison, compare_runs

ONE = PastRun(
    status="finished", data="a.csv", data_sha256="e3b0", rows=100, positive="yes", metric="f1",
    headline=0.6, headline_low=0.5, headline_high=0.7, seed=0, autoimb="0.1.0",
)  # fmt: skip


def compare(one: PastRun = ONE, **changes: Any) -> RunComparison:
    return compare_runs(("one", one), ("other", replace(one, **changes)))


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({}, {}),
        ({"seed": 1}, {"seed": (0, 1)}),
        ({"data_sha256": "77", "data": "b.csv"},
         {"data (sha256)": ("e3b0", "77"), "data": ("a.csv", "b.csv")}),
        ({"data": "copy_of_a.csv"}, {}),
        ({"budget_seconds": 60.0}, {"budget in seconds": (None, 60.0)}),
        ({"groups": "patient"}, {"groups": (None, "patient")}),
        ({"autoimb": "0.2.0"}, {"version of autoimb": ("0.1.0", "0.2.0")}),
        ({"strategy": "lightgbm", "headline": 0.7}, {}),
    ],
    ids=str,
)  # fmt: skip
def test_what_was_asked_differently_is_named(
    changes: dict[str, Any], differing: dict[str, Any]
) -> None:
    found = compare(**changes)
    assert (found.differing, found.unknown) == (differing, ())


def test_what_one_does_not_tell_is_neither_equal_nor_different() -> None:
    found = compare(seed=None, autoimb=None)
    assert found.differing == {}
    assert found.unknown == ("seed", "version of autoimb")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"headline": None, "status": "running"}, "other has no headline (running)"),
        ({"metric": "mcc"}, "of different metrics"),
        ({"data_sha256": "77"}, "of different data"),
        ({"data_sha256": None}, "not written down whether both are of the same data"),
        ({"positive": "no"}, "look for different classes"),
    ],
)
def test_headlines_that_say_nothing_about_each_other(
    changes: dict[str, Any], sentence: str
) -> None:
    found = compare(**changes)
    assert found.lead is None
    assert sentence in found.verdict


@pytest.mark.parametrize(
    ("metric", "headline", "ahead", "is_beyond_noise"),
    [
        ("f1", 0.80, "other", True),
        ("f1", 0.45, "one", True),
        ("f1", 0.70, "other", False),
        ("f1", 0.55, "one", False),
        ("brier", 0.80, "one", True),
        ("brier", 0.45, "other", True),
        ("a metric of another version", 0.80, "other", True),
    ],
)
def test_a_lead_is_more_than_noise_only_where_both_intervals_leave_room_for_it(
    metric: str, headline: float, ahead: str, is_beyond_noise: bool
) -> None:
    ends = {"headline_low": headline - 0.08, "headline_high": headline + 0.08}
    found = compare(replace(ONE, metric=metric), headline=headline, **ends)
    assert found.lead is not None
    assert found.lead.name == ahead
    assert found.lead.is_beyond_noise is is_beyond_noise
    assert ("not more than noise" in found.verdict) is not is_beyond_noise
    assert found.verdict.startswith(f"{ahead} is ahead by ")


def test_the_interval_of_a_difference_is_that_of_two_independent_figures() -> None:
    """Of normal figures it is known: the standard errors add up as squares."""
    wide = 1.96 * np.array([0.03, 0.04])
    ends = {"headline_low": 0.7 - wide[1], "headline_high": 0.7 + wide[1]}
    one = replace(ONE, headline_low=0.6 - wide[0], headline_high=0.6 + wide[0])
    lead = compare(one, headline=0.7, **ends).lead
    assert lead is not None
    assert (lead.low, lead.high) == pytest.approx((0.1 - 1.96 * 0.05, 0.1 + 1.96 * 0.05))


@pytest.mark.parametrize(("metric", "ahead"), [("f1", "other"), ("brier", "one")])
def test_the_ends_that_face_each_other_count(metric: str, ahead: str) -> None:
    """Lopsided: 0.6 (0.5 to 0.9) and 0.8 (0.76 to 0.85) may lie closer than they lie apart."""
    one = replace(ONE, metric=metric, headline_high=0.9)
    lead = compare(one, headline=0.8, headline_low=0.76, headline_high=0.85).lead
    assert lead is not None
    assert lead.name == ahead
    assert lead.low == pytest.approx(0.2 - np.hypot(0.04, 0.3))
    assert lead.high == pytest.approx(0.2 + np.hypot(0.05, 0.1))


@pytest.mark.parametrize("lost", ["headline_low", "headline_high"])
def test_without_an_interval_nothing_is_claimed(lost: str) -> None:
    found = compare(headline=0.9, **{lost: None})
    assert found.lead is not None
    assert found.lead.is_beyond_noise is None
    assert found.verdict == (
        "other is ahead by 0.300; whether that is more than noise cannot be told, for of other no "
        "interval is stored."
    )


def test_equal_headlines_have_no_leader() -> None:
    assert compare(seed=1).verdict == "The headlines are equal."
