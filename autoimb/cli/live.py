"""What a terminal shows on stderr while something runs: it changes, and leaves no trace."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from autoimb.cli.tables import WIDEST

__all__ = ["Clock", "clocked", "line", "room_of", "start_live", "tell_clock"]

REFRESHES_PER_SECOND = 2.0


def start_live(look: Callable[[], RenderableType]) -> Live | None:
    """Show what a function returns, again and again, where stderr is a terminal that can.

    Parameters
    ----------
    look : callable
        Called by another thread.

    Returns
    -------
    rich.live.Live or None
        To be stopped; None where nothing is shown.
    """
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    # FORCE_COLOR makes a terminal of any file, in which nothing can be taken back.
    if not sys.stderr.isatty() or console.is_dumb_terminal:
        return None
    live = Live(
        console=console,
        get_renderable=look,
        refresh_per_second=REFRESHES_PER_SECOND,
        transient=True,
        # What is piped elsewhere has to get there.
        redirect_stdout=sys.stdout.isatty(),
    )
    live.start(refresh=True)
    return live


@contextmanager
def clocked(doing: str, seconds: float) -> Iterator[None]:
    """Show what goes on and how much of its time is left.

    Parameters
    ----------
    doing : str
    seconds : float
    """
    begun = time.monotonic()

    def look() -> Clock:
        spent = time.monotonic() - begun
        return Clock(doing, f"{tell_clock(seconds - spent)} left", min(spent / seconds, 1.0))

    live = start_live(look)
    try:
        yield
    finally:
        if live is not None:
            live.stop()


@dataclass(frozen=True)
class Clock:
    """What goes on, and a bar of how far it is.

    Attributes
    ----------
    doing, left : str
    share : float
        Of all there is to do or to spend, between 0 and 1.
    """

    doing: str
    left: str
    share: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Take two lines."""
        width = room_of(options)
        head = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        head.width = width
        head.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        head.add_column(justify="right", no_wrap=True, overflow="ellipsis")
        head.add_row(line(self.doing, "bold"), line(self.left))
        yield head
        yield ProgressBar(1.0, self.share, width=width, complete_style="green")
        yield Segment.line()


def room_of(options: ConsoleOptions) -> int:
    """Return how wide a line may be.

    What a terminal echoes at the end of one, such as ^C, must not begin another.
    """
    return max(min(options.max_width - 2, WIDEST), 1)


def line(text: str, style: str = "") -> Text:
    """Make one line of a text, cut where it is too long; never read as markup."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")


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
