"""The application: its commands, and what becomes of errors.

Nothing heavy is imported here, nor at the top of any command: help has to appear at once.
"""

from __future__ import annotations

import sys
import warnings

import typer

from autoimb import __version__
from autoimb.cli import (
    check_leaks,
    compare,
    evaluate,
    fit,
    predict,
    profile,
    replay,
    report,
    retarget,
    retune,
    runs,
    spaces,
    ui,
)
from autoimb.errors import AutoImbError, AutoImbWarning

__all__ = ["app", "main"]

DEBUG = "--debug"

app = typer.Typer(
    name="autoimb",
    help="Pick an imbalance strategy: sampler, class weights, model and threshold.",
    epilog=f"{DEBUG}, anywhere on the line, shows where an error came from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    fit, predict, evaluate, retune, retarget, profile, check_leaks, replay, spaces, runs, compare,
    report, ui,
):  # fmt: skip
    name = command.__name__.rpartition(".")[2]
    app.command(name.replace("_", "-"))(getattr(command, name))


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"autoimb {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Pick an imbalance strategy: sampler, class weights, model and threshold."""


def main() -> None:
    """Run the command line; every failure is one line on stderr and an exit code."""
    debug = DEBUG in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != DEBUG]
    if not debug:
        _show_own_warnings_only()
    try:
        app()
    except Exception as error:
        if debug:
            raise
        sys.exit(_report(error))


def _report(error: Exception) -> int:
    """Print an error in one line and return its exit code."""
    text = " ".join(str(error).split())
    if isinstance(error, AutoImbError):
        print(f"error: {text}", file=sys.stderr)
        return error.exit_code
    print(
        f"error: {type(error).__name__}: {text} (unexpected; {DEBUG} shows where it came from)",
        file=sys.stderr,
    )
    return 1


def _show_own_warnings_only() -> None:
    """Show autoimb's warnings as plain lines; those of its libraries help no user."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print(f"warning: {message}", file=sys.stderr)

    warnings.simplefilter("ignore")
    warnings.simplefilter("always", AutoImbWarning)
    warnings.showwarning = show
