from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from sklearn.metrics import average_precision_score

from autoimb.profiling.power import f1_half_width, power_card, share_half_width
from autoimb.profiling.sampling import NORMAL_95

N_DRAWS = 4000


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def find_power(n: int, difference: float, discordant_share: float) -> float:
    """Give how often McNemar's exact test sees a difference in recall, over all that may occur."""
    power = 0.0
    for n_discordant in range(n + 1):
        chance = binom.pmf(n_discordant, n, discordant_share)
        won = np.arange(n_discordant + 1)
        p = 2 * binom.cdf(np.minimum(won, n_discordant - won), n_discordant, 0.5)
        often = binom.pmf(won, n_discordant, (1 + difference / discordant_share) / 2)
        power += chance * often[p < 0.05].sum()
    return float(power)


@pytest.mark.parametrize("n", [30, 50, 200, 1000])
@pytest.mark.parametrize("recall", [0.3, 0.5, 0.8])
def test_the_interval_of_recall_holds_nineteen_of_twenty(n: int, recall: float) -> None:
    found = draw().binomial(n, recall, N_DRAWS) / n
    assert NORMAL_95 * found.std() == pytest.approx(share_half_width(recall, n), rel=0.05)
    inside = np.abs(found - recall) <= share_half_width(recall, n)
    assert inside.mean() == pytest.approx(0.95, abs=0.035)


@pytest.mark.parametrize("n", [30, 50, 200, 1000])
@pytest.mark.parametrize("f1", [0.2, 0.4226, 0.6, 0.9])
def test_the_interval_of_f1_is_that_of_drawn_counts(n: int, f1: float) -> None:
    """Precision equals recall: on average as many false alarms as positives are missed."""
    rng = draw()
    tp, fp = rng.binomial(n, f1, N_DRAWS), rng.poisson(n * (1 - f1), N_DRAWS)
    found = 2 * tp / (n + tp + fp)
    assert NORMAL_95 * found.std() == pytest.approx(f1_half_width(f1, n), rel=0.12)


@pytest.mark.parametrize("shift", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("n", [50, 200])
def test_the_interval_of_average_precision_is_about_that_of_drawn_scores(
    n: int, shift: float
) -> None:
    y = np.repeat([1, 0], [n, 10 * n])
    found = [
        average_precision_score(y, draw(seed).normal(size=len(y)) + shift * y)
        for seed in range(150)
    ]
    ratio = share_half_width(float(np.mean(found)), n) / (NORMAL_95 * np.std(found))
    assert 1 / 1.5 < ratio < 1.5


def test_the_card_holds_the_widest_intervals() -> None:
    card = power_card(80)
    scores = np.linspace(0, 1, 101)
    assert card.recall == card.average_precision == max(share_half_width(s, 80) for s in scores)
    assert card.f1 == pytest.approx(max(f1_half_width(s, 80) for s in scores), rel=1e-4)
    assert card.f1 >= max(f1_half_width(s, 80) for s in scores)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_no_interval_is_wider_than_the_scale(n: int) -> None:
    card = power_card(n)
    assert max(card.recall, card.average_precision, card.f1) <= 1


def test_six_of_six_is_the_least_that_is_significant() -> None:
    smallest = next(n for n in range(1, 20) if binomtest(n, n, 0.5).pvalue < 0.05)
    assert power_card(100).smallest_recall_difference * 100 == smallest


@pytest.mark.parametrize("n", [20, 30, 40, 50, 100, 200, 1000])
def test_the_usual_difference_is_seen_four_times_in_five(n: int) -> None:
    difference = power_card(n).usual_recall_difference
    # Two strategies differ on at least as many positives as their recall does.
    assert find_power(n, difference, max(0.2, difference)) == pytest.approx(0.8, abs=0.08)


@pytest.mark.parametrize("n", [6, 10, 50, 1000])
def test_below_the_smallest_difference_no_test_tells(n: int) -> None:
    card = power_card(n)
    smallest = round(card.smallest_recall_difference * n)
    assert binomtest(smallest - 1, smallest - 1, 0.5).pvalue > 0.05
    assert card.usual_recall_difference >= card.smallest_recall_difference


@pytest.mark.parametrize("n", range(1, 6))
def test_with_less_than_six_positives_nothing_can_be_shown(n: int) -> None:
    card = power_card(n)
    assert card.smallest_recall_difference > 1
    assert str(card).endswith("No difference between two strategies could be shown at all.")


@pytest.mark.parametrize("n", [6, 7, 30, 5000])
def test_with_six_positives_it_says_which_differences_can_be_shown(n: int) -> None:
    card = power_card(n)
    assert f"With {n:,} positives" in str(card)
    assert f"less than {card.smallest_recall_difference:.3f} cannot be told apart" in str(card)


def test_more_positives_show_more() -> None:
    few, many = power_card(50).to_dict(), power_card(500).to_dict()
    assert all(many[name] < few[name] for name in few if name != "n_positives")
    assert json.loads(json.dumps(few))["n_positives"] == 50
