"""What a search leaves: its trials, the leading ones with their predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import optuna

from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import Score
from autoimb.evaluation.tasks import Evaluation
from autoimb.strategy.configuration import Configuration

__all__ = ["Candidate", "SearchResult", "TrialRecord"]


@dataclass(frozen=True)
class TrialRecord:
    """What became of one trial.

    Attributes
    ----------
    number : int
    configuration : Configuration
    state : {"complete", "pruned", "failed"}
        Pruned: its first folds left it too little hope.
    scores : mapping of str to Score
        Empty unless complete; of a trial that earned further repeats, the mean over them.
    seconds : float
    reason : str
        Why it failed or was pruned, in one line.
    fold_values : tuple of float
        Of the folds that were scored, by the metric that trials are compared by on the way.
    level : Level or None
        The last that it was evaluated at; None unless complete.
    step : int
        How many levels lie before that one.
    is_calibrated : bool
        Whether it passed the calibration gate; False loses ties.
    """

    number: int
    configuration: Configuration
    state: Literal["complete", "pruned", "failed"]
    scores: Mapping[str, Score] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""
    fold_values: tuple[float, ...] = ()
    level: Level | None = None
    step: int = 0
    is_calibrated: bool = True


@dataclass(frozen=True)
class Candidate:
    """A finished trial with what it predicted.

    Attributes
    ----------
    record : TrialRecord
    evaluation : Evaluation
    level : Level
        Of the evaluation.
    repeats : tuple of Evaluation
        On further assignments of rows to folds.
    """

    record: TrialRecord
    evaluation: Evaluation
    level: Level
    repeats: tuple[Evaluation, ...] = ()


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    study : optuna.Study
    records : tuple of TrialRecord
        In the order of their numbers.
    candidates : tuple of Candidate
        The best trial of each leading strategy, by `selection_value`, best first; all evaluated
        on the same rows.
    default : TrialRecord or None
        The default configuration: no sampler, no weight; None if it failed.
    default_evaluations : tuple of Evaluation
        On the rows of the candidates, and on their further assignments to folds; empty if time
        did not suffice.
    interrupted : bool
        Whether the user ended it.
    """

    study: optuna.Study
    records: tuple[TrialRecord, ...]
    candidates: tuple[Candidate, ...]
    default: TrialRecord | None
    default_evaluations: tuple[Evaluation, ...]
    interrupted: bool

    @property
    def best(self) -> TrialRecord:
        """The one to export, by `selection_value`; its score may not be the highest of all."""
        return self.candidates[0].record

    @property
    def best_evaluation(self) -> Evaluation:
        """What the best predicted."""
        return self.candidates[0].evaluation

    @property
    def level(self) -> Level:
        """How thoroughly the candidates were evaluated."""
        return self.candidates[0].level
