"""What was gathered for a report, as it is read again: without anything that it takes to fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoimb.manifest import findings_path
from autoimb.reporting.chart import Chart, Table

__all__ = ["FORMAT", "read_charts", "read_findings"]

# Of what is written: that of another release is not read.
FORMAT = 1


def read_findings(model_path: Path) -> dict[str, Any]:
    """Read them; of a model without them, or with what is no record of ours, they are empty.

    Parameters
    ----------
    model_path : Path
        Of the pickle.

    Returns
    -------
    dict
    """
    try:
        found = json.loads(findings_path(model_path).read_text("utf-8"))
        return dict(found) if found["format"] == FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def read_charts(findings: Mapping[str, Any]) -> dict[str, Chart]:
    """Rebuild the charts, by their names.

    Parameters
    ----------
    findings : mapping

    Returns
    -------
    dict of str to Chart
    """
    charts = [
        Chart(**{**one, "table": Table(**one["table"])}) for one in findings.get("charts", ())
    ]
    return {chart.name: chart for chart in charts}
