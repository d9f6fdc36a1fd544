"""Whether what a sampler or a weight does to probabilities can be repaired."""

from __future__ import annotations

from collections.abc import Iterable

from autoimb.search.records import TrialRecord

__all__ = ["passes_calibration_gate"]

# Mean probability of the class over how often it occurs, and what log loss may come to beside
# that of the same model on the data as they are.
RATIOS = (0.9, 1.1)
MAX_LOSS = 1.02


def passes_calibration_gate(record: TrialRecord, others: Iterable[TrialRecord]) -> bool:
    """Tell whether the calibrated probabilities of a trial are fit to be shipped.

    Parameters
    ----------
    record : TrialRecord
        Complete.
    others : iterable of TrialRecord
        Those that finished before it; it is held against the same model without sampler and
        weight or, if there is none, the best that differs in parameters of the model only.

    Returns
    -------
    bool
    """
    ratio = record.scores["prevalence_ratio"].value
    if not RATIOS[0] <= ratio <= RATIOS[1]:
        return False
    if record.configuration.is_untouched:
        return True
    model = record.configuration.model
    plain = [
        other
        for other in others
        if other.state == "complete"
        and other.configuration.is_untouched
        and other.configuration.model.name == model.name
    ]
    same = [other for other in plain if other.configuration.model == model] or plain
    losses = [other.scores["log_loss"].value for other in same]
    return not losses or record.scores["log_loss"].value <= MAX_LOSS * min(losses)
