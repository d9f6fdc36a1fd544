"""What tracking reads of a fit, whose own types stand on a higher floor."""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd

from autoimb.arrays import FloatArray, IntArray
from autoimb.artifact import FittedModel
from autoimb.metrics import Metric
from autoimb.profiling.profile import Profile
from autoimb.recommendation import Recommendation
from autoimb.search.budget import Budget
from autoimb.search.study import SearchResult
from autoimb.strategy.search_space import SearchSpace

__all__ = ["FitOutcome", "FitPlan"]


class FitPlan(Protocol):
    """What was asked for."""

    @property
    def metric(self) -> Metric:
        """What is searched for."""

    @property
    def space(self) -> SearchSpace:
        """Where."""

    @property
    def budget(self) -> Budget:
        """For how long."""

    @property
    def n_folds(self) -> int:
        """Folds that were wished for."""

    @property
    def seed(self) -> int:
        """Of all that is random."""


class FitOutcome(Protocol):
    """What was found."""

    @property
    def model(self) -> FittedModel:
        """The exported model."""

    @property
    def profile(self) -> Profile:
        """Of the data."""

    @property
    def search(self) -> SearchResult:
        """With every trial."""

    @property
    def leaderboard(self) -> pd.DataFrame:
        """Strategies, best first."""

    @property
    def recommendation(self) -> Recommendation:
        """In words."""

    @property
    def y(self) -> IntArray:
        """Class codes."""

    @property
    def out_of_fold(self) -> FloatArray:
        """Probabilities of the winner, in the order of the codes."""

    @property
    def seconds(self) -> float:
        """That the fit took."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed."""

    def facts(self) -> dict[str, Any]:
        """Give what the manifest of the model tells of the fit."""
