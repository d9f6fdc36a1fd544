"""A search as a terminal shows it while it runs: what goes on, who leads, how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table
from rich.text import Text

from autoimb.cli.live import Clock, line, room_of
from autoimb.cli.standing import Standing
from autoimb.cli.tables import legible
from autoimb.recommendation.gains import WORDS
from autoimb.search.records import TrialRecord

__all__ = ["SearchView", "tell_in_a_line"]

MAX_LEADERS = 5
# From as many characters on, there is room for what is not needed most.
WIDE = 60
MISCALIBRATED, NARROW_MARK = "miscalibrated", "!"
# Lines of what goes on, and those that a table takes beside its rows.
HEAD, BESIDE = 3, 2


def tell_in_a_line(standing: Standing, left: str) -> str:
    """Tell how a search stands where nothing can be drawn.

    Parameters
    ----------
    standing : Standing
    left : str
        Of the budget.

    Returns
    -------
    str
    """
    n, told = standing.n_trials, []
    told += [f"{standing.n_failed:,} failed"] * bool(standing.n_failed)
    told += [f"{standing.n_pruned:,} ended early"] * bool(standing.n_pruned)
    parts = [f"{n:,} trial{'s' * (n != 1)}" + (f" ({', '.join(told)})" if told else "")]
    for best in standing.leaders(1):
        score = best.scores[standing.metric.name]
        parts.append(f"best {standing.metric.name} {score} by {best.configuration}")
    return ", ".join([*parts, left])


@dataclass(frozen=True)
class SearchView:
    """All that is shown, for as large a terminal as there is.

    Attributes
    ----------
    clock : Clock
        Of the budget.
    standing : Standing
    rate : float or None
        Trials in a minute, while there are any.
    """

    clock: Clock
    standing: Standing
    rate: float | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lay out what there is room for."""
        width, room = room_of(options), options.size.height - 1 - HEAD - BESIDE
        yield self.clock
        counts = line(self._counts())
        counts.truncate(width, overflow="ellipsis")
        yield counts
        leaders = self.standing.leaders(min(MAX_LEADERS, max(room, 0)))
        if leaders:
            yield ""
            yield self._leaderboard(leaders, width)
        if leaders and len(self.standing.kinds) + BESIDE <= room - len(leaders):
            yield ""
            yield self._kinds(width)

    def _counts(self) -> str:
        found, s = self.standing, "s" * (self.standing.n_trials != 1)
        told = [f"{found.n_trials:,} trial{s}", f"{found.n_failed:,} failed"]
        told += [f"{found.n_pruned:,} ended early"]
        told += [] if self.rate is None else [f"{self.rate:.0f} a minute"]
        return ", ".join(told)

    def _score(self, record: TrialRecord) -> str:
        return str(record.scores[self.standing.metric.name])

    def _leaderboard(self, leaders: Sequence[TrialRecord], width: int) -> Table:
        is_wide = width >= WIDE
        mark = MISCALIBRATED if is_wide else NARROW_MARK
        table = _make_table(width)
        _add_column(table, "rank", is_number=True)
        _add_column(table, "strategy", ratio=1)
        _add_column(table, "score", is_number=True)
        # As wide as two columns of the table below, for scores to stand below each other.
        _add_column(table, "", width=len("trials  failed") if is_wide else len(mark))
        for rank, record in enumerate(leaders, start=1):
            table.add_row(
                str(rank),
                _strategy(record),
                self._score(record),
                Text("" if record.is_calibrated else mark, "yellow"),
                style="bold" if rank == 1 else None,
            )
        return table

    def _kinds(self, width: int) -> Table:
        """Show the best of each degree of plainness, which the recommendation will weigh."""
        is_wide = width >= WIDE
        table = _make_table(width)
        _add_column(table, "kind", ratio=None if is_wide else 1)
        if is_wide:
            _add_column(table, "strategy", ratio=1)
        _add_column(table, "score", is_number=True)
        for name in ("trials", "failed") if is_wide else ():
            _add_column(table, name, is_number=True)
        for tier, kind in self.standing.by_plainness().items():
            best = kind.best
            strategy = [_strategy(best) if best else Text()] * is_wide
            counts = [f"{kind.n_trials:,}", f"{kind.n_failed:,}"] * is_wide
            table.add_row(WORDS[tier], *strategy, self._score(best) if best else "-", *counts)
        return table


def _make_table(width: int) -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold", width=width)


def _add_column(
    table: Table,
    name: str,
    *,
    is_number: bool = False,
    ratio: int | None = None,
    width: int | None = None,
) -> None:
    justify: JustifyMethod = "right" if is_number else "left"
    table.add_column(
        name, justify=justify, ratio=ratio, width=width, no_wrap=True, overflow="ellipsis"
    )


def _strategy(record: TrialRecord) -> Text:
    return line(legible(str(record.configuration)))
