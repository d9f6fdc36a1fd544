"""What a search leaves: its trials, the leading ones with their predictions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import optuna

from autoimb.evaluation.engine import Evaluation
from autoimb.evaluation.scoring import Score
from autoimb.strategy.configuration import Configuration

__all__ = ["Candidate", "SearchResult", "TrialRecord"]


@dataclass(frozen=True)
class TrialRecord:
    """What became of one trial.

    Attributes
    ----------
    number : int
    configuration : Configuration
    state : {"complete", "failed"}
    scores : mapping of str to Score
        Empty if it failed.
    seconds : float
    reason : str
        Why it failed, in one line.
    """

    number: int
    configuration: Configuration
    state: Literal["complete", "failed"]
    scores: dict[str, Score] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Candidate:
    """A finished trial with what it predicted.

    Attributes
    ----------
    record : TrialRecord
    evaluation : Evaluation
    """

    record: TrialRecord
    evaluation: Evaluation


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    study : optuna.Study
    records : tuple of TrialRecord
        In the order of their numbers.
    candidates : tuple of Candidate
        The best trial of each leading strategy, by `selection_value`, best first.
    default : TrialRecord or None
        The default configuration: no sampler, no weight; None if it failed.
    default_evaluation : Evaluation or None
    interrupted : bool
        Whether the user ended it.
    """

    study: optuna.Study
    records: tuple[TrialRecord, ...]
    candidates: tuple[Candidate, ...]
    default: TrialRecord | None
    default_evaluation: Evaluation | None
    interrupted: bool

    @property
    def best(self) -> TrialRecord:
        """The one to export, by `selection_value`; its score may not be the highest of all."""
        return self.candidates[0].record

    @property
    def best_evaluation(self) -> Evaluation:
        """What the best predicted."""
        return self.candidates[0].evaluation
