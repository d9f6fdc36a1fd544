"""From a dataset to its profile."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np

from autoimb.arrays import BoolArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.profiling.checks import find_faults
from autoimb.profiling.class_view import ClassView, checked, draw_rows, view_class
from autoimb.profiling.distances import DistanceEncoder
from autoimb.profiling.evidence import Evidence
from autoimb.profiling.interpretation import interpret
from autoimb.profiling.marginal import fisher_ratio, spread_over_groups
from autoimb.profiling.measures import MEASURES, Estimate, undefined
from autoimb.profiling.power import power_card
from autoimb.profiling.profile import ClassProfile, Profile
from autoimb.profiling.sampling import thin
from autoimb.profiling.sketch import (
    Axes,
    Sketch,
    principal_axes,
    sketch_features,
    sketch_plane,
)
from autoimb.profiling.skew import class_entropy_gap, imbalance_degree, rare_classes
from autoimb.threads import limit_threads

__all__ = ["profile_dataset"]

# Rows of each class that the means and variances of columns are taken from, and of the table
# for its principal axes; fewer where columns are many.
TABLE_ROWS = 20_000
TABLE_CELLS = 2e6
# Points of a picture in each of the two groups: more only hide one another.
SHOWN_ROWS = 800

WHY_NO_FEATURE = "no column tells rows apart"


def profile_dataset(dataset: Dataset, seed: int = 0, *, share: float = 1.0) -> Profile:
    """Profile a dataset.

    Parameters
    ----------
    dataset : Dataset
    seed : int
        For the choice of rows where not all are looked at, and for ties.
    share : float
        In (0, 1]: part of the usual work that may be spent. Of a large table fewer rows are asked
        for their neighbours then, which widens the intervals.

    Returns
    -------
    Profile

    Examples
    --------
    >>> import pandas as pd
    >>> from autoimb.data.dataset import make_dataset
    >>> table = pd.DataFrame({"x": [*range(20), *range(100, 105)]})
    >>> profile = profile_dataset(make_dataset(table, ["no"] * 20 + ["yes"] * 5))
    >>> profile.imbalance_ratio, profile.facts(5)["max_neighbors"]
    (4.0, 3)
    >>> print(profile.measures["kdn"])
    0.2
    """
    # One thread for matrix products: the scan runs as many of them at a time as there are cores.
    with limit_threads(1, "blas"):
        return _profile(dataset, seed, share)


def _profile(dataset: Dataset, seed: int, share: float) -> Profile:
    sizes, n_rows = dataset.class_counts, len(dataset.y)
    rare = rare_classes(sizes)
    labels = [str(label) for label in dataset.labels.by_code]
    encoder = DistanceEncoder.fit(dataset) if dataset.X.shape[1] else None
    views = _view_classes(dataset, encoder, rare, seed, share) if encoder else ()
    absent = {n: undefined(WHY_NO_FEATURE) for n, m in MEASURES.items() if m.of_a_class}
    classes = tuple(
        ClassProfile(labels[c], int(sizes[c]), views[i].measures if views else absent)
        for i, c in enumerate(rare)
    )
    axes, of_table = _measure_table(dataset, encoder, seed)
    measures = checked({**of_table, **_mean(classes, n_rows)})
    rarest, of_rarest = classes[0], {**measures, **classes[0].measures}
    ratio = float(sizes.max() / rarest.n_rows)
    return Profile(
        name=dataset.name,
        target=str(dataset.target),
        n_rows=n_rows,
        n_features=dataset.X.shape[1],
        n_categorical=sum(dataset.schema.is_categorical),
        n_classes=dataset.n_classes,
        class_counts={labels[k]: int(sizes[k]) for k in np.argsort(-sizes, kind="stable")},
        minority=rarest.label,
        n_minority=rarest.n_rows,
        imbalance_ratio=ratio,
        missing_share=of_table["missing_share"].value or 0.0,
        dropped={str(c.name): c.why_dropped for c in dataset.schema.columns if c.kind == "dropped"},
        measures=measures,
        worst=_worst(classes),
        classes=classes,
        power=power_card(rarest.n_rows),
        findings=find_faults(Evidence(dataset, int(rare[0]), of_rarest, views)),
        interpretation=interpret(of_rarest, rarest.n_rows, n_rows, ratio),
        sketch=_sketch(dataset, encoder, axes, views[0], seed) if encoder and axes else None,
    )


def _view_classes(
    dataset: Dataset, encoder: DistanceEncoder, codes: IntArray, seed: int, share: float
) -> tuple[ClassView, ...]:
    n_views, n_threads = len(codes), os.cpu_count() or 1
    return tuple(
        view_class(
            dataset, encoder, int(c), seed, n_views=n_views, share=share, n_threads=n_threads
        )
        for c in codes
    )


def _measure_table(
    dataset: Dataset, encoder: DistanceEncoder | None, seed: int
) -> tuple[Axes | None, dict[str, Estimate]]:
    """Measure what is of the whole table rather than of a class."""
    sizes, X = dataset.class_counts, dataset.X
    n, n_features = X.shape
    n_columns = encoder.n_columns if encoder else 0
    values = {
        "log10_rows": np.log10(n),
        "n_features": n_features,
        "categorical_share": sum(dataset.schema.is_categorical) / max(n_features, 1),
        "missing_share": np.isnan(X).mean() if n_features else 0.0,
        "n_classes": dataset.n_classes,
        "log10_minority": np.log10(sizes.min()),
        "log10_imbalance_ratio": np.log10(sizes.max() / sizes.min()),
        "c1": class_entropy_gap(sizes),
        "imbalance_degree": imbalance_degree(sizes),
    }
    found = {name: Estimate(float(value), n_used=n) for name, value in values.items()}
    names = ("minority_per_column", "fisher_f1", "t4")
    if encoder is None:
        return None, found | dict.fromkeys(names, undefined(WHY_NO_FEATURE))
    found["minority_per_column"] = Estimate(float(sizes.min() / n_columns), n_used=n)
    few = min(TABLE_ROWS, max(int(TABLE_CELLS / n_columns), 50))
    rows = thin(np.arange(n), few, np.random.default_rng(seed))
    Z = encoder.encode(X[rows])
    axes = principal_axes(Z)
    same = np.zeros(len(rows), dtype=np.intp)
    is_whole = np.array([len(rows) == n])
    found["t4"] = _estimate(lambda part: principal_axes(Z[part]).share_needed, same, is_whole)
    found["fisher_f1"] = _fisher_ratio(dataset, encoder, seed)
    return axes, found


def _fisher_ratio(dataset: Dataset, encoder: DistanceEncoder, seed: int) -> Estimate:
    sizes = dataset.class_counts
    n_each = int(min(TABLE_ROWS, 5 * TABLE_CELLS / encoder.n_columns)) * 2 // len(sizes)
    rows = draw_rows(dataset.y, max(n_each, 20), seed)
    Z, y = encoder.encode(dataset.X[rows]), dataset.y[rows]
    is_whole = sizes <= max(n_each, 20)
    return _estimate(lambda part: fisher_ratio(Z[part], y[part], sizes), y, is_whole)


def _estimate(
    measure: Callable[[IntArray], float], strata: IntArray, is_whole: BoolArray
) -> Estimate:
    """Measure a sample, with an interval if rows were left out."""
    value = measure(np.arange(len(strata)))
    if is_whole.all():
        return Estimate(value, n_used=len(strata))
    width = spread_over_groups(lambda part: {"": measure(part)}, strata, is_whole)[""]
    return Estimate(value, width, len(strata))


def _mean(classes: Sequence[ClassProfile], n_rows: int) -> dict[str, Estimate]:
    """Average over classes, weighted by their rows; those without a value are left out."""
    found = {}
    for name in classes[0].measures:
        defined = [(c.measures[name], c.n_rows) for c in classes]
        defined = [(e, n) for e, n in defined if e.value is not None]
        total = sum(n for _, n in defined)
        if not defined:
            found[name] = classes[0].measures[name]
            continue
        found[name] = Estimate(
            sum((e.value or 0.0) * n for e, n in defined) / total,
            float(np.sqrt(sum((e.half_width * n) ** 2 for e, n in defined)) / total),
            # Samples of the rest may overlap: never more than there are.
            min(sum(e.n_used for e, _ in defined), n_rows),
            max(e.n_ref for e, _ in defined),
        )
    return found


def _worst(classes: Sequence[ClassProfile]) -> dict[str, Estimate]:
    """Take each measure from the class where it is hardest."""
    found = {}
    for name in classes[0].measures:
        defined = [e for c in classes if (e := c.measures[name]).value is not None]
        hardest = max if MEASURES[name].worse == "high" else min
        worst = hardest(defined, key=lambda e: e.value or 0.0) if defined else None
        found[name] = worst or classes[0].measures[name]
    return found


def _sketch(
    dataset: Dataset, encoder: DistanceEncoder, axes: Axes, view: ClassView, seed: int
) -> Sketch:
    rng = np.random.default_rng(seed)
    members = thin(view.near.queries, SHOWN_ROWS, rng)
    others = thin(np.flatnonzero(dataset.y != view.code), SHOWN_ROWS, rng)
    rows = np.concatenate([others, members])
    is_member = np.arange(len(rows)) >= len(others)
    Z = encoder.encode(dataset.X[rows])
    points, kinds = sketch_plane(axes, Z, is_member, rows, view.near)
    kept = dataset.schema.kept
    return Sketch(
        points,
        kinds,
        explained=(float(axes.explained[0]), float(axes.explained[1])),
        features=sketch_features(
            view.sample,
            view.overlaps,
            view.auc,
            dataset.schema.feature_names,
            [c.levels for c in kept for _ in c.feature_names],
        ),
    )
