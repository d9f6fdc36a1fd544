"""What is tried before the study suggests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from itertools import zip_longest

from autoimb.evaluation.levels import Level
from autoimb.evaluation.tasks import Evaluation, Task
from autoimb.search.budget import Budget
from autoimb.search.contest import ENOUGH_FOR_NOISE
from autoimb.search.executors import Executor
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.search_space import SearchSpace

__all__ = ["Begun", "Opening", "begin", "first_configurations", "keep_wanted"]

# Samplers tried once with the default model before the search proper.
FIRST_SAMPLERS = ("random_under", "smote")

Begun = list[tuple[Configuration, Future[Evaluation]]]


def first_configurations(space: SearchSpace) -> list[Configuration]:
    """List what is tried before the study suggests, each once.

    The default, then in turn what did well on other data and, of the components that are missing
    there, the default with one of them.

    Parameters
    ----------
    space : SearchSpace

    Returns
    -------
    list of Configuration
    """
    portfolio = space.portfolio()
    pairs = zip_longest(portfolio, _missing(space, portfolio))
    in_turn = [one for pair in pairs for one in pair if one]
    return _deduplicated([space.untouched(), space.default(), *in_turn])


def _missing(space: SearchSpace, portfolio: Sequence[Configuration]) -> list[Configuration]:
    """List the default with each component that it and the portfolio lack; of samplers some."""
    known = {
        (stage, choice.name)
        for one in (space.default(), *portfolio)
        for stage, choice in one.choices.items()
    }
    return [
        space.default(**{stage: one.name})
        for stage in ("weight", "sampler", "model", "ensemble")
        for one in space.stages[stage]
        if (stage, one.name) not in known and (stage != "sampler" or one.name in FIRST_SAMPLERS)
    ]


def _deduplicated(configurations: Iterable[Configuration]) -> list[Configuration]:
    """Keep the first of equals."""
    found: list[Configuration] = []
    for configuration in configurations:
        if configuration not in found:
            found.append(configuration)
    return found


def begin(executor: Executor, space: SearchSpace, budget: Budget, level: Level) -> Begun:
    """Have workers evaluate the first configurations before the search can ask.

    No more than those that nothing is known to hold against: they run alike in any search.

    Parameters
    ----------
    executor : Executor
    space : SearchSpace
        Not yet restricted to the data.
    budget : Budget
    level : Level
        That of every trial.

    Returns
    -------
    list of tuple of Configuration and Future
    """
    first = first_configurations(space)[: min(executor.n_workers, ENOUGH_FOR_NOISE)]
    return [
        (one, executor.submit(Task(one, level), budget.trial_limit(0.0, is_first=not place)))
        for place, one in enumerate(first)
    ]


def keep_wanted(begun: Begun, space: SearchSpace, n_trials: int | None) -> Begun:
    """Cancel what has begun but will not be asked for.

    Parameters
    ----------
    begun : list of tuple of Configuration and Future
    space : SearchSpace
        Restricted to the data, which may change or rule out what has begun.
    n_trials : int or None
        How many will be asked for at most.

    Returns
    -------
    list of tuple of Configuration and Future
    """
    first = first_configurations(space)[:n_trials]
    for configuration, future in begun:
        if configuration not in first:
            future.cancel()
    return [(one, future) for one, future in begun if one in first]


class Opening:
    """What is left to be tried before the study suggests.

    Parameters
    ----------
    space : SearchSpace
        Restricted to the data.
    tried : sequence of Configuration
        What need not be tried once more.
    """

    def __init__(self, space: SearchSpace, tried: Sequence[Configuration] = ()) -> None:
        self._left = [one for one in first_configurations(space) if one not in tried]
        self._slow: set[tuple[str, ...]] = set()

    def __len__(self) -> int:
        """Count what is left."""
        return len(self._left)

    def note_slow(self, configuration: Configuration, done: Iterable[Configuration] = ()) -> None:
        """Leave out what is like one that took too long, unless another like it was done."""
        if _core(configuration) in map(_core, done):
            return
        self._slow.add(_core(configuration))
        self._left = [one for one in self._left if not self._is_slow(one)]

    def take(self) -> Configuration | None:
        """Take the next one; None if there is none left."""
        return self._left.pop(0) if self._left else None

    def _is_slow(self, configuration: Configuration) -> bool:
        model, *_ = core = _core(configuration)
        return core in self._slow or (model, "none", "none") in self._slow


def _core(configuration: Configuration) -> tuple[str, ...]:
    """Name what decides whether a trial is slow."""
    return configuration.model.name, configuration.ensemble.name, configuration.sampler.name
