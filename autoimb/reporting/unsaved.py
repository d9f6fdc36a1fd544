"""The report of a fit whose model was not saved."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

from autoimb.artifact import save
from autoimb.errors import AutoImbWarning, one_line
from autoimb.fit_facts import sum_up
from autoimb.fitting import FitResult
from autoimb.reporting.findings import write_findings
from autoimb.reporting.report import report_on
from autoimb.run_file import MODEL_FILE

__all__ = ["attempt_shared_report", "report_of"]


def report_of(result: FitResult, *, shows_rows: bool = True) -> str:
    """Write the report of a fit whose model is saved nowhere.

    Parameters
    ----------
    result : FitResult
    shows_rows : bool
        Whether cells of single rows may be shown: not where the page goes to others.

    Returns
    -------
    str
        HTML of a whole document.
    """
    with TemporaryDirectory() as folder:
        path = save(result.model, Path(folder, MODEL_FILE), sum_up(result))
        write_findings(result, path)
        return report_on(path, MODEL_FILE, shows_rows=shows_rows)


def attempt_shared_report(result: FitResult) -> str | None:
    """Write the report of a fit for others, without cells of rows, where nothing depends on it.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    str or None
        HTML of a whole document; None if it could not be made.

    Warns
    -----
    AutoImbWarning
        In that case.
    """
    try:
        return report_of(result, shows_rows=False)
    except Exception as error:
        text = f"the report was not made, and nothing else suffers: {one_line(error)}."
        warnings.warn(text, AutoImbWarning, stacklevel=2)
        return None
