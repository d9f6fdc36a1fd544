"""Whether rows that a sampler made are ever scored, or depend on rows that are."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoimb.arrays import BoolArray, FloatArray, IntArray
from autoimb.evaluation.engine import Evaluator
from autoimb.evaluation.folds import Fold
from autoimb.leaks.report import Check, counted, shown
from autoimb.leaks.setup import SecondsLeft, Setup, spoil
from autoimb.leaks.strategies import samplers
from autoimb.strategy.configuration import Choice
from autoimb.strategy.pipeline import draw, read_rows
from autoimb.strategy.resampling import Resampled
from autoimb.threads import in_threads, limit_threads

__all__ = ["check_samplers"]

NAME = "no_sampled_row_scored"
ADVICE = "Do not trust the scores: rows are sampled before they are split, please report it."


@dataclass(frozen=True)
class _Seen:
    """What was seen of a fold: samplers with their outcomes, rows made, rows that should not be."""

    outcomes: tuple[tuple[str, str], ...]
    n_made: int
    strange: IntArray
    n_scored: int


def check_samplers(setup: Setup, seconds_left: SecondsLeft) -> Check:
    """Resample every training part and look at the rows to score, and at where others come from.

    A synthetic row may equal a row to score by chance. What counts is that it would have been
    made all the same had that row been another. The first sampler is always tested, others as far
    as the time goes.
    """
    choices = samplers(setup.space)
    with limit_threads(setup.evaluator.n_threads):
        seen = [
            _look_at(setup, fold, choices, seconds_left) for fold in range(setup.evaluator.n_folds)
        ]
    return _conclude(seen, set(choices))


def _look_at(
    setup: Setup, fold: int, choices: dict[str, Choice], seconds_left: SecondsLeft
) -> _Seen:
    evaluator, max_rows = setup.evaluator, setup.level.max_rows
    part = evaluator.training_part(fold, max_rows)
    outcomes: list[tuple[str, str]] = []
    n_made = 0
    if not fold or seconds_left() > 0:
        other = spoil(evaluator, fold, setup.seed).training_part(fold, max_rows)
        for name, choice in choices.items():
            if (fold or outcomes) and seconds_left() <= 0:
                break
            outcome, n_new = _compare(choice, part, other, evaluator)
            outcomes.append((name, outcome))
            n_made += n_new
    # After the samplers, for they had these rows in their hands.
    strange = _find_strange(setup, fold, part)
    return _Seen(tuple(outcomes), n_made, strange, len(evaluator.scored_rows(fold)))


def _compare(choice: Choice, part: Fold, other: Fold, evaluator: Evaluator) -> tuple[str, int]:
    """Tell whether a sampler makes the same of rows whose validation part is another."""
    first = _draw(choice, part, evaluator)
    if first is None:
        return "unable", 0
    if _is_same(first, _draw(choice, other, evaluator)):
        return "same", len(first.y) - len(np.unique(first.kept))
    return ("changed" if _is_same(first, _draw(choice, part, evaluator)) else "unsteady"), 0


def _draw(choice: Choice, part: Fold, evaluator: Evaluator) -> Resampled | None:
    """Draw as training does; None where the sampler fails, as a trial may while others go on."""
    with warnings.catch_warnings(), in_threads():
        warnings.simplefilter("ignore")
        try:
            return draw(choice, part, n_threads=evaluator.n_threads, seed=evaluator.seed)
        except Exception:
            return None


def _is_same(first: Resampled, second: Resampled | None) -> bool:
    return second is not None and all(
        np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True)
        for name in ("kept", "synthetic", "y")
    )


def _find_strange(setup: Setup, fold: int, part: Fold) -> IntArray:
    """Find the rows that are not those of the table, bit for bit, or are trained on and scored."""
    evaluator = setup.evaluator
    rows, trained = evaluator.scored_rows(fold), evaluator.training_rows(fold)
    strange = [
        rows[~_are_of_table(setup, rows, read_rows(part.X_scored), evaluator.y[rows])],
        np.intersect1d(rows, trained),
    ]
    if setup.level.max_rows is None:
        strange.append(trained[~_are_of_table(setup, trained, read_rows(part.X), part.y)])
    return np.concatenate(strange)


def _are_of_table(setup: Setup, rows: IntArray, X: FloatArray, y: IntArray) -> BoolArray:
    """Tell which rows are those of the table that they are said to be."""
    table, labels = setup.dataset.X, setup.dataset.y
    if X.shape != (len(rows), table.shape[1]):
        return np.zeros(len(rows), dtype=bool)
    known = rows < len(labels)
    found = known.copy()
    same = table[rows[known]].view(np.int64) == np.ascontiguousarray(X[known]).view(np.int64)
    found[known] = same.all(axis=1) & (labels[rows[known]] == y[known])
    return found


def _conclude(seen: Sequence[_Seen], named: set[str]) -> Check:
    names: defaultdict[str, set[str]] = defaultdict(set)
    for name, outcome in (one for fold in seen for one in fold.outcomes):
        names[outcome].add(name)
    n_scored, n_made = sum(fold.n_scored for fold in seen), sum(fold.n_made for fold in seen)
    n_strange = len(np.unique(np.concatenate([fold.strange for fold in seen])))
    if n_strange:
        finding = (
            f"{counted(n_strange, 'row')} of the splits are no rows of the table as they are, or "
            f"are trained on and scored ({counted(n_scored, 'row')} scored)."
        )
        return Check(NAME, "failed", finding, ADVICE)
    if names["changed"]:
        makers = shown(sorted(names["changed"]))
        finding = f"Other rows are made by {makers} once the rows to score are replaced."
        return Check(NAME, "failed", finding, ADVICE)
    scored = f"ll {counted(n_scored, 'scored row')} are rows of the table, bit for bit"
    if not named:
        return Check(NAME, "passed", f"A{scored}; no sampler suits the data.")
    names["late"] = named.difference(*names.values())
    n_folds = sum(bool(fold.outcomes) for fold in seen)
    finding = (
        f"{counted(len(names['same']), 'sampler')} made {n_made:,} copies and synthetic rows of "
        f"the training parts of {n_folds} of {counted(len(seen), 'fold')}, the same whatever the "
        f"rows to score are; a{scored}."
    )
    return Check(NAME, "passed", finding + _exceptions(names))


def _exceptions(names: Mapping[str, set[str]]) -> str:
    """Name the samplers that nothing can be said of."""
    words = {
        "unable": "could not resample these data",
        "unsteady": "other rows each time",
        "late": "the time was over: give a larger budget",
    }
    return "".join(
        f" Not tested: {shown(sorted(left_out))} ({text})."
        for outcome, text in words.items()
        if (left_out := names[outcome] - names["same"])
    )
