"""What measures mean for the choice of a strategy, in plain words.

Rules of thumb from the literature, not yet measured: each reading carries the figures that it
rests on. Neighbour types are local densities, not separability. Where a class is rare enough,
all its rows are "outliers" even if it stands apart on average; so nothing is called mixed
before the density-corrected overlap says so, nor noise before the learners agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from autoimb.profiling.measures import Estimate

__all__ = ["CAUTION", "READINGS", "Reading", "interpret"]

CAUTION = (
    "These are rules of thumb from the literature: the search tries them all and decides by "
    "score. Neighbour types tell local density, not separability."
)


@dataclass(frozen=True)
class Reading:
    """One thing that the measures suggest.

    Attributes
    ----------
    name : str
        Of the rule.
    words : str
        What it means.
    evidence : str
        The figures it rests on.
    """

    name: str
    words: str
    evidence: str


class _Values(dict[str, float]):
    """Values by name; one that is not defined fulfils no condition."""

    def __missing__(self, name: str) -> float:
        return float("nan")

    @property
    def best_lift(self) -> float:
        lifts = [self[f"{name}_ap_lift"] for name in ("lda", "tree", "naive_bayes")]
        return max(lifts) if all(x == x for x in lifts) else float("nan")

    @property
    def sparse(self) -> float:
        return self["rare"] + self["outlier"]


@dataclass(frozen=True)
class Rule:
    """When a reading applies, what it says, and which measures it quotes."""

    name: str
    applies: Callable[[_Values], bool]
    words: str
    quotes: tuple[str, ...]


# Thresholds are those of the papers where these give one, else round figures.
READINGS: tuple[Rule, ...] = (
    Rule(
        "few_rows",
        lambda v: v["n"] < 50 or v["minority_per_column"] < 5,
        "Few rows of the rare class for so many columns: prefer simple models and repeated "
        "cross-validation, and expect wide intervals.",
        ("n", "minority_per_column"),
    ),
    Rule(
        "imbalance_harmless",
        lambda v: v["ratio"] > 10 and v.best_lift > 0.9 and v["safe"] > 0.8,
        "The classes stand well apart, so the imbalance does no harm: do not resample, set the "
        "threshold.",
        ("ratio", "best_lift", "safe"),
    ),
    Rule(
        "mostly_safe",
        lambda v: v["safe"] >= 0.7,
        "Most rare rows stand among their own kind: interpolating between them (SMOTE) is safe, "
        "and usually not needed.",
        ("safe",),
    ),
    Rule(
        "overlap_zone",
        lambda v: v["borderline"] >= 0.3,
        "Many rare rows stand on the border: class weights, a tuned threshold and samplers for "
        "borders (Borderline-SMOTE, Tomek links, ENN) are made for that.",
        ("borderline",),
    ),
    Rule(
        "sparse_and_mixed",
        lambda v: v.sparse > 0.3 and v["density_corrected_overlap"] > 0.5,
        "Rare rows lie scattered among the others, beyond what their number explains: "
        "interpolation would fill foreign ground and ENN delete the class; try class weights "
        "and undersampling ensembles.",
        ("sparse", "density_corrected_overlap", "kdn", "kdn_at_random"),
    ),
    Rule(
        "sparse_not_mixed",
        lambda v: v.sparse > 0.3 and v["density_corrected_overlap"] <= 0.5,
        "Rare rows have few of their kind near them because they are few, not because they are "
        "mixed with the rest: weights or undersampling work, and they are not noise.",
        ("sparse", "density_corrected_overlap", "kdn", "kdn_at_random"),
    ),
    Rule(
        "imbalance_costs",
        lambda v: v["bi3"] > 0.3 and v["density_corrected_overlap"] <= 0.5,
        "Much of the difficulty comes from the imbalance itself: balancing should help.",
        ("bi3", "density_corrected_overlap"),
    ),
    Rule(
        "overlap_costs",
        lambda v: v["bi3"] < 0.05 and v["kdn"] > 0.5 and v["density_corrected_overlap"] > 0.5,
        "The difficulty is overlap, not imbalance: balancing will not help, better columns would.",
        ("bi3", "kdn", "kdn_at_random", "density_corrected_overlap"),
    ),
    Rule(
        "small_disjuncts",
        lambda v: v["lonely_share"] > 0.3 and v["density_corrected_overlap"] <= 0.5,
        "Many rare rows have no other of their kind before the first of the rest: the class is "
        "in small pieces, for which cluster-based sampling and flexible models are made.",
        ("lonely_share", "local_set_median"),
    ),
    Rule(
        "label_conflicts",
        lambda v: v["label_conflict_share"] > 0.01,
        "Identical rows carry different labels, which no model can tell apart: check the labels, "
        "or add a column.",
        ("label_conflict_share",),
    ),
    Rule(
        "linear_enough",
        lambda v: (
            v["lda_ap_lift"] >= max(v["tree_ap_lift"], v["naive_bayes_ap_lift"]) - 0.02
            and v["lda_ap_lift"] > 0.1
        ),
        "A straight line does as well as the other plain learners: a linear model may be enough.",
        ("lda_ap_lift", "tree_ap_lift", "naive_bayes_ap_lift"),
    ),
    Rule(
        "majority_overlap",
        lambda v: v["degree_of_overlap_majority"] > 0.2,
        "A large part of the majority stands next to the rare class: undersampling throws away "
        "what the border is drawn from.",
        ("degree_of_overlap_majority",),
    ),
    Rule(
        "no_single_column",
        lambda v: v["ovl_min"] > 0.95 and v["auc_max"] < 0.55,
        "No column tells the classes apart alone: models have to combine columns (trees, "
        "boosting).",
        ("ovl_min", "auc_max"),
    ),
)  # fmt: skip


def interpret(
    measures: Mapping[str, Estimate], n_minority: int, n_rows: int, imbalance_ratio: float
) -> tuple[Reading, ...]:
    """Say what the measures of the rarest class suggest.

    Parameters
    ----------
    measures : mapping of str to Estimate
        Of the table and of the class.
    n_minority, n_rows : int
    imbalance_ratio : float

    Returns
    -------
    tuple of Reading

    Examples
    --------
    >>> measures = {"safe": Estimate(0.8), "borderline": Estimate(0.1)}
    >>> [reading.evidence for reading in interpret(measures, 500, 10_000, 19.0)]
    ['safe 0.8']
    """
    values = _Values({name: e.value for name, e in measures.items() if e.value is not None})
    values |= {"n": n_minority, "ratio": imbalance_ratio, "kdn_at_random": 1 - n_minority / n_rows}
    return tuple(
        Reading(
            rule.name, rule.words, ", ".join(filter(None, (_quote(q, values) for q in rule.quotes)))
        )
        for rule in READINGS
        if rule.applies(values)
    )


def _quote(name: str, values: _Values) -> str:
    """Show a figure as the terminal does; nothing if it is not defined."""
    spoken = {
        "n": (f"{values['n']:,.0f} rows of the class", None),
        "ratio": ("imbalance 1 :", values["ratio"]),
        "best_lift": ("best lift of average precision", values.best_lift),
        "sparse": ("rare + outlier", values.sparse),
        "kdn_at_random": ("at random labels", values["kdn_at_random"]),
    }
    label, value = spoken.get(name, (name.replace("_", " "), values[name]))
    if value is None:
        return label
    return "" if math.isnan(value) else f"{label} {value:.3g}"
