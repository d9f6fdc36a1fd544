"""What a card is of: a model, beside what its manifest tells of how it came to be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autoimb.decision.rules import PASSED_ON, ClassWeights, argmax_rule
from autoimb.fitted_model import FittedModel
from autoimb.metrics import Counts, count, get_metric
from autoimb.model_card.markdown import code
from autoimb.recommendation.words import describe_decision

__all__ = ["ROUNDING", "Subject", "count_words", "figure", "interval", "share", "with_interval"]

UNDEFINED = "not defined"
# Less shows as nothing.
ROUNDING = 0.0005


@dataclass(frozen=True)
class Subject:
    """A saved model with its manifest.

    Attributes
    ----------
    model : FittedModel
    manifest : mapping
        As it is written beside the model.
    file : str
        Name of the model's file.
    """

    model: FittedModel
    manifest: Mapping[str, Any]
    file: str

    @property
    def fit(self) -> Mapping[str, Any]:
        """What the fit told of itself; empty for a model that was saved without it."""
        return dict(self.manifest.get("fit", {}))

    @property
    def asked(self) -> Mapping[str, Any]:
        """What the fit was asked."""
        return dict(self.fit.get("asked", {}))

    @property
    def test(self) -> Mapping[str, Any]:
        """How it did on untouched rows, if there were any."""
        return dict(self.manifest.get("test", {}))

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes, one of them the positive one."""
        return len(self.model.labels.classes) == 2

    @property
    def positive(self) -> str:
        """The positive class, as Markdown."""
        return code(self.model.labels.positive)

    @cached_property
    def shares(self) -> Mapping[str, float]:
        """Share of each class in the data, the most frequent first; empty if nothing tells."""
        counts = self.manifest.get("class_counts", {})
        if not counts and self.model.evidence is not None:
            names = map(str, self.model.labels.by_code)
            counts = dict(zip(names, self.model.evidence.prevalence.tolist(), strict=True))
        total = sum(counts.values())
        return {name: n / total for name, n in counts.items()}

    @property
    def prevalence(self) -> float | None:
        """Share of the positive class of two in the data."""
        return self.shares.get(str(self.model.labels.positive)) if self.is_binary else None

    @property
    def is_retargeted(self) -> bool:
        """Whether the model is aimed at other shares of the classes than those of its data."""
        return self.model.prevalence is not None

    @property
    def is_as_fitted(self) -> bool:
        """Whether it decides as it did when it was fitted, so that all its scores still hold."""
        first = next(iter(self.manifest.get("decisions_before", [])), self.manifest)
        # As they come back from a file: lists, not tuples.
        here = json.loads(json.dumps(self.model.decision.to_dict(), default=str))
        then = json.loads(json.dumps(first["decided"], default=str))
        same = all(then[name] == here[name] for name in ("asked", "values"))
        return same and not self.is_retargeted

    def holds(self, metric: str) -> bool:
        """Tell whether a score of the fit is one of the model as it is."""
        return self.is_as_fitted or not get_metric(metric).needs_decision

    @cached_property
    def counted(self) -> Counts | None:
        """Rows of each class that were decided out of fold, as shares of all rows."""
        if self.model.evidence is None:
            return None
        rows, codes = self.model.out_of_fold(), self.model.out_of_fold_codes()
        weights = np.ones(len(rows.y)) if rows.row_weights is None else rows.row_weights
        clear, total = codes != PASSED_ON, float(weights.sum())
        found = count(rows.y[clear], codes[clear], rows.n_classes, weights[clear])
        return Counts(found.true / total, found.predicted / total, found.correct / total)

    @property
    def rule(self) -> str:
        """How labels are decided, in words; of many weights the table of classes tells."""
        rule, labels = self.model.rule, self.model.labels
        is_plain = not isinstance(rule, ClassWeights) or rule == argmax_rule(len(rule.values))
        if is_plain or self.counted is None:
            return describe_decision(rule, labels)
        return "predict the class with the highest probability times its weight (Class by class)"

    @cached_property
    def outcome(self) -> Mapping[str, float]:
        """What the decision comes to on the rows that it was solved on."""
        return {} if self.model.evidence is None else dict(self.model.out_of_fold_figures())


def figure(value: float | None) -> str:
    """Write a score.

    Examples
    --------
    >>> figure(0.12345), figure(None)
    ('0.123', 'not defined')
    """
    return UNDEFINED if value is None or not np.isfinite(value) else f"{value:.3f}"


def interval(estimate: Mapping[str, float | None]) -> str:
    """Write the interval of a score.

    Examples
    --------
    >>> interval({"value": 0.5, "low": 0.4, "high": 0.61})
    '0.400 to 0.610'
    """
    low, high = estimate["low"], estimate["high"]
    return UNDEFINED if low is None or high is None else f"{low:.3f} to {high:.3f}"


def with_interval(estimate: Mapping[str, float | None] | None) -> str:
    """Write a score with its interval.

    Examples
    --------
    >>> with_interval({"value": 0.5, "low": 0.4, "high": 0.61}), with_interval(None)
    ('0.500 (0.400 to 0.610)', 'not defined')
    """
    return UNDEFINED if estimate is None else f"{figure(estimate['value'])} ({interval(estimate)})"


def count_words(number: float) -> str:
    """Write about how many rows something is.

    Examples
    --------
    >>> count_words(362.8), count_words(4.384), count_words(0.0512), count_words(-1e-15)
    ('363', '4.4', '0.051', '0')
    """
    if abs(number) < ROUNDING:
        return "0"
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def share(part: float) -> str:
    """Write a share in per cent.

    Examples
    --------
    >>> share(0.26537), share(0.0004)
    ('26.5 %', '0.04 %')
    """
    return f"{100 * part:.3g} %"
