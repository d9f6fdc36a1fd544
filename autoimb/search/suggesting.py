"""The Optuna study, and how it suggests."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.samplers._tpe.sampler import default_gamma
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from autoimb.metrics import Metric
from autoimb.strategy.configuration import STAGES

__all__ = ["OUTCOME", "STUDY", "ComponentSampler", "create_study"]

STUDY = "autoimb"
COMPLETE, PRUNED, RUNNING = TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING
FAIL = TrialState.FAIL
# What became of a trial, as the study holds it beside its parameters.
OUTCOME = "outcome"
# Trials before the first that is no random draw.
N_RANDOM = 10
# Trials that are not among the good ones, which TPE tells those from.
MAX_OTHERS = 50


class _SeededTPESampler(TPESampler):
    """TPE that can be seeded anew, and is told which trials it is to take for good."""

    def __init__(self) -> None:
        super().__init__(multivariate=True, n_startup_trials=0, constant_liar=False)

    def take_for_good(self, n: int) -> None:
        self._gamma = lambda _: n

    def seed(self, seed: int) -> None:
        self._rng.rng.seed(seed)
        self._random_sampler._rng.rng.seed(seed)


class _Excerpt:
    """Some trials of a study, as TPE reads them."""

    def __init__(self, study: optuna.Study, trials: list[FrozenTrial]) -> None:
        self.directions = study.directions
        self.direction = study.direction
        self.trials = trials

    def _get_trials(self, *_: Any, **__: Any) -> list[FrozenTrial]:
        return self.trials

    def _is_multi_objective(self) -> bool:
        return False


class ComponentSampler(BaseSampler):
    """Suggest by TPE, the parameters of one component together.

    It models what `TPESampler(group=True)` does, but only the components that a trial uses: of a
    space of twenty samplers that is one. The good trials are held against the latest of the
    others alone, which TPE weights most, so that its cost does not grow with their number. What
    it suggests follows from the seed, the trial's number and the trials before, so that a study
    that is loaded again goes on as it would have, in the midst of a trial too.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._tpe = _SeededTPESampler()
        self._of_trial = -1
        self._known: list[FrozenTrial] = []
        self._good: set[int] = set()
        self._is_random = True
        self._suggested: dict[str, Any] = {}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return nothing: what a trial needs shows as it is asked for."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Suggest a value, and those of the parameters that belong to it."""
        if trial.number != self._of_trial:
            self._begin(study, trial.number)
        if param_name not in self._suggested:
            together = self._companions(param_name, param_distribution)
            self._suggested |= self._sample(study, trial, together)
        return self._suggested[param_name]

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Do nothing: there are no constraints."""

    def _begin(self, study: optuna.Study, number: int) -> None:
        """Look at the trials so far, and find the good ones as TPE does.

        Those that are running are among the others: what they try need not be tried again.
        """
        self._of_trial, self._suggested = number, {}
        trials = study.get_trials(deepcopy=False, states=(COMPLETE, PRUNED, RUNNING, FAIL))
        # Those that were cut off with the search failed by no fault of theirs.
        self._known = [
            _as_learned_from(trial)
            for trial in trials
            if trial.number != number and (trial.state != FAIL or OUTCOME in trial.user_attrs)
        ]
        sign = -1 if study.direction == StudyDirection.MAXIMIZE else 1
        finished = [trial for trial in self._known if trial.state != RUNNING]
        ranked = sorted(finished, key=lambda trial: _rank(trial, sign))
        self._good = {trial.number for trial in ranked[: default_gamma(len(ranked))]}
        self._is_random = len(ranked) < N_RANDOM

    def _sample(
        self, study: optuna.Study, trial: FrozenTrial, together: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        alike = [t for t in self._known if together.keys() <= t.params.keys()]
        good = [t for t in alike if t.number in self._good]
        others = [t for t in alike if t.number not in self._good][-MAX_OTHERS:]
        name = min(together)
        drawn = np.random.SeedSequence([self.seed, trial.number, zlib.crc32(name.encode())])
        self._tpe.seed(int(drawn.generate_state(1)[0]))
        if self._is_random:
            draw = self._tpe._random_sampler.sample_independent
            return {key: draw(study, trial, key, given) for key, given in together.items()}
        self._tpe.take_for_good(len(good))
        excerpt: Any = _Excerpt(study, sorted([*good, *others], key=lambda t: t.number))
        return self._tpe.sample_relative(excerpt, trial, together)

    def _companions(self, name: str, distribution: BaseDistribution) -> dict[str, BaseDistribution]:
        """Find the parameters of the same component in the last trial that used it.

        The stages after the model are chosen together: a trial of one that skips them tells of
        models too.
        """
        component = name.rpartition(".")[0]
        if name != STAGES[0]:
            for trial in reversed(self._known):
                found = trial.distributions
                if trial.state != RUNNING and found.get(name) == distribution:
                    ours = {k: v for k, v in found.items() if k.rpartition(".")[0] == component}
                    ours.pop(STAGES[0], None)
                    return dict(sorted(ours.items()))
        return {name: distribution}


def _as_learned_from(trial: FrozenTrial) -> FrozenTrial:
    """Take a failure for as bad as can be: unseen, its like would be suggested again and again."""
    if trial.state != FAIL:
        return trial
    failed = copy(trial)
    failed.state = PRUNED
    return failed


def _rank(trial: FrozenTrial, sign: int) -> tuple[float, float, float]:
    """Give what trials are sorted by: complete ones by value, then pruned ones by how far."""
    if trial.value is not None:
        return 0.0, 0.0, sign * trial.value
    step, value = max(trial.intermediate_values.items(), default=(-1, math.inf))
    return 1.0, -float(step), math.inf if math.isnan(value) else sign * value


def create_study(metric: Metric, seed: int, storage: BaseStorage | None = None) -> optuna.Study:
    """Create the study, or load the one that the storage holds.

    Parameters
    ----------
    metric : Metric
        Gives the direction.
    seed : int
    storage : BaseStorage, optional
        By default the study lives in memory.

    Returns
    -------
    optuna.Study
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        study_name=STUDY,
        storage=storage,
        load_if_exists=True,
        direction="maximize" if metric.greater_is_better else "minimize",
        sampler=ComponentSampler(seed),
        pruner=optuna.pruners.NopPruner(),
    )
