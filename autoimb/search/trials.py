"""Ask for configurations, have them evaluated, tell what they scored."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from autoimb.errors import one_line
from autoimb.evaluation.futility import Hurdle
from autoimb.evaluation.tasks import Evaluation, Task
from autoimb.search.budget import Budget
from autoimb.search.contest import Contest
from autoimb.search.executors import Executor
from autoimb.search.journal import read_scores, write_scores
from autoimb.search.opening import Begun, Opening
from autoimb.search.records import TrialRecord
from autoimb.search.suggesting import OUTCOME
from autoimb.strategy.configuration import Configuration
from autoimb.strategy.search_space import SearchSpace

__all__ = ["TrialLoop", "spent_before"]

# Trials asked ahead of the oldest unfinished one, where the answer must not depend on workers.
LOOKAHEAD = 8
# What a trial had to beat, as the study holds it beside its parameters.
HURDLE = "hurdle"
SLOW = "took longer than one trial may"

Watch = Callable[[TrialRecord], None]


@dataclass
class _Pending:
    trial: optuna.Trial
    configuration: Configuration
    future: Future[Evaluation]
    kept: Evaluation | None = None


class _Spent(Exception):
    """The budget is used up."""


class TrialLoop:
    """Trials, one after the other or several at once, until time or number are used up.

    Parameters
    ----------
    study : optuna.Study
        Its trials, if there are any, are taken over; those that were running run again.
    space : SearchSpace
    budget : Budget
    contest : Contest
        Every trial is entered there.
    executor : Executor
    seconds_left : callable
        Until when trials may be asked for.
    watch : callable
        Told of every finished trial.
    begun : list of tuple of Configuration and Future
        First configurations that are being evaluated.
    """

    def __init__(
        self,
        study: optuna.Study,
        space: SearchSpace,
        budget: Budget,
        contest: Contest,
        executor: Executor,
        seconds_left: Callable[[], float],
        watch: Watch,
        begun: Begun,
    ) -> None:
        self.study = study
        self.space = space
        self.budget = budget
        self.contest = contest
        self.executor = executor
        self.seconds_left = seconds_left
        self.watch = watch
        # A count of trials promises the same answer for any number of workers. With a clock
        # that cannot be had, so that no worker need wait for an older trial.
        self.in_order = budget.seconds is None
        self.ahead = LOOKAHEAD if self.in_order else executor.n_workers + 1
        self.pending: list[_Pending] = []
        self.begun = begun
        self.opening = Opening(space)
        self.n_waiting = 0
        self.is_abandoned = False

    def run(self) -> None:
        """Take over what the study holds, then ask and tell until the budget is spent."""
        self._take_over()
        while True:
            while len(self.pending) < self.ahead and self._may_ask():
                self._ask()
            if not self.pending:
                return
            try:
                finished = self._await_one()
            except _Spent:
                return
            self.pending.remove(finished)
            self._tell(finished)

    def abandon(self) -> None:
        """Enter what has finished meanwhile, and cancel the rest.

        Where the order counts, the study is not told: a search that goes on later does it in turn.
        """
        self.is_abandoned = True
        for _, future in self.begun:
            future.cancel()
        while self.pending:
            pending = self.pending.pop(0)
            if pending.future.done() and not pending.future.cancelled():
                self._tell(pending)
                continue
            pending.future.cancel()
            if not self.in_order:
                self.study.tell(pending.trial, state=TrialState.FAIL)

    def _take_over(self) -> None:
        # What was cut off with the search, not by its own fault, is asked for again.
        trials = [
            trial
            for trial in self.study.get_trials(deepcopy=False)
            if OUTCOME in trial.user_attrs or not trial.state.is_finished()
        ]
        tried = [self._configuration_of(trial) for trial in trials]
        self.opening = Opening(self.space, tried)
        self.n_waiting = sum(trial.state == TrialState.WAITING for trial in trials)
        for frozen, configuration in zip(trials, tried, strict=True):
            if OUTCOME in frozen.user_attrs:
                self._take_over_told(frozen, configuration)
        self._find_lost()
        self.contest.discard()
        for frozen in trials:
            if frozen.state == TrialState.RUNNING and OUTCOME not in frozen.user_attrs:
                self._run_again(optuna.Trial(self.study, frozen._trial_id))

    def _configuration_of(self, trial: FrozenTrial) -> Configuration:
        given = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        return self.space.configuration(lambda name, p: given.get(name, p.default))

    def _take_over_told(self, frozen: FrozenTrial, configuration: Configuration) -> None:
        """Enter a trial whose outcome is known, perhaps to all but the study."""
        record = _record_of(frozen, configuration, self.contest)
        evaluation = self.contest.kept.load(frozen.number, 0)
        self.contest.add(record, evaluation if record.state == "complete" else None)
        if not frozen.state.is_finished():
            self._tell_study(optuna.Trial(self.study, frozen._trial_id), record)
        self.watch(record)

    def _find_lost(self) -> None:
        """Evaluate once more what leads but could not be kept; the best in any case."""
        lost, at_once, level = self.contest.lost(), self.executor.n_workers, self.contest.levels[0]
        for place in range(0, len(lost), at_once):
            if self.contest.leading() and self.seconds_left() <= 0:
                return
            batch = lost[place : place + at_once]
            futures = [self.executor.submit(Task(r.configuration, level), None) for r in batch]
            try:
                for record, future in zip(batch, futures, strict=True):
                    if future.exception() is None:
                        kept = self.contest.kept.save(record.number, 0, future.result())
                        self.contest.add(record, kept)
            finally:
                for future in futures:
                    future.cancel()

    def _run_again(self, trial: optuna.Trial) -> None:
        """Start a trial that was running when the search was killed, unless it had finished."""
        configuration = self.space.suggest(trial)
        hurdle = self._hurdle_of(trial, configuration)
        kept = self.contest.kept.load(trial.number, 0)
        if kept is None:
            self._submit(trial, configuration, hurdle)
        else:
            future: Future[Evaluation] = Future()
            future.set_result(kept)
            self.pending.append(_Pending(trial, configuration, future, kept))

    def _hurdle_of(self, trial: optuna.Trial, configuration: Configuration) -> Hurdle | None:
        """Return what the trial was to beat, or note what it is.

        The first of each model has nothing to beat: another one that does as well on the whole
        errs on other folds, and is what a blend lacks.
        """
        if HURDLE in trial.user_attrs:
            written = trial.user_attrs[HURDLE]
            return written and Hurdle(tuple(written["values"]), written["noise"])
        hurdle = None if self._is_first_of_model(configuration) else self.contest.hurdle()
        written = hurdle and {"values": hurdle.values, "noise": hurdle.noise}
        trial.set_user_attr(HURDLE, written)
        return hurdle

    def _is_first_of_model(self, configuration: Configuration) -> bool:
        asked = [record.configuration for record in self.contest.records.values()]
        asked += [pending.configuration for pending in self.pending]
        return configuration.model.name not in {one.model.name for one in asked}

    def _may_ask(self) -> bool:
        asked = len(self.contest.records) + len(self.pending)
        if self.budget.trials is not None and asked >= self.budget.trials:
            return False
        # One that could not end in time would only cost the worker that it runs in.
        return asked == 0 or self.seconds_left() > self._typical_seconds() / 2

    def _ask(self) -> None:
        if self.n_waiting:  # of a search that was killed before it asked
            self.n_waiting -= 1
        else:
            first = self.opening.take()
            if first is not None:
                self.study.enqueue_trial(first.flat)
        trial = self.study.ask()
        configuration = self.space.suggest(trial)
        self._submit(trial, configuration, self._hurdle_of(trial, configuration))

    def _submit(
        self, trial: optuna.Trial, configuration: Configuration, hurdle: Hurdle | None
    ) -> None:
        limit = self.budget.trial_limit(self._typical_seconds(), is_first=trial.number == 0)
        task = Task(configuration, self.contest.levels[0], hurdle)
        try:
            future = self._take_begun(configuration) or self.executor.submit(task, limit)
        except BaseException:
            # An interrupt while evaluating in this process.
            if not self.in_order:
                self.study.tell(trial, state=TrialState.FAIL)
            raise
        self.pending.append(_Pending(trial, configuration, future))
        self._keep(self.pending[-1])

    def _take_begun(self, configuration: Configuration) -> Future[Evaluation] | None:
        for place, (one, future) in enumerate(self.begun):
            if one == configuration:
                del self.begun[place]
                return future
        return None

    def _typical_seconds(self) -> float:
        records = self.contest.records.values()
        took = [record.seconds for record in records if record.state == "complete"]
        return float(np.median(took)) if took else 0.0

    def _await_one(self) -> _Pending:
        """Wait for a trial to tell, though not beyond the budget once there is a result."""
        while True:
            for pending in self.pending:
                self._keep(pending)
            candidates = self.pending[:1] if self.in_order else self.pending
            done = [pending for pending in candidates if pending.future.done()]
            if done:
                return done[0]
            left = self.seconds_left()
            if left <= 0 and self._has_any():
                raise _Spent
            running = [p.future for p in self.pending if not p.future.done()]
            wait(running, min(max(left, 0.02), 0.5), FIRST_COMPLETED)

    def _keep(self, pending: _Pending) -> None:
        """Write what a trial found as soon as it has, though it may be told after others."""
        future = pending.future
        if pending.kept is None and future.done() and future.exception() is None:
            pending.kept = self.contest.kept.save(pending.trial.number, 0, future.result())

    def _has_any(self) -> bool:
        done = [p.future for p in self.pending if p.future.done()]
        return bool(self.contest.leading()) or any(f.exception() is None for f in done)

    def _tell(self, pending: _Pending) -> None:
        trial = pending.trial
        try:
            # Before it is told: what is told but not kept would be lost to a crash in between.
            self._keep(pending)
            evaluation = pending.kept or pending.future.result()
        except Exception as error:
            self._tell_failed(trial, pending.configuration, error)
        else:
            if evaluation.is_complete:
                self._tell_complete(trial, pending.configuration, evaluation)
            else:
                self._tell_pruned(trial, pending.configuration, evaluation)

    def _tell_failed(
        self, trial: optuna.Trial, configuration: Configuration, error: Exception
    ) -> None:
        slow = isinstance(error, TimeoutError)
        if slow:
            records = self.contest.records.values()
            done = (one.configuration for one in records if one.state == "complete")
            self.opening.note_slow(configuration, done)
        reason = SLOW if slow else _reason(error)
        self._close(trial, TrialRecord(trial.number, configuration, "failed", reason=reason))

    def _tell_pruned(
        self, trial: optuna.Trial, configuration: Configuration, evaluation: Evaluation
    ) -> None:
        values, n_folds = evaluation.fold_values, self.contest.levels[0].n_folds
        done = f"{len(values)} of {n_folds} folds"
        record = TrialRecord(
            trial.number, configuration, "pruned", {}, evaluation.seconds,
            f"stopped after {done}: the best so far was out of its reach", values,
        )  # fmt: skip
        self._close(trial, record)

    def _tell_complete(
        self, trial: optuna.Trial, configuration: Configuration, evaluation: Evaluation
    ) -> None:
        record = TrialRecord(
            trial.number, configuration, "complete", evaluation.scores, evaluation.seconds,
            "", evaluation.fold_values, self.contest.levels[0],
        )  # fmt: skip
        self._close(trial, self.contest.mark(record), evaluation)

    def _close(
        self, trial: optuna.Trial, record: TrialRecord, evaluation: Evaluation | None = None
    ) -> None:
        """Enter a trial and tell the study of it."""
        # Kept before anything is written: an interrupt meanwhile must not lose it.
        self.contest.add(record, evaluation)
        if self.is_abandoned and self.in_order:
            self.watch(record)
            return
        outcome = {
            "state": record.state,
            "scores": write_scores(record.scores),
            "seconds": record.seconds,
            "reason": record.reason,
            "fold_values": record.fold_values,
            "is_calibrated": record.is_calibrated,
            "elapsed": self.budget.elapsed(),
        }
        trial.set_user_attr(OUTCOME, outcome)
        self._tell_study(trial, record)
        self.contest.discard()
        if record.state == "pruned":
            self.contest.kept.remove(trial.number, 0)
        self.watch(record)

    def _tell_study(self, trial: optuna.Trial, record: TrialRecord) -> None:
        """Tell what the sampler learns from: of a pruned trial how far it came, and how well.

        Pruned trials rank below every complete one, and those without a value last.
        """
        metric, n_done = self.contest.metric, len(record.fold_values)
        if record.state == "complete":
            value = record.scores[metric.name].value
            known = bool(np.isfinite(value))
            self.study.tell(trial, value if known else None, None if known else TrialState.FAIL)
            return
        if record.state == "pruned" and n_done not in self._reported(trial):
            trial.report(metric.utility(float(np.mean(record.fold_values))), n_done)
        ignored = record.state == "failed" and record.reason != SLOW
        self.study.tell(trial, state=TrialState.FAIL if ignored else TrialState.PRUNED)

    def _reported(self, trial: optuna.Trial) -> Container[int]:
        return self.study.get_trials(deepcopy=False)[trial.number].intermediate_values


def spent_before(trials: Sequence[FrozenTrial]) -> float:
    """Tell how many seconds a search had run when its last trial was told."""
    outcomes = [trial.user_attrs.get(OUTCOME, {}) for trial in trials]
    return max((float(outcome.get("elapsed", 0.0)) for outcome in outcomes), default=0.0)


def _record_of(trial: FrozenTrial, configuration: Configuration, contest: Contest) -> TrialRecord:
    """Rebuild the record of a trial that an earlier process told."""
    outcome: dict[str, Any] = trial.user_attrs[OUTCOME]
    complete = outcome["state"] == "complete"
    return TrialRecord(
        trial.number, configuration, outcome["state"], read_scores(outcome["scores"]),
        outcome["seconds"], outcome["reason"], tuple(outcome["fold_values"]),
        contest.levels[0] if complete else None, 0, outcome.get("is_calibrated", True),
    )  # fmt: skip


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "needed more memory than one worker may take"
    return one_line(error)
