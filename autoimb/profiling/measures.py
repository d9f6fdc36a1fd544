"""Every measure of a profile: what it is, where it comes from, what values it takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["MEASURES", "Estimate", "Group", "Measure", "as_markdown", "undefined"]

Group = Literal[
    "size and skew", "marginal", "neighbourhood", "local sets", "majority", "landmarkers"
]
INFINITY = math.inf


@dataclass(frozen=True)
class Measure:
    """What one measure is.

    Attributes
    ----------
    group : str
    definition : str
        In words and formulas; `minority` is the class the measure is of, `enemies` are all
        other rows.
    source : str
        Where it comes from, and which package computes something else under its name.
    low, high : float
        The range of its values.
    worse : {"high", "low"} or None
        Which end is the harder one; None for sizes, which are of the whole table.
    """

    group: Group
    definition: str
    source: str
    low: float
    high: float
    worse: Literal["high", "low"] | None = None

    @property
    def of_a_class(self) -> bool:
        """Whether every rare class has a value of its own."""
        return self.worse is not None


@dataclass(frozen=True)
class Estimate:
    """A value of a measure and how sure it is.

    Attributes
    ----------
    value : float or None
        None if it is not defined for these data.
    half_width : float
        Of the 95 % interval due to the choice of rows; 0 where every row was used.
    n_used : int
        Rows it was computed from.
    n_ref : int
        Rows these were compared with; 0 if the measure compares none.
    why : str
        Why it is not defined.
    """

    value: float | None
    half_width: float = 0.0
    n_used: int = 0
    n_ref: int = 0
    why: str = ""

    def __str__(self) -> str:
        """Show the value with its half-width, or the reason why there is none."""
        if self.value is None:
            return f"not defined: {self.why}"
        spread = f" ± {self.half_width:.2g}" if self.half_width else ""
        return f"{self.value:.3g}{spread}"


def undefined(why: str) -> Estimate:
    """State that a measure has no value, and why.

    Examples
    --------
    >>> print(undefined("the class has one row"))
    not defined: the class has one row
    """
    return Estimate(None, why=why)


_K = "k = 5, against every row of the table"

MEASURES: Mapping[str, Measure] = {
    # size and skew
    "log10_rows": Measure("size and skew", "log10 of the number of rows", "", 0, INFINITY),
    "n_features": Measure(
        "size and skew", "columns of the numeric matrix (a date becomes five)", "", 0, INFINITY
    ),
    "categorical_share": Measure(
        "size and skew", "share of the features that hold categories", "", 0, 1
    ),
    "missing_share": Measure("size and skew", "share of the cells that are missing", "", 0, 1),
    "n_classes": Measure("size and skew", "number of classes K", "", 2, INFINITY),
    "log10_minority": Measure(
        "size and skew", "log10 of the rows of the rarest class", "", 0, INFINITY
    ),
    "log10_imbalance_ratio": Measure(
        "size and skew", "log10(largest class / rarest class)", "", 0, INFINITY
    ),
    "c1": Measure(
        "size and skew",
        "1 - H(p) / ln K, with H the entropy of the class shares p",
        "Lorena et al. 2019 (ECoL B1); pymfe returns H(p) / ln K, its reverse; redflag calls it "
        "the Kullback-Leibler imbalance degree",
        0,
        1,
    ),
    "imbalance_degree": Measure(
        "size and skew",
        "d(p, u) / d(i_m, u) + m - 1 with the Hellinger distance d, equal shares u, the number m "
        "of classes below 1 / K, and i_m the furthest distribution with m such classes",
        "Ortigosa-Hernández et al. 2017; redflag returns -1 for equal classes, which are 0 here",
        0,
        INFINITY,
    ),
    "minority_per_column": Measure(
        "size and skew", "rows of the rarest class for each encoded column", "", 0, INFINITY
    ),
    # marginal
    "fisher_f1": Measure(
        "marginal",
        "1 / (1 + max r_f), r_f = sum_j n_j (mu_j - mu)^2 / sum_j sum_i (x_i - mu_j)^2 for each "
        "encoded column f",
        "Ho and Basu 2002 as in Lorena et al. 2019 (ECoL); problexity's r_f is twice as large, "
        "pymfe returns the mean over columns, pycol leaves the class sizes out",
        0,
        1,
    ),
    "fisher_f1v": Measure(
        "marginal",
        "1 / (1 + d' (mu_1 - mu_0) (mu_1 - mu_0)' d / d' W d), with d = W^-1 (mu_1 - mu_0) and W "
        "the pooled covariance, plus a ridge of 1e-9 of its mean variance",
        "Malina 2001 as in Lorena et al. 2019; problexity divides by n instead of n - 1",
        0,
        1,
        "high",
    ),
    "ovl_min": Measure(
        "marginal",
        "overlap coefficient sum_b min(p(b | minority), p(b | rest)) of the best feature, over at "
        "most 32 quantile bins of both classes weighted alike, with 10 minority rows each on "
        "average",
        "Inman and Bradley 1989",
        0,
        1,
        "high",
    ),
    "ovl_mean": Measure(
        "marginal", "the same, mean over features", "Inman and Bradley 1989", 0, 1, "high"
    ),
    "auc_max": Measure(
        "marginal",
        "largest ROC AUC of a single feature, either way round; the levels of a category are "
        "ordered by their rate in the other half of the rows",
        "Hanley and McNeil 1982",
        0.5,
        1,
        "low",
    ),
    "informative_share": Measure(
        "marginal",
        "share of the features whose overlap coefficient is below .9, less what chance takes from "
        "it at so many rows of the class: sum_b sqrt(q_b (1 - q_b) / (2 pi n)) with the shares q_b "
        "of the rest",
        "",
        0,
        1,
        "low",
    ),
    "t4": Measure(
        "marginal",
        "principal components that hold 95 % of the variance, as a share of encoded columns",
        "Lorena et al. 2019; problexity and pymfe take raw columns, not standardised ones",
        0,
        1,
    ),
    # neighbourhood
    "n3": Measure(
        "neighbourhood",
        "share of minority rows whose nearest row is an enemy",
        "Ho and Basu 2002; class-wise as in Barella et al. 2021. pycol uses columns scaled to "
        "[0, 1], pymfe and ECoL Gower's distance, problexity the raw columns",
        0,
        1,
        "high",
    ),
    "kdn": Measure(
        "neighbourhood",
        f"mean share of enemies among the nearest neighbours of minority rows ({_K}); labels at "
        "random give 1 - the share of the class",
        "Smith, Martinez and Giraud-Carrier 2014 (kDN)",
        0,
        1,
        "high",
    ),
    "safe": Measure(
        "neighbourhood",
        "share of minority rows with at most 1 enemy among 5 neighbours",
        "Napierala and Stefanowski 2016",
        0,
        1,
        "low",
    ),
    "borderline": Measure(
        "neighbourhood",
        "share with 2 or 3 enemies among 5",
        "Napierala and Stefanowski 2016",
        0,
        1,
        "high",
    ),
    "rare": Measure(
        "neighbourhood",
        "share with 4 enemies among 5",
        "Napierala and Stefanowski 2016, without their condition on the one remaining neighbour",
        0,
        1,
        "high",
    ),
    "outlier": Measure(
        "neighbourhood",
        "share with 5 enemies among 5",
        "Napierala and Stefanowski 2016",
        0,
        1,
        "high",
    ),
    "bi3": Measure(
        "neighbourhood",
        "mean of r f / (1 - f + r f) - f over minority rows, with r = enemies / minority rows and "
        "f the share of minority rows among the neighbours, or, if there are none, 1 / (rank of "
        "the nearest one): what imbalance costs, rather than overlap",
        "Lu, Cheung and Tang 2019 (BI^3)",
        0,
        1,
        "high",
    ),
    "density_corrected_overlap": Measure(
        "neighbourhood",
        "mean of c / (c + r) over minority rows, with c the enemies nearer than the nearest "
        "minority row, divided by what it is for labels at random (.307 at r = 1, .392 at r = 9, "
        "towards 1 - e E_1(1) = .404): 1 for labels at random and 0 for classes apart, whatever "
        "the imbalance",
        "this package: random labels make c geometric with mean r",
        0,
        1 / (1 - math.log(2)),
        "high",
    ),
    "label_conflict_share": Measure(
        "neighbourhood",
        "share of minority rows with an identical row among the enemies",
        "",
        0,
        1,
        "high",
    ),
    # local sets
    "n2": Measure(
        "local sets",
        "s / (1 + s), s = sum of distances to the nearest minority row / sum of distances to "
        "the nearest enemy, over minority rows",
        "Ho and Basu 2002; class-wise as in Barella et al. 2021. problexity takes the second "
        "nearest enemy, pymfe and ECoL the mean of the ratios of single rows",
        0,
        1,
        "high",
    ),
    "lonely_share": Measure(
        "local sets",
        "share of minority rows with no other minority row nearer than the nearest enemy: "
        "disjuncts of a single row",
        "Leyva, González and Pérez 2015 (local sets of one row)",
        0,
        1,
        "high",
    ),
    "local_set_median": Measure(
        "local sets",
        "median number of minority rows, the row included, nearer than the nearest enemy",
        "Leyva, González and Pérez 2015",
        1,
        INFINITY,
        "low",
    ),
    "lsc": Measure(
        "local sets",
        "1 - mean local-set size / minority rows",
        "Leyva, González and Pérez 2015; class-wise as in pycol",
        0,
        1,
        "high",
    ),
    # majority
    "n3_majority": Measure(
        "majority",
        "share of enemy rows whose nearest row is of the minority",
        "Ho and Basu 2002; class-wise as in Barella et al. 2021",
        0,
        1,
        "high",
    ),
    "degree_of_overlap_majority": Measure(
        "majority",
        "share of enemy rows with a minority row among their 5 neighbours: how much of the "
        "majority undersampling should not lose",
        "degree of overlap in Mercier et al. 2018; as pycol, per class",
        0,
        1,
        "high",
    ),
    # landmarkers
    **{
        f"{name}_{score}": Measure(
            "landmarkers",
            f"{words} of {model}, by 2-fold cross-validation on at most 3,000 rows per class, "
            "rows weighted to the shares of the table",
            "Pfahringer, Bensusan and Giraud-Carrier 2000 (landmarking)",
            low,
            1,
            "low",
        )
        for name, model in (
            ("lda", "linear discriminant analysis"),
            ("tree", "a decision tree of depth 3"),
            ("naive_bayes", "Gaussian naive Bayes"),
        )
        for score, words, low in (
            ("auc", "ROC AUC", 0),
            ("ap_lift", "(average precision - share) / (1 - share)", -INFINITY),
        )
    },
}


def as_markdown() -> str:
    """Write the table of measures as the documentation shows it.

    Returns
    -------
    str
        A Markdown table for each group.
    """
    parts = []
    for group in dict.fromkeys(measure.group for measure in MEASURES.values()):
        rows = [
            f"| `{name}` | {_cell(m.definition)} | {_range(m)} | {_cell(m.source)} |"
            for name, m in MEASURES.items()
            if m.group == group
        ]
        head = [f"### {group.capitalize()}", "", "| measure | definition | range | source |"]
        parts.append("\n".join([*head, "|---|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    """Keep a bar of a formula from ending the cell."""
    return text.replace("|", "\\|")


def _range(measure: Measure) -> str:
    low = "-∞" if measure.low == -INFINITY else f"{measure.low:.3g}"
    high = "∞" if measure.high == INFINITY else f"{measure.high:.3g}"
    return f"{low} to {high}"
