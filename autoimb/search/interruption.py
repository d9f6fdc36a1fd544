"""Ctrl-C and SIGTERM: the first ends the search, none loses what was found."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from autoimb.errors import AutoImbWarning, SearchError

__all__ = ["NOTHING_YET", "Interruption", "interruptible"]

NOTHING_YET = "interrupted before the first configuration was evaluated; nothing to export."


class _FirstInterrupt(KeyboardInterrupt):
    """Ends the search, where one is running."""


class Interruption:
    """What a signal does: raise KeyboardInterrupt, or wait until what is found is exported.

    Attributes
    ----------
    is_finishing : bool
        Whether the search is over, or was interrupted; then only the second signal interrupts.
    was_told : bool
        Whether a signal came while it was; the next one gives the fit up.
    """

    def __init__(self) -> None:
        self.is_finishing = False
        self.was_told = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Act on a signal."""
        if self.is_finishing and not self.was_told:
            self.was_told = True
            with warnings.catch_warnings():
                # The signal may come while a component is trained, whose warnings are ignored.
                warnings.simplefilter("always", AutoImbWarning)
                warnings.warn(
                    "the search is over and its best is being exported; another interrupt gives "
                    "it up.",
                    AutoImbWarning,
                    stacklevel=2,
                )
            return
        # One that comes twice at once must not lose what the first lets be exported.
        self.is_finishing = True
        raise KeyboardInterrupt if self.was_told else _FirstInterrupt

    @contextmanager
    def dispensable(self) -> Iterator[None]:
        """Let the first signal interrupt what is done inside, though the search is over.

        Raises
        ------
        KeyboardInterrupt
            By that signal; whoever catches it goes on to export.
        """
        self.is_finishing = False
        try:
            yield
        finally:
            self.is_finishing = True


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Handle SIGINT and SIGTERM inside, where that can be done: in the main thread.

    Handlers that the caller has put there stay.

    Yields
    ------
    Interruption

    Raises
    ------
    SearchError
        If the first signal comes where no search is running yet that could end early.
    """
    interruption = Interruption()
    usual: dict[signal.Signals, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    ours = threading.current_thread() is threading.main_thread()
    replaced = [s for s, handler in usual.items() if ours and signal.getsignal(s) is handler]
    for number in replaced:
        signal.signal(number, interruption.handle)
    try:
        yield interruption
    except _FirstInterrupt:
        raise SearchError(NOTHING_YET) from None
    finally:
        for number in replaced:
            signal.signal(number, usual[number])
