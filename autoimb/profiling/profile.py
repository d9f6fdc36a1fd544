"""The profile of a table: sizes, skew and overlap, and the facts that a search space reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autoimb.data.dataset import Dataset
from autoimb.profiling.neighbours import minority_overlap

__all__ = ["FACTS", "Profile", "profile_dataset"]

# What `if` and `cap` of a search space may name.
FACTS = (
    "n_rows",
    "n_features",
    "n_categorical",
    "n_numeric",
    "n_classes",
    "n_minority",
    "imbalance_ratio",
    "missing_share",
    "max_neighbors",
)
# A column with more levels than this is called high-cardinality.
MANY_LEVELS = 20


@dataclass(frozen=True)
class Profile:
    """Figures that say how hard the data are.

    Attributes
    ----------
    n_rows, n_features, n_categorical : int
        Rows; features of the numeric matrix; those that hold categories.
    n_high_cardinality : int
        Categories with more than 20 levels.
    n_classes : int
    class_counts : mapping of str to int
        By label, most frequent first.
    minority : str
        The rarest class.
    n_minority : int
        Its rows.
    imbalance_ratio : float
        Rows of the most frequent class for each row of the rarest.
    missing_share : float
        Of the cells of the numeric matrix.
    n_duplicates : int
        Rows whose features equal those of an earlier row.
    overlap : float
        Share of other classes among the five nearest neighbours of minority rows.
    overlap_half_width : float
        Of its 95 % interval.
    overlap_at_random : float
        What the overlap would be if labels were dealt at random.
    dropped : mapping of str to str
        Columns that carry nothing, and why.
    """

    n_rows: int
    n_features: int
    n_categorical: int
    n_high_cardinality: int
    n_classes: int
    class_counts: Mapping[str, int]
    minority: str
    n_minority: int
    imbalance_ratio: float
    missing_share: float
    n_duplicates: int
    overlap: float
    overlap_half_width: float
    overlap_at_random: float
    dropped: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)

    @property
    def n_numeric(self) -> int:
        """Features that hold numbers."""
        return self.n_features - self.n_categorical

    def facts(self, n_folds: int) -> dict[str, float]:
        """Give the facts that a search space reads.

        Parameters
        ----------
        n_folds : int
            `max_neighbors` is one less than the rarest class has in a training part.

        Returns
        -------
        dict of str to float
            A value for every name in `FACTS`.
        """
        known = {name: float(getattr(self, name)) for name in FACTS if name != "max_neighbors"}
        in_training = self.n_minority - -(-self.n_minority // n_folds)
        return {**known, "max_neighbors": max(in_training - 1, 0)}

    def __str__(self) -> str:
        """Describe the data in two lines."""
        return (
            f"{self.n_rows:,} rows, {self.n_features} features "
            f"({self.n_categorical} categorical, {self.missing_share:.1%} of the cells missing), "
            f"{self.n_classes} classes\n"
            f"{self.n_minority:,} rows of class '{self.minority}' "
            f"({self.n_minority / self.n_rows:.2%}, 1 : {self.imbalance_ratio:.3g}); "
            f"{self.overlap:.0%} of their neighbours are of another class "
            f"({self.overlap_at_random:.0%} if labels were random)"
        )


def profile_dataset(dataset: Dataset, seed: int = 0) -> Profile:
    """Profile a dataset.

    Parameters
    ----------
    dataset : Dataset
    seed : int
        For the choice of rows whose neighbours are looked at.

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
    """
    sizes = dataset.class_counts
    rarest = int(sizes.argmin())
    labels = dataset.labels.by_code
    overlap, half_width = minority_overlap(dataset, seed)
    return Profile(
        n_rows=len(dataset.y),
        n_features=dataset.X.shape[1],
        n_categorical=sum(dataset.schema.is_categorical),
        n_high_cardinality=sum(n > MANY_LEVELS for n in dataset.schema.n_levels),
        n_classes=dataset.n_classes,
        class_counts={str(labels[k]): int(sizes[k]) for k in np.argsort(-sizes, kind="stable")},
        minority=str(labels[rarest]),
        n_minority=int(sizes[rarest]),
        imbalance_ratio=float(sizes.max() / sizes[rarest]),
        missing_share=float(np.isnan(dataset.X).mean()),
        n_duplicates=len(dataset.y) - dataset.n_distinct,
        overlap=overlap,
        overlap_half_width=half_width,
        overlap_at_random=float(1 - sizes[rarest] / len(dataset.y)),
        dropped={str(c.name): c.why_dropped for c in dataset.schema.columns if c.kind == "dropped"},
    )
