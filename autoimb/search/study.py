"""Ask for configurations, evaluate them, tell what they scored."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import TrialState

from autoimb.errors import SearchError, one_line
from autoimb.evaluation.engine import Evaluation, Evaluator
from autoimb.evaluation.scoring import selection_value
from autoimb.metrics import Metric, get_metric
from autoimb.search.budget import Budget, RefitCost
from autoimb.search.executors import Executor, open_executor
from autoimb.search.records import Candidate, SearchResult, TrialRecord
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.search_space import SearchSpace

__all__ = ["create_study", "search"]

# Trials asked ahead of the oldest unfinished one, where the answer must not depend on workers.
LOOKAHEAD = 8
# Samplers tried once with the default model before the search proper.
FIRST_SAMPLERS = ("random_under", "smote")
# Strategies whose best predictions are kept in memory.
N_CANDIDATES = 24


Watch = Callable[[TrialRecord], None]


def create_study(metric: Metric, seed: int, journal: Path | None = None) -> optuna.Study:
    """Create the study.

    Parameters
    ----------
    metric : Metric
        Gives the direction.
    seed : int
    journal : Path, optional
        File that every trial is written to; by default the study lives in memory.

    Returns
    -------
    optuna.Study
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = None
    if journal is not None:
        lock = JournalFileOpenLock(str(journal))
        storage = JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))
    with warnings.catch_warnings():
        # `group` models the nested space jointly, and is called experimental since 2.8.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(group=True, multivariate=True, seed=seed)
    return optuna.create_study(
        study_name="autoimb",
        storage=storage,
        direction="maximize" if metric.greater_is_better else "minimize",
        sampler=sampler,
    )


def first_configurations(space: SearchSpace) -> list[Configuration]:
    """List what is tried before the study suggests, each once.

    The default, then what did well on other data in turn with one change of the default each:
    the study would else judge a model by its default alone, and stay with the luckiest.
    """
    changes = [space.default(weight=weight.name) for weight in space.stages["weight"][1:]]
    changes += [space.default(model=model.name) for model in space.stages["model"][1:]]
    changes += [
        space.default(sampler=sampler.name)
        for sampler in space.stages["sampler"]
        if sampler.name in FIRST_SAMPLERS
    ]
    in_turn = [one for pair in zip_longest(space.portfolio(), changes) for one in pair if one]
    return deduplicated([space.untouched(), space.default(), *in_turn])


def deduplicated(configurations: Iterable[Configuration]) -> list[Configuration]:
    """Keep the first of equals."""
    found: list[Configuration] = []
    for configuration in configurations:
        if configuration not in found:
            found.append(configuration)
    return found


def search(
    evaluator: Evaluator,
    space: SearchSpace,
    budget: Budget,
    *,
    n_workers: int | None = None,
    refit_cost: RefitCost | None = None,
    journal: Path | None = None,
    watch: Watch = lambda record: None,
) -> SearchResult:
    """Search for the configuration that scores best.

    Parameters
    ----------
    evaluator : Evaluator
        Holds data, folds, metric and seed.
    space : SearchSpace
        Restricted to the data.
    budget : Budget
    n_workers : int, optional
        Processes; by default one for each core. 1 stays in this process.
    refit_cost : RefitCost, optional
        Of what follows the search, which time is kept for; by default of the best strategy.
    journal : Path, optional
    watch : callable
        Told of every finished trial.

    Returns
    -------
    SearchResult

    Raises
    ------
    SearchError
        If no configuration could be evaluated.
    """
    metric = get_metric(evaluator.metric)
    study = create_study(metric, evaluator.seed, journal)
    n_workers = n_workers or os.cpu_count() or 1
    run = _Run(study, space, budget, metric, n_workers, refit_cost or RefitCost(), watch)
    with open_executor(evaluator, n_workers) as executor:
        try:
            run.until_spent(executor)
        except KeyboardInterrupt:
            run.interrupted = True
        run.abandon()
    return run.result()


@dataclass
class _Pending:
    trial: optuna.Trial
    configuration: Configuration
    future: Future[Evaluation]


class _Run:
    """The loop of asking and telling, and the best that it has seen."""

    def __init__(
        self,
        study: optuna.Study,
        space: SearchSpace,
        budget: Budget,
        metric: Metric,
        n_workers: int,
        refit_cost: RefitCost,
        watch: Watch,
    ) -> None:
        self.refit_cost = refit_cost
        self.study = study
        self.space = space
        self.budget = budget
        self.metric = metric
        self.watch = watch
        self.first = iter(first_configurations(space))
        # A count of trials promises the same answer for any number of workers. With a clock
        # that cannot be had, so that no worker need wait for an older trial.
        self.in_order = budget.seconds is None
        self.ahead = LOOKAHEAD if self.in_order else n_workers + 1
        self.interrupted = False
        self.records: list[TrialRecord] = []
        self.pending: list[_Pending] = []
        self.too_slow: set[tuple[str, str]] = set()  # model and sampler of a trial over its limit
        self.candidates: dict[str, Candidate] = {}  # by strategy
        self.default: tuple[TrialRecord, Evaluation] | None = None

    def until_spent(self, executor: Executor) -> None:
        """Ask and tell until time or trials are used up."""
        while True:
            while len(self.pending) < self.ahead and self._may_ask():
                self._ask(executor)
            if not self.pending:
                return
            try:
                finished = self._await_one()
            except _Spent:
                return
            self.pending.remove(finished)
            self._tell(finished)

    def abandon(self) -> None:
        """Tell what has finished meanwhile, and cancel the rest."""
        for pending in self.pending:
            if pending.future.done() and not pending.future.cancelled():
                self._tell(pending)
            else:
                pending.future.cancel()
                self.study.tell(pending.trial, state=TrialState.FAIL)
        self.pending.clear()

    def result(self) -> SearchResult:
        """Sum the search up."""
        if not self.candidates:
            raise SearchError(self._why_nothing())
        default, default_evaluation = self.default or (None, None)
        return SearchResult(
            study=self.study,
            records=tuple(sorted(self.records, key=lambda record: record.number)),
            candidates=tuple(self._leading()),
            default=default,
            default_evaluation=default_evaluation,
            interrupted=self.interrupted,
        )

    def _may_ask(self) -> bool:
        asked = len(self.records) + len(self.pending)
        if self.budget.trials is not None and asked >= self.budget.trials:
            return False
        return asked == 0 or self._seconds_left() > 0

    def _seconds_left(self) -> float:
        evaluated = [candidate.evaluation.seconds for candidate in self._leading()]
        return self.budget.left_to_search(self.refit_cost.seconds(evaluated))

    def _ask(self, executor: Executor) -> None:
        first = next((one for one in self.first if _core(one) not in self.too_slow), None)
        if first is not None:
            self.study.enqueue_trial(first.flat)
        trial = self.study.ask()
        configuration = self.space.suggest(trial)
        took = [record.seconds for record in self.records if record.state == "complete"]
        typical = float(np.median(took)) if took else 0.0
        # The very first may take what it needs: without it there would be nothing to export.
        limit = self.budget.trial_limit(typical) if trial.number else None
        try:
            future = executor.submit(configuration, limit)
        except BaseException:
            # An interrupt while evaluating in this process: no trial stays open.
            self.study.tell(trial, state=TrialState.FAIL)
            raise
        self.pending.append(_Pending(trial, configuration, future))

    def _await_one(self) -> _Pending:
        """Wait for a trial to tell, though not beyond the budget once there is a result."""
        while True:
            candidates = self.pending[:1] if self.in_order else self.pending
            done = [pending for pending in candidates if pending.future.done()]
            if done:
                return done[0]
            left = self._seconds_left()
            if left <= 0 and self._has_any():
                raise _Spent
            wait([p.future for p in candidates], min(max(left, 0.02), 0.5), FIRST_COMPLETED)

    def _has_any(self) -> bool:
        done = [p.future for p in self.pending if p.future.done()]
        return bool(self.candidates) or any(future.exception() is None for future in done)

    def _tell(self, pending: _Pending) -> None:
        trial, number = pending.trial, pending.trial.number
        try:
            evaluation = pending.future.result()
        except Exception as error:
            record = TrialRecord(number, pending.configuration, "failed", reason=_reason(error))
            trial.set_user_attr("reason", record.reason)
            # Optuna's sampler ranks a pruned trial below every other, and ignores a failed one:
            # what took too long must not be suggested again and again.
            slow = isinstance(error, TimeoutError)
            if slow:
                self.too_slow.add(_core(pending.configuration))
            self.study.tell(trial, state=TrialState.PRUNED if slow else TrialState.FAIL)
        else:
            scores, seconds = dict(evaluation.scores), evaluation.seconds
            record = TrialRecord(number, pending.configuration, "complete", scores, seconds)
            # Kept before anything is written: an interrupt meanwhile must not lose it.
            self._keep(record, evaluation)
            trial.set_user_attr("scores", {name: score.value for name, score in scores.items()})
            self.study.tell(trial, record.scores[self.metric.name].value)
        self.records.append(record)
        self.watch(record)

    def _keep(self, record: TrialRecord, evaluation: Evaluation) -> None:
        """Remember the default and the best of each strategy; of equals the one found first."""
        if record.number == 0:
            self.default = record, evaluation
        candidate, strategy = Candidate(record, evaluation), str(record.configuration)
        before = self.candidates.get(strategy)
        if before is None or self._value(candidate) > self._value(before):
            self.candidates[strategy] = candidate
        for weakest in self._leading()[N_CANDIDATES:]:
            del self.candidates[str(weakest.record.configuration)]

    def _leading(self) -> list[Candidate]:
        """Sort the best first; of equals the one asked for first."""
        return sorted(self.candidates.values(), key=lambda c: (-self._value(c), c.record.number))

    def _value(self, candidate: Candidate) -> float:
        value = selection_value(self.metric, candidate.record.scores)
        return value if np.isfinite(value) else -np.inf

    def _why_nothing(self) -> str:
        if self.interrupted:
            return "interrupted before the first configuration was evaluated; nothing to export."
        reasons = sorted({record.reason for record in self.records})
        return (
            f"none of the {len(self.records)} configurations could be evaluated: "
            f"{'; '.join(reasons[:3])}. Try another search space, or check the columns."
        )


def _core(configuration: Configuration) -> tuple[str, str]:
    """Name what decides whether a trial is slow."""
    return configuration.model.name, configuration.sampler.name


class _Spent(Exception):
    """The budget is used up."""


def _reason(error: Exception) -> str:
    slow = isinstance(error, TimeoutError)
    return "took longer than one trial may" if slow else one_line(error)
