"""All of imbalanced-learn: what has no table is found, unasked; what it draws is a valid table."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import imblearn
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.utils.testing import all_estimators

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import make_dataset
from autoimb.profiling.describing import profile_dataset
from autoimb.strategy.parameters import Constant, Options, Parameter
from autoimb.strategy.pipeline import TrainingPart, build, draw
from autoimb.strategy.resampling import BalanceTowards, Resampled
from autoimb.strategy.search_space import Component, import_class, load_space

SPACES = ("default", "thorough")
WITHOUT_TABLE = {
    "FunctionSampler": "it is whatever its function is; a sampler of one's own is a table already",
    "Pipeline": "a configuration is one",
    "ValueDifferenceMetric": "a distance, which SMOTEN uses",
}
OFFERED = {
    "random_state", "n_jobs", "verbose", "categorical_features",
}  # fmt: skip
FIXED = {
    "categorical_encoder": "it would give back the same codes",
    "ClusterCentroids.estimator": "TOML holds no objects; k-means is what the paper has",
    "InstanceHardnessThreshold.estimator": "TOML holds no objects; a forest by default",
    "SVMSMOTE.svm_estimator": "TOML holds no objects",
    "NeighbourhoodCleaningRule.edited_nearest_neighbours": "n_neighbors sets it",
    "SMOTEENN.smote": "TOML holds no objects; five neighbours",
    "SMOTEENN.enn": "TOML holds no objects; edited_neighbours is a table of its own",
    "SMOTETomek.smote": "TOML holds no objects; five neighbours",
    "SMOTETomek.tomek": "Tomek links have no parameters",
    "RepeatedEditedNearestNeighbours.max_iter": "it repeats until nothing changes",
    "estimator": "the stage of ensembles has the same around every model",
    "BalancedBaggingClassifier.sampler": "the stage of ensembles has other samplers inside",
    "oob_score": "folds score",
    "warm_start": "nothing is trained twice",
    "RUSBoostClassifier.algorithm": "SAMME is the only one left",
    "BalancedRandomForestClassifier.class_weight": "weights are a stage",
    "BalancedRandomForestClassifier.max_samples": "balance is how many rows a tree sees",
    "BalancedRandomForestClassifier.monotonic_cst": "it is for who knows the columns",
    **{
        f"BalancedRandomForestClassifier.{name}": "min_samples_leaf bounds how trees grow"
        for name in (
            "max_depth", "min_samples_split", "min_weight_fraction_leaf", "max_leaf_nodes",
            "min_impurity_decrease", "ccp_alpha",
        )
    },
}  # fmt: skip
# "auto" is one of the others, log-loss is entropy, and a share is searched instead of a root.
SAME_AS_ANOTHER = {"auto", "log_loss", "sqrt", "log2"}

CLASSES: dict[str, type] = dict(all_estimators())
# What may be said of data that a sampler can do nothing with; the trial then fails by name.
REASONS = (
    "No clusters found", "No samples will be generated", "left a class without rows",
    "All support vectors are considered as noise",
    "cannot convert float NaN to integer",  # KMeansSMOTE, of a cluster of copies
)  # fmt: skip


@functools.cache
def components() -> tuple[Component, ...]:
    """List the tables whose class is of imbalanced-learn."""
    stages = (load_space(name).stages for name in SPACES)
    found = [one for space in stages for stage in space.values() for one in stage]
    return tuple(c for c in found if (c.class_path or "").startswith("imblearn."))


def tables_of(name: str) -> list[Component]:
    return [c for c in components() if import_class(str(c.class_path)) is CLASSES[name]]


SAMPLERS = {c.name: c for c in components() if c.stage == "sampler"}  # those of thorough last
OVER = [
    c.name
    for c in SAMPLERS.values()
    if getattr(import_class(str(c.class_path)), "_sampling_type", "") == "over-sampling"
]


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_has_a_table_or_a_reason_for_none(name: str) -> None:
    assert bool(tables_of(name)) != (name in WITHOUT_TABLE), (
        f"{name} of imbalanced-learn {imblearn.__version__} has no table in {SPACES}: add one, or "
        "say in WITHOUT_TABLE why not"
    )


def parameters_of(name: str) -> Iterator[tuple[str, list[Any]]]:
    constraints = CLASSES[name]._parameter_constraints  # type: ignore[attr-defined]
    for parameter, allowed in constraints.items():
        if parameter in OFFERED or parameter in FIXED or f"{name}.{parameter}" in FIXED:
            continue
        yield parameter, [a for a in allowed if a not in (callable, None)]


@pytest.mark.parametrize("name", sorted(set(CLASSES) - set(WITHOUT_TABLE)))
def test_every_parameter_is_searched_and_every_option_tried(name: str) -> None:
    for parameter, allowed in parameters_of(name):
        if parameter == "sampling_strategy":
            continue
        tried = [c.parameters[parameter] for c in tables_of(name) if parameter in c.parameters]
        assert tried, f"no table of {name} sets {parameter}"
        options = {o for a in allowed for o in getattr(a, "options", ()) if isinstance(o, str)}
        for option in options - SAME_AS_ANOTHER:
            assert any(option in values(p) for p in tried), f"{name}.{parameter}: {option}"


def values(parameter: Parameter) -> tuple[Any, ...]:
    if isinstance(parameter, Options):
        return parameter.values
    return (parameter.value,) if isinstance(parameter, Constant) else ()


def test_every_version_of_near_miss_is_tried() -> None:
    versions = [v for c in tables_of("NearMiss") for v in values(c.parameters["version"])]
    assert set(versions) == {1, 2, 3}


@pytest.mark.parametrize("name", sorted(set(CLASSES) - set(WITHOUT_TABLE)))
def test_the_ratio_is_searched_wherever_there_is_one(name: str) -> None:
    """Cleaning takes no sizes; which classes it cleans is then what is searched."""
    constraints = CLASSES[name]._parameter_constraints  # type: ignore[attr-defined]
    has_ratio = any(a in (dict, Mapping) for a in constraints["sampling_strategy"])
    found = tables_of(name)
    assert all((c.balance is not None) == has_ratio for c in found)
    assert has_ratio or any("sampling_strategy" in c.parameters for c in found)


def choose(component: Component, facts: Mapping[str, float], seed: int | None) -> Any:
    rng = None if seed is None else np.random.default_rng(seed)
    return component.capped(facts).choose(
        lambda _, parameter: parameter.default if rng is None else parameter.sample(rng)
    )


def part_of(X: FloatArray, y: IntArray, levels: tuple[int, ...]) -> TrainingPart:
    return TrainingPart(X, y, levels, int(y.max()) + 1, seed=0)


def facts_of(X: FloatArray, y: IntArray, levels: tuple[int, ...]) -> dict[str, float]:
    """Give what the tables of imbalanced-learn ask for, of a part that is trained on."""
    sizes, is_number = np.bincount(y), np.array(levels) == 0
    return {
        "n_rows": len(y),
        "n_minority": sizes.min(),
        "max_neighbors": sizes.min() - 1,
        "n_numeric": is_number.sum(),
        "n_categorical": (~is_number).sum(),
        "imbalance_ratio": sizes.max() / sizes.min(),
    }


@st.composite
def tables(draw: Any) -> tuple[FloatArray, IntArray, tuple[int, ...]]:
    """Numbers, whole and wild, and categories of few and many levels; gaps, constants, copies."""
    levels = tuple(draw(st.lists(st.sampled_from([0, 0, 1, 2, 5, 30]), min_size=1, max_size=4)))
    sizes = draw(st.sampled_from([(30, 3), (30, 9), (25, 12, 5), (20, 20, 4)]))
    y = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([1.0, 1e-9, 1e9, 1e30]))
    gaps = draw(st.sampled_from([0.0, 0.1, 0.6]))
    whole = draw(st.booleans())
    columns = [
        rng.integers(0, k, len(y)).astype(float) if k else rng.normal(size=len(y)) * scale
        for k in levels
    ]
    X = np.column_stack([np.rint(c) if whole else c for c in columns])
    X[rng.random(X.shape) < gaps] = np.nan
    return X, y, levels


def is_valid(X: FloatArray, made: FloatArray, levels: tuple[int, ...]) -> bool:
    """Tell whether cells are missing, a level, or a number no further out than real ones."""
    assert made.shape == (len(made), len(levels))
    for j, n_levels in enumerate(levels):
        found, real = made[~np.isnan(made[:, j]), j], X[~np.isnan(X[:, j]), j]
        if n_levels:
            assert set(found) <= set(range(n_levels))
        elif len(found) and len(real):
            assert real.min() <= found.min() <= found.max() <= real.max()
        assert np.isfinite(found).all()
    return True


def draw_rows(
    name: str, table: tuple[FloatArray, IntArray, tuple[int, ...]], seed: int | None
) -> Resampled | None:
    """Let a sampler draw; None where its `if` rules the table out or it gives a known reason."""
    component, facts = SAMPLERS[name], facts_of(*table)
    if not component.suits(facts):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return draw(choose(component, facts, seed), part_of(*table), n_threads=1, seed=0)
    except (ValueError, RuntimeError) as error:
        assert any(reason in str(error) for reason in REASONS), (name, str(error))
        return None


@pytest.mark.parametrize("name", OVER)
@settings(max_examples=25, deadline=None)
@given(table=tables(), seed=st.none() | st.integers(0, 99))
def test_an_over_sampler_gives_back_a_valid_table(
    name: str, table: tuple[FloatArray, IntArray, tuple[int, ...]], seed: int | None
) -> None:
    X, y, levels = table
    found = draw_rows(name, table, seed)
    if found is None:
        return
    assert len(found.y) == len(found.kept) + len(found.synthetic)
    np.testing.assert_array_equal(found.y[: len(found.kept)], y[found.kept])
    assert is_valid(X, found.synthetic, levels)


def blobs(n_classes: int, levels: tuple[int, ...]) -> tuple[FloatArray, IntArray, tuple[int, ...]]:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(n_classes), [200, 60, 30][:n_classes])
    X = np.column_stack(
        [(rng.integers(0, k, len(y)) + y) % k if k else rng.normal(size=len(y)) + y for k in levels]
    ).astype(float)
    return X, y, levels


KINDS = {"numbers": (0, 0, 0), "both": (0, 4, 0, 30), "categories": (4, 3, 30)}


@pytest.mark.parametrize(
    ("kind", "categorical"),
    [("numbers", set()), ("both", {"smotenc"}), ("categories", {"smoten"})],
)
def test_the_data_choose_the_form_for_categories(kind: str, categorical: set[str]) -> None:
    X, y, levels = blobs(2, KINDS[kind])
    table = pd.DataFrame(
        {
            f"c{j}": pd.Series(X[:, j]).map(lambda v: f"v{v:.0f}") if k else X[:, j]
            for j, k in enumerate(levels)
        }
    )
    facts = profile_dataset(make_dataset(table, y)).facts(5)
    kept = {c.name for c in load_space("thorough").restricted_to(facts).stages["sampler"]}
    assert kept & {"smotenc", "smoten"} == categorical
    assert {"none", "random_over", "smote"} <= kept


# Cleaning after SMOTE takes rows away again.
RATIOS = [n for n, c in SAMPLERS.items() if c.balance and n not in ("smote_enn", "smote_tomek")]
# Those that draw where it is hard, or by clusters, come near the sizes wished for.
NEARLY = {"adasyn": 0.25, "svm_smote": 0.02, "kmeans_smote": 0.1, "instance_hardness": 0.5}


@pytest.mark.parametrize("share", [0.4, 1.0])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", RATIOS)
def test_the_sizes_are_those_wished_for(name: str, n_classes: int, share: float) -> None:
    table = blobs(
        n_classes, KINDS[{"smotenc": "both", "smoten": "categories"}.get(name, "numbers")]
    )
    component, facts = SAMPLERS[name], facts_of(*table)
    assert component.suits(facts)
    choice = component.capped(facts).choose(
        lambda full, p: share if full.endswith(".balance") else p.default
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = draw(choice, part_of(*table), n_threads=1, seed=0)
    sizes = np.bincount(table[1])
    for code, size in BalanceTowards(share, "over" if name in OVER else "under")(table[1]).items():
        sizes[code] = size
    if name == "near_miss_3":  # it chooses among the neighbours of rare rows, who may be fewer
        assert (np.bincount(found.y) <= sizes).all()
        return
    np.testing.assert_allclose(np.bincount(found.y), sizes, rtol=NEARLY.get(name, 0.0))


def test_a_smoothed_bootstrap_makes_rows_and_a_plain_one_copies_them() -> None:
    table = blobs(2, KINDS["both"])
    smoothed, plain = (draw_rows(name, table, None) for name in ("rose", "random_over"))
    assert smoothed is not None
    assert plain is not None
    n, n_wished = len(table[1]), BalanceTowards(0.5, "over")(table[1])[1]
    assert (len(smoothed.kept), len(smoothed.synthetic)) == (n, n_wished - 60)
    assert (len(plain.kept), len(plain.synthetic)) == (n + n_wished - 60, 0)
    # what would lie outside of the range of real ones is put on its bounds
    moved = ~np.isin(smoothed.synthetic[:, [0, 2]], table[0][:, [0, 2]])
    assert moved.mean() > 0.9


def test_smoten_draws_what_neighbours_have_most_often() -> None:
    X = np.repeat([[0.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [40, 7, 1], axis=0)
    y = np.repeat([0, 1], [40, 8])
    found = draw_rows("smoten", (X, y, (3, 3)), None)
    assert found is not None
    assert len(found.synthetic)
    np.testing.assert_array_equal(np.unique(found.synthetic, axis=0), [[1, 1]])


@pytest.mark.parametrize("name", [n for n, c in SAMPLERS.items() if not c.balance])
def test_cleaning_leaves_rows_out_and_makes_none(name: str) -> None:
    X, y, levels = blobs(3, KINDS["both"])
    found = draw_rows(name, (X, y, levels), None)
    assert found is not None
    assert not len(found.synthetic)
    assert len(np.unique(found.kept)) == len(found.kept) < len(y)
    np.testing.assert_array_equal(np.bincount(found.y)[2], 30)


def test_a_table_is_built_for_every_ensemble() -> None:
    for component in components():
        if component.stage == "model":
            X, y, levels = blobs(2, KINDS["both"])
            part = part_of(X, y, levels)
            encoder, Z = part.encoded(component.input)
            choice = choose(component, facts_of(X, y, levels), 1)
            model = build(choice, encoder, n_threads=1, seed=0)
            model.set_params(n_estimators=2)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert model.fit(Z, y).predict_proba(Z).shape == (len(y), 2)
