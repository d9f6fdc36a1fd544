"""Neural oversamplers draw rows like those of a class; the network predicts without PyTorch."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Command
from sklearn.metrics import roc_auc_score

from autoimb.strategy.deep.models import LOSSES, DeepMLP
from autoimb.strategy.deep.samplers import (
    DenoisingAutoencoderSampler,
    GenerativeAdversarialSampler,
    VariationalAutoencoderSampler,
)
from autoimb.strategy.encoding import Encoder
from autoimb.strategy.resampling import resample
from autoimb.strategy.search_space import load_space

torch = pytest.importorskip("torch")

SAMPLERS: dict[str, Callable[..., Any]] = {
    "denoising": DenoisingAutoencoderSampler,
    "posterior": VariationalAutoencoderSampler,
    "prior": lambda **settings: VariationalAutoencoderSampler(source="prior", **settings),
    "adversarial": GenerativeAdversarialSampler,
}
each_sampler = pytest.mark.parametrize("name", SAMPLERS)
each_loss = pytest.mark.parametrize("loss", LOSSES)


def draw(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw round classes, and a rare one that is narrow, elsewhere and correlated."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.normal(size=(len(y), 4)) + 3 * (y == 1)[:, None] * [0, 0, 0, 1]
    rare = y == len(sizes) - 1
    X[rare] = rng.multivariate_normal([2, 0, 0, -1], COVARIANCE, rare.sum())
    return X, y


COVARIANCE = 0.5 * np.array([[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, -0.6], [0, 0, -0.6, 1]])


@each_sampler
def test_rows_are_like_those_of_their_class(name: str) -> None:
    X, y = draw([1000, 200])
    X_more, y_more = SAMPLERS[name](random_state=0).fit_resample(X, y)
    made, real = X_more[len(X) :], X[y == 1]
    assert len(made) == 800
    assert (y_more[len(X) :] == 1).all()
    np.testing.assert_allclose(made.mean(axis=0), real.mean(axis=0), atol=0.2)
    spread = 0.5 if name == "adversarial" else 0.2  # a generator narrows some column
    np.testing.assert_allclose(made.std(axis=0), real.std(axis=0), rtol=spread)
    found, wanted = np.corrcoef(made.T), np.corrcoef(real.T)
    np.testing.assert_allclose(found, wanted, atol=0.35)
    assert found[0, 1] > 0.5
    assert found[2, 3] < -0.3
    # drawn, not copied
    assert not (made[:, None] == real[None]).all(axis=2).any()
    assert len(np.unique(made, axis=0)) == len(made)


@each_sampler
def test_original_rows_come_first_and_sizes_are_as_asked(name: str) -> None:
    X, y = draw([90, 20, 12])
    sampler = SAMPLERS[name](sampling_strategy={1: 20, 2: 31}, n_steps=5, random_state=0)
    X_more, y_more = sampler.fit_resample(X.astype(np.float32), y)
    assert X_more.dtype == np.float32
    np.testing.assert_array_equal(X_more[: len(X)], X.astype(np.float32))
    np.testing.assert_array_equal(y_more[: len(y)], y)
    assert np.bincount(y_more).tolist() == [90, 20, 31]


@each_sampler
def test_each_of_several_classes_is_drawn_for_itself(name: str) -> None:
    X, y = draw([600, 100, 60])
    X_more, y_more = SAMPLERS[name](random_state=0).fit_resample(X, y + 5)
    assert np.bincount(y_more).tolist()[5:] == [600, 600, 600]
    made, labels = X_more[len(X) :], y_more[len(X) :]
    for k in (1, 2):
        real = X[y == k].mean(axis=0)
        np.testing.assert_allclose(made[labels == k + 5].mean(axis=0), real, atol=0.5)


@each_sampler
@pytest.mark.parametrize("n_rare", [1, 3])
def test_a_few_rows_are_enough(name: str, n_rare: int) -> None:
    X, y = draw([200, n_rare])
    X[:, 2] = 7.0
    X_more, y_more = SAMPLERS[name](random_state=0, n_steps=100).fit_resample(X, y)
    assert np.bincount(y_more).tolist() == [200, 200]
    assert np.isfinite(X_more).all()
    assert (X_more[:, 2] == 7.0).all()
    assert (X_more.min(axis=0) == X.min(axis=0)).all()
    assert (X_more.max(axis=0) == X.max(axis=0)).all()


@each_sampler
def test_one_seed_gives_one_result_and_nothing_else_changes(name: str) -> None:
    X, y = draw([80, 15])
    torch.manual_seed(3)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
        runs = []
        for seed, other in ((0, 1), (0, 2), (1, 1)):
            with torch.no_grad():
                runs.append(SAMPLERS[name](random_state=seed, n_steps=20).fit_resample(X, y)[0])
            assert torch.equal(torch.get_rng_state(), state)
            assert torch.get_num_threads() == 2
            assert (np.random.get_state()[1] == numpy_state).all()
            state = torch.manual_seed(other).get_state()
    finally:
        torch.set_num_threads(n_threads)
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@each_sampler
def test_synthetic_rows_become_rows_of_the_table(name: str) -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [150, 30])
    X = np.column_stack([rng.normal(size=180), rng.integers(0, 3, 180), rng.integers(0, 40, 180)])
    X[::9, 0], X[::7, 1] = np.nan, np.nan
    encoder = Encoder("scaled", (0, 3, 40))
    sampler = SAMPLERS[name](random_state=0, n_steps=50)
    made = resample(sampler, encoder, encoder.fit_transform(X, y), y)
    assert made.kept.tolist() == list(range(180))
    assert len(made.synthetic) == 120
    for j, n_levels in ((1, 3), (2, 40)):
        known = made.synthetic[~np.isnan(made.synthetic[:, j]), j]
        assert set(known) <= set(range(n_levels))
        assert len(set(known)) > 1


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(ValueError, match="source must be one of posterior, prior, but is 'x'"):
        VariationalAutoencoderSampler(source="x").fit_resample(*draw([20, 5]))


# ---------------------------------------------------------------- the classifier


@each_loss
@pytest.mark.parametrize("sizes", [[2000, 150], [2000, 200, 120]])
def test_probabilities_are_those_of_the_natural_prevalence(loss: str, sizes: list[int]) -> None:
    X, y = draw(sizes)
    X_test, y_test = draw([3 * size for size in sizes], seed=1)
    model = DeepMLP(loss, n_steps=400, random_state=0).fit(X, y)
    proba = model.predict_proba(X_test)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(proba.mean(axis=0), np.bincount(y_test) / len(y_test), rtol=0.35)
    assert roc_auc_score(y_test == len(sizes) - 1, proba[:, -1]) > 0.93


def test_losses_rank_rows_in_different_ways() -> None:
    X, y = draw([500, 40])
    ranks = [
        DeepMLP(loss, n_steps=100, random_state=0).fit(X, y).predict_proba(X)[:, 1].argsort()
        for loss in LOSSES
    ]
    assert not any(np.array_equal(ranks[i], ranks[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


@each_loss
def test_one_seed_gives_one_model_that_few_rows_are_enough_for(loss: str) -> None:
    X, y = draw([40, 3])
    labels = np.array(["no", "yes"])[y]
    state, n_threads = torch.get_rng_state(), torch.get_num_threads()
    models = [DeepMLP(loss, n_steps=60, random_state=0).fit(X, labels) for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == n_threads
    np.testing.assert_array_equal(*(model.predict_proba(X) for model in models))
    assert set(models[0].predict(X)) <= {"no", "yes"}


@each_loss
def test_weights_count_as_copies_do(loss: str) -> None:
    X, y = draw([600, 60])
    fits = [
        DeepMLP(loss, n_steps=300, random_state=0).fit(X, y, sample_weight=weight)
        for weight in (None, np.full(len(y), 3.0), np.where(y == 1, 5.0, 1.0))
    ]
    plain, scaled, heavy = (fit.predict_proba(X)[:, 1] for fit in fits)
    np.testing.assert_allclose(plain, scaled, atol=1e-5)
    if loss == "ldam":
        assert abs(heavy.mean() - y.mean()) < 0.05
    else:
        assert heavy.mean() > 1.2 * plain.mean()


def test_pickled_models_predict_where_there_is_no_torch(
    fresh_python: Command, tmp_path: Path
) -> None:
    X, y = draw([200, 30])
    models = [DeepMLP(loss, n_steps=40, random_state=0).fit(X, y) for loss in LOSSES]
    assert all(len(pickle.dumps(model)) < 60_000 for model in models)
    (tmp_path / "models.pkl").write_bytes(pickle.dumps((models, X)))
    done = fresh_python(
        "import json, pickle, sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.split('.')[0] == 'torch': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "models, X = pickle.load(open('models.pkl', 'rb'))\n"
        "print(json.dumps([model.predict_proba(X).tolist() for model in models]))"
    )
    assert done.code == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout), [m.predict_proba(X) for m in models])


@pytest.mark.parametrize(
    ("settings", "y", "message"),
    [
        ({"loss": "focal"}, [0, 1], "loss must be one of balanced_softmax, ldam, cross_entropy"),
        ({}, [1, 1], "two classes or more"),
    ],
)
def test_what_cannot_be_trained_is_told(settings: Any, y: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DeepMLP(**settings).fit(np.zeros((2, 1)), y)


# ---------------------------------------------------------------- beside the rest


def test_the_default_space_knows_nothing_of_it() -> None:
    for name in ("default", "fast", "interpretable", "thorough"):
        stages = load_space(name).stages.values()
        assert not any("deep" in (c.class_path or "") for stage in stages for c in stage)


def test_reading_the_space_takes_no_torch_and_without_it_is_the_default(
    fresh_python: Command,
) -> None:
    done = fresh_python(
        "import importlib.util, sys\n"
        "from autoimb.strategy import search_space\n"
        "load = search_space.load_space\n"
        "assert len(load('deep').missing) == 0\n"
        "assert 'torch' not in sys.modules\n"
        "found = search_space.find_spec\n"
        "search_space.find_spec = lambda name: None if name == 'torch' else found(name)\n"
        "assert load('deep').stages == load('default').stages\n"
        "assert list(load('deep').missing.values()) == ['torch'] * 4"
    )
    assert done.code == 0, done.stderr
