"""Every check of a table; one that is listed here is run, shown, logged and tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from autoimb.profiling.column_checks import (
    check_cardinality,
    check_constant,
    check_dates,
    check_equal_columns,
    check_identifiers,
    check_leaks,
    check_missing_in_one_class,
    check_near_constant,
)
from autoimb.profiling.evidence import Evidence
from autoimb.profiling.findings import SEVERITIES, Finding
from autoimb.profiling.row_checks import (
    check_duplicate_rows,
    check_few_positives,
    check_label_conflicts,
    check_label_noise,
)

__all__ = ["CHECKS", "find_faults"]

# By name, as runs record it.
CHECKS: Mapping[str, Callable[[Evidence], Iterator[Finding]]] = {
    "leak_suspect": check_leaks,
    "missing_in_one_class": check_missing_in_one_class,
    "date_orders_label": check_dates,
    "few_positives": check_few_positives,
    "label_conflicts": check_label_conflicts,
    "label_noise": check_label_noise,
    "identifier": check_identifiers,
    "constant": check_constant,
    "near_constant": check_near_constant,
    "duplicate_rows": check_duplicate_rows,
    "high_cardinality": check_cardinality,
    "near_duplicate_columns": check_equal_columns,
}


def find_faults(evidence: Evidence) -> tuple[Finding, ...]:
    """Run every check.

    Parameters
    ----------
    evidence : Evidence

    Returns
    -------
    tuple of Finding
        The worst first.
    """
    found = [finding for check in CHECKS.values() for finding in check(evidence)]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))
