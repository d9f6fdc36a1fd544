"""The Optuna study, and what is tried before it suggests."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from autoimb.metrics import Metric
from autoimb.strategy.configuration import STAGES, Configuration
from autoimb.strategy.search_space import SearchSpace

__all__ = ["STUDY", "ComponentSampler", "create_study", "first_configurations"]

STUDY = "autoimb"
# Samplers tried once with the default model before the search proper.
FIRST_SAMPLERS = ("random_under", "smote")
# Trials that are not among the best ones, which TPE tells those from.
MAX_OTHERS = 50


class _RecentTPESampler(TPESampler):
    """TPE that holds good trials against the latest of the others, and can be seeded anew.

    It weights a trial the less the older it is, but its cost would grow with their number.
    """

    def seed(self, seed: int) -> None:
        self._rng.rng.seed(seed)
        self._random_sampler._rng.rng.seed(seed)

    def _build_parzen_estimator(
        self,
        study: optuna.Study,
        search_space: dict[str, BaseDistribution],
        trials: list[FrozenTrial],
        handle_below: bool,
    ) -> Any:
        if not handle_below:
            trials = [t for t in trials if search_space.keys() <= t.params.keys()][-MAX_OTHERS:]
        return super()._build_parzen_estimator(study, search_space, trials, handle_below)


class ComponentSampler(BaseSampler):
    """Suggest by TPE, the parameters of one component together.

    It models what `TPESampler(group=True)` does, but only the components that a trial uses: of a
    space of twenty samplers that is one. What it suggests follows from the seed, the trial's
    number and the trials before, so that a study that is loaded again goes on as it would have,
    in the midst of a trial too.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._tpe = _RecentTPESampler(multivariate=True, seed=seed)
        self._of_trial = -1
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
            self._of_trial, self._suggested = trial.number, {}
        if param_name not in self._suggested:
            together = _companions(study, param_name, param_distribution)
            if len(together) > 1:
                tpe = self._seeded(trial.number, min(together))
                self._suggested |= tpe.sample_relative(study, trial, together)
        if param_name in self._suggested:
            return self._suggested[param_name]
        tpe = self._seeded(trial.number, param_name)
        return tpe.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Do nothing: there are no constraints."""

    def _seeded(self, number: int, name: str) -> TPESampler:
        """Seed the sampler for one component, or one parameter, of a trial."""
        drawn = np.random.SeedSequence([self.seed, number, zlib.crc32(name.encode())])
        self._tpe.seed(int(drawn.generate_state(1)[0]))
        return self._tpe


def _companions(
    study: optuna.Study, name: str, distribution: BaseDistribution
) -> dict[str, BaseDistribution]:
    """Find the parameters of the same component in the last trial that used it.

    Sampler and weight are chosen together, the model before them: a trial of one that needs
    neither tells of models too.
    """
    component = name.rpartition(".")[0]
    if name != STAGES[0]:
        for trial in reversed(study.get_trials(deepcopy=False)):
            found = trial.distributions
            if trial.state.is_finished() and found.get(name) == distribution:
                ours = {k: v for k, v in found.items() if k.rpartition(".")[0] == component}
                ours.pop(STAGES[0], None)
                return dict(sorted(ours.items()))
    return {name: distribution}


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


def first_configurations(space: SearchSpace) -> list[Configuration]:
    """List what is tried before the study suggests, each once.

    The default, then what did well on other data in turn with one change of the default each:
    the study would else judge a model by its default alone, and stay with the luckiest.
    """
    changes = [space.default(weight=weight.name) for weight in space.stages["weight"][1:]]
    changes += [
        space.default(sampler=sampler.name)
        for sampler in space.stages["sampler"]
        if sampler.name in FIRST_SAMPLERS
    ]
    changes += [space.default(model=model.name) for model in space.stages["model"][1:]]
    in_turn = [one for pair in zip_longest(space.portfolio(), changes) for one in pair if one]
    return deduplicated([space.untouched(), space.default(), *in_turn])


def deduplicated(configurations: Iterable[Configuration]) -> list[Configuration]:
    """Keep the first of equals."""
    found: list[Configuration] = []
    for configuration in configurations:
        if configuration not in found:
            found.append(configuration)
    return found
