"""Losses against numeric derivatives, and against what their scores should stand for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from autoimb.strategy.models.losses import (
    Asymmetric,
    Focal,
    LogitAdjusted,
    Loss,
    Margins,
    Poly,
    start_from_prior,
)

SHARES = {2: np.array([0.9, 0.1]), 3: np.array([0.8, 0.15, 0.05])}


def losses(n_classes: int) -> list[Loss]:
    return [
        Focal(0.0), Focal(0.5), Focal(1.0), Focal(2.0), Focal(5.0),
        Poly(-0.9), Poly(0.0), Poly(3.0),
        Margins(SHARES[n_classes] ** -0.25), Margins(np.zeros(n_classes)),
        LogitAdjusted(SHARES[n_classes]), LogitAdjusted(SHARES[n_classes], tau=1.7),
        Asymmetric(), Asymmetric(1.0, 4.0, 0.0), Asymmetric(0.0, 0.0, 0.0),
        Asymmetric(0.5, 1.5, 0.2),
    ]  # fmt: skip


CASES = [(loss, n) for n in SHARES for loss in losses(n)]


def some_scores(n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(0, 2, (40, n_classes)), rng.integers(0, n_classes, 40)


@pytest.mark.parametrize(("loss", "n_classes"), CASES)
def test_derivatives_are_those_of_the_values(loss: Loss, n_classes: int) -> None:
    scores, y = some_scores(n_classes)
    gradients, hessians = loss.derive(scores, y)
    for row, own, first, second in zip(scores, y, gradients, hessians, strict=True):
        code = np.array([own])
        found = approx_fprime(row, lambda z, code=code: loss.values(z[None], code)[0], 1e-7)
        np.testing.assert_allclose(first, found, atol=1e-5)
        again = approx_fprime(row, lambda z, code=code: loss.derive(z[None], code)[0][0], 1e-7)
        np.testing.assert_allclose(second, np.diag(again), atol=1e-4)


@pytest.mark.parametrize(("loss", "n_classes"), CASES)
def test_scores_stand_for_the_probabilities_for_which_their_expected_loss_is_least(
    loss: Loss, n_classes: int
) -> None:
    goal = np.random.default_rng(1).dirichlet(5 * np.ones(n_classes), 5)
    for shares in goal:
        sizes = np.rint(1e6 * shares).astype(int)
        best = start_from_prior(loss, sizes)
        gradients, _ = loss.derive(np.tile(best, (n_classes, 1)), np.arange(n_classes))
        np.testing.assert_allclose(sizes @ gradients / sizes.sum(), 0, atol=1e-4)
        np.testing.assert_allclose(loss.posterior(best[None])[0], shares, atol=2e-3)


@pytest.mark.parametrize(("loss", "n_classes"), CASES)
def test_what_scores_stand_for_are_probabilities_that_rise_with_them(
    loss: Loss, n_classes: int
) -> None:
    ramp = np.linspace(-60, 60, 241)
    scores = np.zeros((len(ramp), n_classes))
    scores[:, -1] = ramp
    proba = loss.posterior(scores)
    assert np.isfinite(proba).all() and proba.min() >= 0
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (np.diff(proba[:, -1]) >= -1e-12).all()


@pytest.mark.parametrize("loss", [Focal(0.0), Poly(0.0), Margins(np.zeros(3))])
def test_without_their_parameter_they_are_the_log_loss(loss: Loss) -> None:
    scores, y = some_scores(3)
    expected = LogitAdjusted(np.ones(3) / 3)
    np.testing.assert_allclose(loss.values(scores, y), expected.values(scores, y))
    np.testing.assert_allclose(loss.posterior(scores), expected.posterior(scores))


def test_the_focal_loss_heeds_what_is_right_already_less() -> None:
    scores, y = np.array([[0.0, 3.0]]), np.array([1])
    pulls = [abs(Focal(gamma).derive(scores, y)[0][0, 1]) for gamma in (0.0, 1.0, 2.0)]
    assert pulls[0] > pulls[1] > pulls[2] > 0


def test_no_row_of_the_others_below_the_margin_is_heeded() -> None:
    loss = Asymmetric(0.0, 2.0, margin=0.2)
    gradients, hessians = loss.derive(np.array([[0.0, -2.0]]), np.array([0]))
    assert not gradients.any() and not hessians.any()
