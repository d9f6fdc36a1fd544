"""What every strategy gains over doing nothing, in searches that were never made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_up import BALANCED, DEFAULT, OTHER, SAMPLED, WEIGHTED, MadeUp

from autoimb.displays.strategies import StrategiesDisplay
from autoimb.errors import UsageError
from autoimb.evaluation.compare import Resampled
from autoimb.evaluation.levels import Level
from autoimb.metrics import get_metric
from autoimb.recommendation.appraisal import Appraisal
from autoimb.recommendation.gains import compare_with_nothing, display_gains
from autoimb.search.baselines import DO_NOTHING

pytestmark = pytest.mark.usefixtures("quick_appraisal")

TRIALS = [(DEFAULT, 1.0), (OTHER, 1.1), (WEIGHTED, 1.2), (SAMPLED, 1.4), (BALANCED, 1.3)]
RACE = {"balanced weights": 1.0, "SMOTE 1:1": 0.2}
TWICE = (Level(3), Level(3, repeat=1))
SEARCHES: dict[str, dict[str, Any]] = {
    "ranking": {},
    "labels": {"metric": "f1"},
    "loss": {"metric": "log_loss"},
    "blend": {"metric": "mcc", "n_blended": 3},
    "several classes": {"metric": "f1_macro", "n_classes": 3},
    "repeats": {"levels": TWICE},
    "baselines left behind": {"metric": "f1", "n_blended": 2, "max_step": 0, "levels": TWICE},
    "the default leads": {"metric": "f1", "best": DEFAULT},
}


def appraise(**changes: Any) -> Appraisal:
    return MadeUp(**{"trials": TRIALS, "baselines": RACE, **changes}).appraise()


def display(appraisal: Appraisal, exported: str | None = None) -> StrategiesDisplay:
    return display_gains(
        appraisal.gains, appraisal.tiers, exported or appraisal.tiers[-1].name, appraisal.metric,
        appraisal.baseline_scores[DO_NOTHING],
    )  # fmt: skip


@pytest.mark.parametrize("asked", SEARCHES.values(), ids=list(SEARCHES))
def test_strategies_stand_best_first_with_the_exported_one_among_them(
    asked: dict[str, Any],
) -> None:
    appraisal = appraise(**asked)
    found = display(appraisal)
    assert (np.diff(found.gain) <= 0).all()
    assert (found.low <= found.gain).all() and (found.gain <= found.high).all()
    assert found.exported in found.names
    assert {DO_NOTHING, *RACE} <= set(found.names)
    assert len(set(found.names)) == len(found.names)
    place = found.names.index(DO_NOTHING)
    assert (found.gain[place], found.low[place], found.high[place]) == (0, 0, 0)
    assert found.p_better[place] == 0.5
    shares = {one.p_better for one in appraisal.gains}
    assert set(np.delete(found.p_better, place)) == shares
    assert (found.p_better[found.low > 0] > 0.9).all()


@pytest.mark.parametrize("asked", SEARCHES.values(), ids=list(SEARCHES))
def test_gains_are_differences_of_scores(asked: dict[str, Any]) -> None:
    appraisal = appraise(**asked)
    found = display(appraisal)
    scores = dict(zip(found.names, found.score, strict=True))
    for name in RACE:
        assert scores[name] == pytest.approx(appraisal.baseline_scores[name])
    utility = [appraisal.metric.utility(score) for score in found.score]
    assert utility == sorted(utility, reverse=True)


@pytest.mark.parametrize("asked", SEARCHES.values(), ids=list(SEARCHES))
def test_of_the_exported_one_the_same_is_said_as_in_the_recommendation(
    asked: dict[str, Any],
) -> None:
    appraisal = appraise(**asked)
    (told,) = (one for one in appraisal.baselines if one.name == DO_NOTHING)
    (own,) = (one for one in appraisal.gains if one.name == appraisal.tiers[-1].name)
    assert (own.difference, own.low, own.high) == (told.difference, told.low, told.high)


def test_the_best_of_each_degree_of_plainness_takes_part() -> None:
    names = display(appraise(metric="f1")).names
    kinds = [name.split(":")[0] for name in names if ":" in name and name not in RACE]
    assert sorted(kinds) == [
        "best plain model", "best with a sampler", "best with a weight",
    ]  # fmt: skip


def test_the_plainest_can_be_the_exported_one() -> None:
    appraisal = appraise(metric="f1")
    assert display(appraisal, "nothing").exported == DO_NOTHING
    assert str(display(appraisal, "weight").exported).startswith("best with a weight: ")


def test_what_ranks_as_doing_nothing_does_is_left_out() -> None:
    assert "tuned threshold only" not in display(appraise()).names
    assert "tuned threshold only" in display(appraise(metric="f1")).names


def test_luck_is_taken_off_what_was_chosen() -> None:
    rng = np.random.default_rng(0)
    nothing = Resampled(0.5, 0.5 + rng.normal(size=500))
    other = Resampled(0.6, 0.6 + rng.normal(size=500))
    (obvious,) = compare_with_nothing({DO_NOTHING: nothing, "a": other}, {}, 0.04)
    (chosen,) = compare_with_nothing({DO_NOTHING: nothing}, {"a": other}, 0.04)
    (both,) = compare_with_nothing({DO_NOTHING: nothing, "a": other}, {"b": other}, 0.04)
    (same,) = compare_with_nothing({DO_NOTHING: nothing}, {"b": nothing}, 0.04)
    gains = [one.difference for one in (obvious, chosen, both, same)]
    assert gains == pytest.approx([0.1, 0.06, 0.1, 0.0])


def test_without_a_comparison_one_line_says_what_to_do() -> None:
    assert compare_with_nothing({"a": Resampled(0.5, np.zeros(9))}, {}, 0.0) == ()
    with pytest.raises(UsageError, match=r"no strategy was compared .* Give a larger budget\."):
        display_gains((), (), "blend", get_metric("f1"), 0.5)
