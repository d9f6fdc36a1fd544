"""A search as a terminal shows it while it runs: what goes on, who leads, how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autoimb.cli.standing import Standing
from autoimb.cli.tables import legible
from autoimb.recommendation.gains import WORDS
from autoimb.search.records import TrialRecord

__all__ = ["SearchView", "tell_clock", "tell_in_a_line"]

MAX_LEADERS = 5
# From as many characters on, there is room for what is not needed most.
WIDE = 60
MISCALIBRATED, NARROW_MARK = "miscalibrated", "!"
# Lines of what goes on, and those that a table takes beside its rows.
HEAD, BESIDE = 3, 2


def tell_clock(seconds: float) -> str:
    """Show a time as a clock does.

    Examples
    --------
    >>> tell_clock(41.2), tell_clock(3723.0)
    ('0:41', '1:02:03')
    """
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _tell_score(standing: Standing, record: TrialRecord) -> str:
    """Show a score and how far it differs between folds."""
    score = record.scores[standing.metric.name]
    return f"{score.value:.3f} ± {score.spread:.3f}"


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
        score = _tell_score(standing, best)
        parts.append(f"best {standing.metric.name} {score} by {best.configuration}")
    return ", ".join([*parts, left])


@dataclass(frozen=True)
class SearchView:
    """All that is shown, for as large a terminal as there is.

    Attributes
    ----------
    standing : Standing
    doing : str
        What goes on.
    left : str
        Of the budget.
    share : float
        Of the budget that is used up, between 0 and 1.
    rate : float or None
        Trials in a minute, while there are any.
    """

    standing: Standing
    doing: str
    left: str
    share: float
    rate: float | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lay out what there is room for."""
        # What a terminal echoes at the end of a line, such as ^C, must not begin another one.
        width = max(options.max_width - 2, 1)
        room = options.size.height - 1 - HEAD - BESIDE
        yield self._head(width)
        yield ProgressBar(1.0, self.share, width=width, complete_style="green")
        yield _line(self._counts())
        leaders = self.standing.leaders(min(MAX_LEADERS, max(room, 0)))
        if leaders:
            yield ""
            yield self._leaderboard(leaders, width)
        if leaders and len(self.standing.kinds) + BESIDE <= room - len(leaders):
            yield ""
            yield self._kinds(width)

    def _head(self, width: int) -> Table:
        head = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        head.width = width
        head.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        head.add_column(justify="right", no_wrap=True, overflow="ellipsis")
        head.add_row(_line(self.doing, "bold"), _line(self.left))
        return head

    def _counts(self) -> str:
        found, s = self.standing, "s" * (self.standing.n_trials != 1)
        told = [f"{found.n_trials:,} trial{s}", f"{found.n_failed:,} failed"]
        told += [f"{found.n_pruned:,} ended early"]
        told += [] if self.rate is None else [f"{self.rate:.0f} a minute"]
        return ", ".join(told)

    def _leaderboard(self, leaders: Sequence[TrialRecord], width: int) -> Table:
        is_wide = width >= WIDE
        table = _make_table(width)
        table.add_column("rank", justify="right")
        table.add_column("strategy", ratio=1)
        table.add_column("score", justify="right")
        table.add_column("" if is_wide else " ", style="yellow")
        mark = MISCALIBRATED if is_wide else NARROW_MARK
        for rank, record in enumerate(leaders, start=1):
            table.add_row(
                str(rank),
                _strategy(record),
                _tell_score(self.standing, record),
                "" if record.is_calibrated else mark,
                style="bold" if rank == 1 else None,
            )
        return table

    def _kinds(self, width: int) -> Table:
        """Show the best of each degree of plainness, which the recommendation will weigh."""
        is_wide = width >= WIDE
        table = _make_table(width)
        table.add_column("kind")
        table.add_column("strategy" if is_wide else "", ratio=1)
        table.add_column("score", justify="right")
        if is_wide:
            table.add_column("trials", justify="right")
            table.add_column("failed", justify="right")
        for tier, kind in self.standing.by_plainness().items():
            cells: list[str | Text] = [WORDS[tier], "", "-"]
            if kind.best:
                shown = _strategy(kind.best) if is_wide else ""
                cells[1:] = [shown, _tell_score(self.standing, kind.best)]
            cells += [f"{kind.n_trials:,}", f"{kind.n_failed:,}"] * is_wide
            table.add_row(*cells)
        return table


def _make_table(width: int) -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold", width=width)


def _strategy(record: TrialRecord) -> Text:
    return _line(legible(str(record.configuration)))


def _line(text: str, style: str = "") -> Text:
    """Make one line of a text, cut where it is too long; never read as markup."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")
