from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoimb.errors import SearchSpaceError
from autoimb.strategy.parameters import Constant, Options, Range, read_parameter

FACTS = ("n_rows", "max_neighbors")
WHERE = "x.toml: [model.tree] depth"
INF, NAN = float("inf"), float("nan")


def read(value: Any) -> Any:
    return read_parameter(value, WHERE, FACTS)


@pytest.mark.parametrize(
    ("value", "expected", "text"),
    [
        (5, Constant(5), "5"),
        ("auto", Constant("auto"), "'auto'"),
        (False, Constant(False), "False"),
        (["a", "b"], Options(("a", "b")), "'a' | 'b'"),
        ([True], Options((True,)), "True"),
        ({"low": 1, "high": 4}, Range(1, 4, 2), "1 .. 4, default 2"),
        ({"low": 0.0, "high": 1.0}, Range(0.0, 1.0, 0.5), "0.0 .. 1.0, default 0.5"),
        ({"low": 1, "high": 100, "log": True}, Range(1, 100, 10, True), "1 .. 100 log, default 10"),
        (
            {"low": 1, "high": 9, "step": 2, "default": 5, "cap": "n_rows"},
            Range(1, 9, 5, False, 2, "n_rows"),
            "1 .. 9 step 2 up to n_rows, default 5",
        ),
    ],
)
def test_a_value_is_a_constant_a_choice_or_a_range(value: Any, expected: Any, text: str) -> None:
    assert read(value) == expected
    assert str(read(value)) == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a choice needs at least one value, but got []."),
        (
            [1, [2]],
            "the values of a choice must be strings, numbers or true/false, but got [2].",
        ),
        ({"low": 1, "hihg": 2}, "'hihg' is not part of a range; did you mean 'high'?"),
        ({"high": 2}, "a range needs a number 'low', but got None."),
        ({"low": 1, "high": "2"}, "a range needs a number 'high', but got '2'."),
        ({"low": True, "high": 2}, "a range needs a number 'low', but got True."),
        ({"low": 2, "high": 2}, "low < high must hold, but got low=2, high=2."),
        ({"low": 0, "high": 2, "log": True}, "low > 0 must hold with log, but got low=0."),
        (
            {"low": 1, "high": 9, "log": True, "step": 2},
            "a range has either log or step, but got both. Drop one.",
        ),
        ({"low": 1, "high": 9, "default": 0}, "default must lie between 1 and 9, but got 0."),
        (
            {"low": 1, "high": 9, "cap": "max_neighbours"},
            "cap 'max_neighbours' is no fact of the data; did you mean 'max_neighbors'?",
        ),
    ],
)
def test_a_value_that_contradicts_itself_is_refused(value: Any, message: str) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        read(value)
    assert str(caught.value) == f"{WHERE}: {message}"


@pytest.mark.parametrize(
    "value",
    [
        {"low": 1, "high": INF},
        {"low": -INF, "high": 1.0},
        {"low": NAN, "high": 1.0},
        {"low": 1, "high": 9, "default": "five"},
        {"low": 1, "high": 9, "default": 2.5},
        {"low": 1, "high": 9, "step": 0},
        {"low": 1, "high": 9, "step": -2},
        {"low": 1, "high": 9, "step": 0.5},
        {"low": 1, "high": 9, "step": "two"},
        {"low": 1, "high": 9, "log": "yes"},
        {"low": 1, "high": 9, "cap": ["n_rows"]},
    ],
)
def test_what_no_study_could_search_is_refused(value: Any) -> None:
    with pytest.raises(SearchSpaceError) as caught:
        read(value)
    assert str(caught.value).startswith(f"{WHERE}: ")


@st.composite
def ranges(draw: Any) -> Range:
    log = draw(st.booleans())
    if draw(st.booleans()):
        low = draw(st.integers(1 if log else -9, 9))
        high = low + draw(st.integers(1, 40))
        steps = st.none() | st.integers(1, 7)
    else:
        low = draw(st.integers(1 if log else -90, 90)) / 10
        high = round(low + draw(st.integers(1, 400)) / 10, 1)
        steps = st.none() | st.integers(1, 70).map(lambda tenths: tenths / 10)
    table = {"low": low, "high": high, "log": log}
    step = None if log else draw(steps)
    return read(table if step is None else {**table, "step": step})


@settings(max_examples=200, deadline=None)
@given(wide=ranges(), seed=st.integers(0, 99))
def test_a_sampled_value_is_one_that_a_study_could_suggest(wide: Range, seed: int) -> None:
    value = wide.sample(np.random.default_rng(seed))
    assert isinstance(value, int) is wide.is_integer
    assert wide.low <= value <= wide.high
    assert isinstance(wide.default, int) is wide.is_integer
    trial = optuna.trial.FixedTrial({"x": value})
    assert wide.suggest(trial, "x") == value
    assert trial.distributions["x"]._contains(value)


@settings(max_examples=200, deadline=None)
@given(wide=ranges(), seed=st.integers(0, 99))
def test_a_suggested_value_lies_in_the_range(wide: Range, seed: int) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    value = wide.suggest(study.ask(), "x")
    assert isinstance(value, int) is wide.is_integer
    assert wide.low <= value <= wide.high


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("bounds", [(2, 5), (2.0, 5.0)])
def test_samples_reach_both_ends(bounds: tuple[float, float], log: bool) -> None:
    wide, rng = Range(*bounds, bounds[0], log), np.random.default_rng(0)
    values = [wide.sample(rng) for _ in range(400)]
    assert min(values) == pytest.approx(2, abs=0.05)
    assert max(values) == pytest.approx(5, abs=0.05)


@pytest.mark.parametrize(
    ("wide", "fact", "expected"),
    [
        (Range(1, 15, 5, cap="n_rows"), 99.0, Range(1, 15, 5)),
        (Range(1, 15, 5, cap="n_rows"), 7.9, Range(1, 7, 5)),
        (Range(1, 15, 5, cap="n_rows"), 3.0, Range(1, 3, 3)),
        (Range(4, 15, 5, cap="n_rows"), 2.0, Range(2, 2, 2)),
        (Range(1, 15, 5, cap="n_rows"), 0.0, Range(1, 1, 1)),
        (Range(0.1, 9.0, 5.0, cap="n_rows"), 2.0, Range(0.1, 2.0, 2.0)),
        (Range(1, 100, 10, True, cap="n_rows"), 1.0, Range(1, 1, 1, True)),
        (Range(1, 15, 5), 3.0, Range(1, 15, 5)),
    ],
)
def test_a_cap_lowers_what_lies_above_it(wide: Range, fact: float, expected: Range) -> None:
    capped = wide.capped({"n_rows": fact})
    assert capped == expected
    assert expected.low <= capped.sample(np.random.default_rng(0)) <= expected.high
    assert capped.suggest(optuna.create_study().ask(), "x") <= expected.high


def test_constants_and_choices_know_no_cap() -> None:
    rng = np.random.default_rng(0)
    trial = optuna.trial.FixedTrial({"x": "b"})
    constant, options = Constant(5), Options(("a", "b"))
    assert constant.capped({}) == constant
    assert (constant.default, constant.sample(rng), constant.suggest(trial, "y")) == (5, 5, 5)
    assert options.capped({}) == options
    assert (options.default, options.suggest(trial, "x")) == ("a", "b")
    assert {options.sample(rng) for _ in range(50)} == {"a", "b"}


@settings(max_examples=200, deadline=None)
@given(wide=ranges(), value=st.floats(-1e6, 1e6), seed=st.integers(0, 99))
def test_no_admitted_value_is_nearer_than_the_nearest(wide: Range, value: float, seed: int) -> None:
    nearest = wide.nearest(value)
    assert wide.low <= nearest <= wide.high
    assert wide.nearest(nearest) == pytest.approx(nearest)
    other = wide.sample(np.random.default_rng(seed))
    assert abs(nearest - value) <= abs(other - value) + 1e-9 * abs(value)


def test_what_is_no_option_becomes_the_default() -> None:
    assert Options(("a", "b")).nearest("b") == "b"
    assert Options(("a", "b")).nearest("c") == "a"
    assert Constant(3).nearest(4) == 3
