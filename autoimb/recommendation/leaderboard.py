"""The strategies of a search, ranked in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from autoimb.data.splitting import Folds
from autoimb.decision.deciding import Decision
from autoimb.decision.rules import argmax_rule
from autoimb.decision.scored import Scored
from autoimb.evaluation.scoring import Score, average_scores, score_out_of_fold
from autoimb.metrics import Metric
from autoimb.search.blend import Exported
from autoimb.search.records import SearchResult, TrialRecord

__all__ = ["Leaderboard", "Terms", "build_leaderboard", "untouched_scores"]

# How a row of the leaderboard decides; with several classes 0.5 stands for the argmax.
UNTUNED, TUNED = "0.5", "tuned"


@dataclass(frozen=True)
class Terms:
    """By what strategies are compared.

    Attributes
    ----------
    metric : Metric
    decision : Decision
        Of the exported model.
    scored : Scored
        The rows, with the probabilities of what is exported.
    folds : Folds
    """

    metric: Metric
    decision: Decision
    scored: Scored
    folds: Folds


class Leaderboard(pd.DataFrame):
    """A table of strategies, best first, that a notebook shows with what matters of it.

    A frame in every other respect: what is selected from it is a plain one.

    Attributes
    ----------
    metric : str
        That the strategies are ranked by.

    Examples
    --------
    >>> board = Leaderboard.of(pd.DataFrame({"strategy": ["lightgbm"], "score": [0.6]}), "f1")
    >>> board.metric, type(board.head(1)).__name__
    ('f1', 'DataFrame')
    """

    _metadata: ClassVar[list[str]] = ["metric"]
    metric: str

    @classmethod
    def of(cls, table: pd.DataFrame, metric: str) -> Leaderboard:
        """Name the metric that a table is ranked by."""
        board = cls(table)
        board.metric = metric
        return board

    def _repr_html_(self) -> str | None:
        """Show it in a notebook, unless pandas is told to show frames as text."""
        from autoimb.recommendation.cards import render_leaderboard

        return render_leaderboard(self) if pd.get_option("display.notebook_repr_html") else None


def untouched_scores(result: SearchResult, terms: Terms) -> Mapping[str, Score] | None:
    """Score the default configuration with no tuned decision: doing nothing at all."""
    if not result.default_evaluations:
        return None
    each = [
        score_out_of_fold(
            terms.metric, terms.scored.with_proba(evaluation.scored_proba), terms.folds,
            terms.decision.criterion, rule=argmax_rule(terms.scored.n_classes),
        )
        for evaluation in result.default_evaluations
    ]  # fmt: skip
    return average_scores(each)


def build_leaderboard(result: SearchResult, exported: Exported, terms: Terms) -> Leaderboard:
    """Rank the strategies, each by its best trial, an exported one by that which is exported.

    Parameters
    ----------
    result : SearchResult
    exported : Exported
    terms : Terms

    Returns
    -------
    Leaderboard
        A row per combination of sampler, weight and model, those first that were evaluated most
        thoroughly, of these the best first, beside doing nothing (the default model, decided by
        argmax). Columns: strategy, untouched (neither
        resampled nor weighted), sampler, weight, model, decision, score, spread, calibrated
        (passed the gate), trials, seconds, trial, evaluated (on what), exported (alone or in a
        blend).
    """
    metric = terms.metric
    chosen = {record.number for record in exported.members}
    complete = [record for record in result.records if record.state == "complete"]
    groups: dict[str, list[TrialRecord]] = {}
    for record in complete:
        groups.setdefault(str(record.configuration), []).append(record)
    rows = []
    for records in groups.values():
        eligible = [record for record in records if record.number in chosen] or records
        best = max(eligible, key=lambda r: (r.step, metric.utility(r.scores[metric.name].value)))
        seconds = sum(record.seconds for record in records)
        rows.append(_row(best, best.scores[metric.name], TUNED, len(records), seconds))
    nothing = untouched_scores(result, terms)
    if nothing is not None and result.default is not None:
        rows.append(_row(result.default, nothing[metric.name], UNTUNED, 1, result.default.seconds))
    # The default keeps a row of its own even where other values of the same parts won.
    if result.default is not None and result.default.number not in {
        row["trial"] for row in rows[:-1]
    }:
        scores = result.default.scores[metric.name]
        rows.append(_row(result.default, scores, TUNED, 1, result.default.seconds))
    board = pd.DataFrame(rows)
    board["exported"] = board["trial"].isin(chosen) & (board["decision"] == TUNED)
    board["score_up"] = board["score"].map(metric.utility)
    board = board.sort_values(["step", "score_up"], ascending=False, kind="stable")
    board = board.drop(columns=["step", "score_up"]).reset_index(drop=True).rename_axis("rank")
    return Leaderboard.of(board, metric.name)


def _row(
    record: TrialRecord, score: Score, decision: str, trials: int, seconds: float
) -> dict[str, object]:
    configuration = record.configuration
    return {
        "strategy": str(configuration),
        "untouched": configuration.is_untouched and configuration.model.balance is None,
        "ensemble": configuration.ensemble.name,
        "sampler": configuration.sampler.name,
        "weight": configuration.weight.name,
        "model": configuration.model.name,
        "decision": decision,
        "score": score.value,
        "spread": score.spread,
        "calibrated": record.is_calibrated,
        "trials": trials,
        "seconds": seconds,
        "trial": record.number,
        "evaluated": str(record.level),
        "step": record.step,
    }
