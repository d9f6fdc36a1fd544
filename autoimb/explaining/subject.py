"""What is explained: a fit that has ended, as far as its explanation needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoimb.arrays import FloatArray, IntArray
from autoimb.data.dataset import Dataset
from autoimb.decision.calibrators import Calibrator
from autoimb.decision.rules import argmax_rule
from autoimb.decision.scored import Scored
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.scoring import cross_fit
from autoimb.profiling.findings import Finding
from autoimb.refitting import Refit
from autoimb.search.records import SearchResult

__all__ = ["Judged", "Subject"]


@dataclass(frozen=True)
class Judged:
    """Rows that the scores are made of, as they were predicted and decided out of fold.

    Attributes
    ----------
    rows : ndarray of shape (n_judged,)
        Their places in the table.
    y : ndarray of shape (n_judged,)
        Class codes.
    proba : ndarray of shape (n_judged, n_classes)
        Calibrated.
    codes : ndarray of shape (n_judged,)
        Decided; `PASSED_ON` where no class was.
    """

    rows: IntArray
    y: IntArray
    proba: FloatArray
    codes: IntArray


@dataclass(frozen=True)
class Subject:
    """A fit that has ended.

    Attributes
    ----------
    dataset : Dataset
    evaluator : Evaluator
    found : SearchResult
    trained : Refit
        What is exported.
    calibrate : Calibrator
        Of the exported model.
    calibrated : Scored
        The rows that scores are made of, each calibrated by the other folds.
    findings : sequence of Finding
        Of the profile.
    """

    dataset: Dataset
    evaluator: Evaluator
    found: SearchResult
    trained: Refit
    calibrate: Calibrator
    calibrated: Scored
    findings: Sequence[Finding] = ()

    def judge(self) -> Judged:
        """Decide the rows that scores are made of, each by what is best on the other folds."""
        evaluator, exported = self.evaluator, self.trained.exported
        rows, folds = evaluator.scored(self.found.level)
        scored = evaluator.select(rows, exported.proba)
        if exported.is_tuned:
            codes = cross_fit(evaluator.criterion, scored, folds).codes
        else:
            codes = argmax_rule(evaluator.n_classes).decide(scored.proba)
        judged = np.flatnonzero(folds.judged)
        return Judged(rows[judged], self.calibrated.y, self.calibrated.proba, codes[judged])
