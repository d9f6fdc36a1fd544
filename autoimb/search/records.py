"""What a search leaves: its trials, the leading ones with their predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import optuna

from autoimb.arrays import AnyArray
from autoimb.evaluation.levels import Level
from autoimb.evaluation.scoring import Score
from autoimb.evaluation.tasks import Evaluation
from autoimb.strategy.configuration import Configuration

__all__ = ["Candidate", "Reference", "SearchResult", "TrialRecord"]


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
class Reference:
    """What the winner is held against: an obvious strategy, or the winner without a part.

    Attributes
    ----------
    name : str
    configuration : Configuration
    evaluations : tuple of Evaluation
        On the rows of `level`, and on further assignments of rows to folds.
    level : Level
    is_tuned : bool
        Whether its decision is tuned; else it is the argmax.
    excerpt : ndarray or None
        What it predicted for the rows that are kept of every trial.
    """

    name: str
    configuration: Configuration
    evaluations: tuple[Evaluation, ...]
    level: Level
    is_tuned: bool = True
    excerpt: AnyArray | None = None


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
    baselines, parts : tuple of Reference
        The obvious strategies, and the best one with a part of it removed, as far as time sufficed.
    halved : Evaluation or None
        Of the best one, trained on half as many folds.
    tried : mapping of int to ndarray
        By trial, what it predicted for the rows of an excerpt: of every complete trial.
    leads : mapping of int to float
        By trial, what it had to be ahead by.
    levels : tuple of Level
        The first is that of every trial.
    wanted : tuple of str
        Names of all baselines, those included that could not be evaluated.
    """

    study: optuna.Study
    records: tuple[TrialRecord, ...]
    candidates: tuple[Candidate, ...]
    default: TrialRecord | None
    default_evaluations: tuple[Evaluation, ...]
    interrupted: bool
    baselines: tuple[Reference, ...] = ()
    parts: tuple[Reference, ...] = ()
    halved: Evaluation | None = None
    tried: Mapping[int, AnyArray] = field(default_factory=dict)
    leads: Mapping[int, float] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    wanted: tuple[str, ...] = ()

    @property
    def best(self) -> TrialRecord:
        """The one to export, by `selection_value`; its score may not be the highest of all."""
        return self.candidates[0].record

    @property
    def best_evaluation(self) -> Evaluation:
        """What the best predicted."""
        return self.candidates[0].evaluation

    @property
    def first_level(self) -> Level | None:
        """How thoroughly every trial was evaluated; None if that is not known."""
        return self.levels[0] if self.levels else None

    @property
    def level(self) -> Level:
        """How thoroughly the candidates were evaluated."""
        return self.candidates[0].level
