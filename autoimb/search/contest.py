"""The trials of a search against each other: who leads, and what another has to beat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autoimb.arrays import AnyArray, IntArray
from autoimb.evaluation.futility import Hurdle, estimate_noise
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import average_scores, selection_value
from autoimb.evaluation.tasks import Evaluation
from autoimb.metrics import Metric
from autoimb.search.calibration_gate import passes_calibration_gate
from autoimb.search.journal import EvaluationFolder
from autoimb.search.records import Candidate, TrialRecord
from autoimb.strategy.configuration import Configuration

__all__ = ["ENOUGH_FOR_NOISE", "Contest", "tell_noise"]

# Strategies whose best predictions are kept.
N_CANDIDATES = 24
# Trials of which an excerpt of the predictions is kept.
MAX_TRIED = 400
# A smaller part of the value is not worth a sampler, nor probabilities that are worse.
TIE = 0.02
# The expected maximum of ten standard normals.
LUCK = 1.5
# Finished trials from which the noise of the folds can be told, and degrees of freedom: from
# fewer it may come out as a third of what it is.
ENOUGH_FOR_NOISE, ENOUGH_FREEDOM = 3, 8


def tell_noise(values: Sequence[Sequence[float]]) -> bool:
    """Tell whether what finished trials scored on each fold suffices to estimate the noise.

    Examples
    --------
    >>> tell_noise([[0.5, 0.6, 0.7, 0.6, 0.5]] * 3), tell_noise([[0.5, 0.6]] * 3)
    (True, False)
    """
    n_folds = len(values[0]) if values else 0
    return len(values) >= ENOUGH_FOR_NOISE and (len(values) - 1) * (n_folds - 1) >= ENOUGH_FREEDOM


class Contest:
    """Trials as they finish, the best of each strategy with its predictions.

    Parameters
    ----------
    metric : Metric
    levels : sequence of Level
        The first is that of every trial.
    kept : EvaluationFolder
        Holds the predictions of the leading ones.
    untouched : Configuration
        What the others are held against: the default model on the data as they are.
    excerpt : ndarray of shape (n_kept,), optional
        Rows whose predictions are kept of every complete trial.
    """

    def __init__(
        self,
        metric: Metric,
        levels: Sequence[Level],
        kept: EvaluationFolder,
        untouched: Configuration,
        excerpt: IntArray | None = None,
    ) -> None:
        self.metric = metric
        self.untouched = untouched
        self.levels = levels
        self.kept = kept
        self.excerpt = excerpt
        self.records: dict[int, TrialRecord] = {}
        self.tried: dict[int, AnyArray] = {}
        self.references: dict[int, Candidate] = {}
        self.default: Candidate | None = None
        self._best_of: dict[str, Candidate] = {}
        self._noise = 0.0
        self._n_noted = 0
        self._dropped: list[Candidate] = []

    def mark(self, record: TrialRecord) -> TrialRecord:
        """Note on a complete trial whether its probabilities pass the calibration gate."""
        passed = passes_calibration_gate(record, self.records.values())
        return replace(record, is_calibrated=passed)

    def add(self, record: TrialRecord, evaluation: Evaluation | None = None) -> None:
        """Enter a trial, with its predictions if it is complete and they are still at hand."""
        self.records[record.number] = record
        if evaluation is None:
            if (excerpt := self.kept.load_excerpt(record.number)) is not None:
                self.tried[record.number] = excerpt
            return
        if self.excerpt is not None:
            self.tried[record.number] = np.array(evaluation.proba[self.excerpt])
            self._forget_weakest()
        candidate = Candidate(record, evaluation, self.levels[0])
        if self.default is None and record.configuration == self.untouched:
            self.default = candidate
        self._keep(candidate)

    def _forget_weakest(self) -> None:
        """Bound the memory that excerpts take: what is far behind is never chosen."""
        trials = [number for number in self.tried if number >= 0]
        if len(trials) > MAX_TRIED:
            del self.tried[min(trials, key=lambda number: self.merit(self.records[number]))]

    def add_reference(self, record: TrialRecord, evaluation: Evaluation) -> None:
        """Enter what the trials are held against, which is no trial itself."""
        self.references[record.number] = Candidate(record, evaluation, self.levels[0])
        if self.excerpt is not None:
            self.tried[record.number] = np.array(evaluation.proba[self.excerpt])

    def discard(self) -> None:
        """Delete the predictions of what no longer leads: once it is written down what does.

        An excerpt of them stays, for it to be told what the best owes to luck.
        """
        for one in self._dropped:
            if one is not self.default:
                number = one.record.number
                self.kept.shorten(number, self.tried.get(number))
        self._dropped.clear()

    def hurdle(self) -> Hurdle | None:
        """Return what the next trial has to beat; None while too little is known."""
        leader, noise = next(iter(self.leading()), None), self.noise
        if leader is None or noise is None:
            return None
        leading = self.records[leader.record.number]
        lead = self.value(leading) - self.merit(leading)
        return Hurdle(tuple(value - lead for value in leading.fold_values), noise)

    @property
    def noise(self) -> float | None:
        """How much two configurations differ from fold to fold; None while too little is known."""
        complete = [r.fold_values for r in self.records.values() if r.state == "complete"]
        if not tell_noise(complete):
            return None
        if len(complete) != self._n_noted:
            self._noise, self._n_noted = estimate_noise(complete), len(complete)
        return self._noise

    def lost(self) -> list[TrialRecord]:
        """List trials that lead, or are the default, but whose predictions found no room."""
        complete = [record for record in self.records.values() if record.state == "complete"]
        best: dict[str, TrialRecord] = {}
        for record in complete:
            strategy = str(record.configuration)
            if strategy not in best or self.merit(record) > self.merit(best[strategy]):
                best[strategy] = record
        leading = sorted(best.values(), key=self._place)[:N_CANDIDATES]
        defaults = [record for record in complete if record.configuration == self.untouched][:1]
        at_hand = {candidate.record.number for candidate in self._best_of.values()}
        if self.default is not None:
            at_hand.add(self.default.record.number)
        wanted = {record.number: record for record in (*leading, *defaults)}
        return [record for number, record in wanted.items() if number not in at_hand]

    def leading(self) -> list[Candidate]:
        """Sort the best first: who came furthest, then by merit; of equals the first asked for."""
        return sorted(
            self._best_of.values(), key=lambda c: (-c.record.step, *self._place(c.record))
        )

    def promote(self, candidate: Candidate, step: int, evaluation: Evaluation) -> None:
        """Enter what a candidate came to at a further level."""
        level, record = self.levels[step], candidate.record
        if level.repeat:
            # The first evaluation goes on to stand for its predictions.
            repeats = (*candidate.repeats, evaluation)
            scores = average_scores([e.scores for e in (candidate.evaluation, *repeats)])
            record = replace(record, scores=scores, level=level, step=step)
            further = replace(candidate, record=record, repeats=repeats)
        else:
            record = replace(record, scores=evaluation.scores, level=level, step=step)
            further = Candidate(record, evaluation, level)
        if record.number in self.references:
            self.references[record.number] = further
            return
        self.records[record.number] = record
        if self._best_of.get(str(record.configuration)) is candidate:
            self._best_of[str(record.configuration)] = further
        if self.default is candidate:
            self.default = further

    def value(self, record: TrialRecord) -> float:
        """Give what complete trials are ranked by; greater is better."""
        value = selection_value(self.metric, record.scores)
        return value if np.isfinite(value) else -np.inf

    def merit(self, record: TrialRecord) -> float:
        """Rank by value, less the lead that a strategy has to have.

        One that fails the calibration gate has to be ahead by two hundredths of its value. So has
        one that resamples or weighs, and by one and a half standard errors of the difference of
        two configurations: that much luck has the best of ten that are no better than none
        (benchmarks/decision/selection.py).
        """
        value, configuration = self.value(record), record.configuration
        tie = TIE * abs(value)
        lead = 0.0 if record.is_calibrated else tie
        if not configuration.is_untouched or configuration.model.balance is not None:
            noise = self.noise or 0.0
            lead += max(tie, LUCK * noise / math.sqrt(max(len(record.fold_values), 1)))
        return value - lead if np.isfinite(value) else value

    def leads(self) -> dict[int, float]:
        """Tell by how much each complete trial had to be ahead."""
        complete = [record for record in self.records.values() if record.state == "complete"]
        leads = {record.number: self.value(record) - self.merit(record) for record in complete}
        return {number: lead for number, lead in leads.items() if np.isfinite(lead)}

    def _place(self, record: TrialRecord) -> tuple[float, int]:
        return -self.merit(record), record.number

    def _keep(self, candidate: Candidate) -> None:
        """Keep the best of each strategy; of equals the one found first."""
        strategy = str(candidate.record.configuration)
        before = self._best_of.get(strategy)
        if before is None or self.merit(candidate.record) > self.merit(before.record):
            self._best_of[strategy] = candidate
            dropped = [before] if before else []
        else:
            dropped = [candidate]
        for weakest in self.leading()[N_CANDIDATES:]:
            del self._best_of[str(weakest.record.configuration)]
            dropped.append(weakest)
        self._dropped += dropped
