"""The profile of a table: what makes it hard, and the facts that a search space reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from autoimb.profiling.findings import Finding
from autoimb.profiling.interpretation import Reading
from autoimb.profiling.measures import MEASURES, Estimate
from autoimb.profiling.power import PowerCard
from autoimb.profiling.sketch import Sketch

__all__ = ["FACTS", "ClassProfile", "Profile"]

COUNTS = (
    "n_rows",
    "n_features",
    "n_categorical",
    "n_numeric",
    "n_classes",
    "n_minority",
    "imbalance_ratio",
    "missing_share",
)
# What `if` and `cap` of a search space may name.
FACTS = tuple(dict.fromkeys((*COUNTS, "max_neighbors", *MEASURES)))


@dataclass(frozen=True)
class ClassProfile:
    """What is known of one rare class, seen against all other rows.

    Attributes
    ----------
    label : str
    n_rows : int
    measures : mapping of str to Estimate
    """

    label: str
    n_rows: int
    measures: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        measures = {name: asdict(estimate) for name, estimate in self.measures.items()}
        return {"label": self.label, "n_rows": self.n_rows, "measures": measures}


@dataclass(frozen=True)
class Profile:
    """Figures that say how hard the data are, and what to know about them.

    Attributes
    ----------
    name, target : str
        How the data and the target are called.
    n_rows, n_features, n_categorical : int
        Rows; features of the numeric matrix; those that hold categories.
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
    dropped : mapping of str to str
        Columns that carry nothing, and why.
    measures : mapping of str to Estimate
        Of the whole table and, for what is measured class by class, the mean over rare classes
        weighted by their rows. `autoimb.profiling.measures.MEASURES` says what each is.
    worst : mapping of str to Estimate
        Of the rare class where it is hardest.
    classes : tuple of ClassProfile
        Every class rarer than the average, the rarest first.
    power : PowerCard
        What the number of rows of the rarest class can show.
    findings : tuple of Finding
        What may be wrong with the data, the worst first.
    interpretation : tuple of Reading
        What the measures mean for the choice of a strategy.
    sketch : Sketch or None
        What the pictures show; None without features.
    """

    name: str
    target: str
    n_rows: int
    n_features: int
    n_categorical: int
    n_classes: int
    class_counts: Mapping[str, int]
    minority: str
    n_minority: int
    imbalance_ratio: float
    missing_share: float
    dropped: Mapping[str, str]
    measures: Mapping[str, Estimate]
    worst: Mapping[str, Estimate]
    classes: tuple[ClassProfile, ...]
    power: PowerCard
    findings: tuple[Finding, ...]
    interpretation: tuple[Reading, ...]
    sketch: Sketch | None

    @property
    def n_numeric(self) -> int:
        """Features that hold numbers."""
        return self.n_features - self.n_categorical

    def facts(self, n_folds: int, in_training: int | None = None) -> dict[str, float]:
        """Give the facts that a search space reads.

        Parameters
        ----------
        n_folds : int
            `max_neighbors` is one less than the rarest class has in a training part.
        in_training : int, optional
            How many those are, where folds are not equally large.

        Returns
        -------
        dict of str to float
            A value for every name in `FACTS`; NaN, which lies in no interval and caps nothing,
            for a measure that is not defined.
        """
        values = {name: self.measures[name].value for name in MEASURES}
        measured = {name: math.nan if x is None else x for name, x in values.items()}
        counted = {name: float(getattr(self, name)) for name in COUNTS}
        if in_training is None:
            in_training = self.n_minority - -(-self.n_minority // n_folds)
        return {**measured, **counted, "max_neighbors": max(in_training - 1, 0)}

    def figures(self) -> dict[str, str]:
        """Give every figure as text that sorts as its number does, as far as that goes.

        Returns
        -------
        dict of str to str
            Counts as they are; measures with four digits after the point, those of the hardest
            of several rare classes as ``NAME.worst``; without those that are not defined.
        """
        counts = {name: str(getattr(self, name)) for name in (*COUNTS, "minority")}
        several = len(self.classes) > 1
        worst = {f"{name}.worst": e for name, e in self.worst.items()} if several else {}
        defined = {n: e.value for n, e in {**self.measures, **worst}.items() if e.value is not None}
        return {**{name: f"{value:.4f}" for name, value in defined.items()}, **counts}

    def severities(self) -> dict[str, str]:
        """Give the severity of each check that found something, the worst of several."""
        # The worst come first, so they are entered last.
        return {finding.check: finding.severity for finding in reversed(self.findings)}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold; the pictures are left out."""
        plain = {
            name: getattr(self, name)
            for name in (*COUNTS, "name", "target", "minority")
            if name != "n_numeric"
        }
        return {
            **plain,
            "class_counts": dict(self.class_counts),
            "dropped": dict(self.dropped),
            "measures": {name: asdict(e) for name, e in self.measures.items()},
            "worst": {name: asdict(e) for name, e in self.worst.items()},
            "classes": [one.to_dict() for one in self.classes],
            "power": self.power.to_dict(),
            "findings": [finding.to_dict() for finding in self.findings],
            "interpretation": [asdict(reading) for reading in self.interpretation],
        }

    def __str__(self) -> str:
        """Describe the data in two lines."""
        kdn = self.classes[0].measures["kdn"].value
        mixed = "" if kdn is None else (
            f"; {kdn:.0%} of their neighbours are of another class "
            f"({1 - self.n_minority / self.n_rows:.0%} if labels were random)"
        )  # fmt: skip
        ratio = f"{self.imbalance_ratio:,.{0 if self.imbalance_ratio >= 100 else 1}f}"
        ratio = ratio.removesuffix(".0")
        return (
            f"{self.n_rows:,} rows, {self.n_features} features "
            f"({self.n_categorical} categorical, {self.missing_share:.1%} of the cells missing), "
            f"{self.n_classes} classes\n"
            f"{self.n_minority:,} rows of class '{self.minority}' "
            f"({100 * self.n_minority / self.n_rows:.3g}%, 1 : {ratio}){mixed}"
        )

    def _repr_html_(self) -> str:
        """Show the profile in a notebook."""
        from autoimb.profiling.page import render_body

        return render_body(self)
