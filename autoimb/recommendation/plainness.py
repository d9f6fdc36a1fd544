"""Strategies ordered by how plain they are, and the plainest that is not worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from autoimb.arrays import FloatArray
from autoimb.evaluation.compare import Comparison
from autoimb.search.blend import Exported, count_repeats, pool
from autoimb.search.records import Candidate, SearchResult
from autoimb.strategy.configuration import Configuration

__all__ = ["NOTHING", "PLAINNESS", "Tier", "list_tiers", "plainest", "tier_of"]

NOTHING = "nothing"
# The plainest first.
PLAINNESS = (NOTHING, "threshold", "weight", "sampler", "ensemble", "blend")
# Standard errors that the best has to be ahead by, to be told from a plainer one.
TOLD = 1.0


@dataclass(frozen=True)
class Tier:
    """The best strategy of one degree of plainness.

    Attributes
    ----------
    name : str
        One of `PLAINNESS`.
    configuration : Configuration
    candidate : Candidate or None
        What would be exported; None for a blend.
    is_tuned : bool
        Whether its decision is tuned; else it is the argmax.
    comparison : Comparison or None
        Of what is exported with it; None for what is exported.
    """

    name: str
    configuration: Configuration
    candidate: Candidate | None
    is_tuned: bool = True
    comparison: Comparison | None = None

    def predict(self, n_repeats: int) -> FloatArray:
        """Return its out-of-fold probabilities, the mean over as many further assignments.

        A model that is to be read is exported as one fit: no mean stands for it.
        """
        one = self.candidate
        assert one is not None
        return pool((one.evaluation, *one.repeats[: min(n_repeats, count_repeats([one]))]))

    def held_against(self, comparison: Comparison | None) -> Tier:
        """Add how far what is exported is ahead."""
        return replace(self, comparison=comparison)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "name": self.name,
            "configuration": dict(self.configuration.flat),
            "is_tuned": self.is_tuned,
            "comparison": self.comparison and self.comparison.to_dict(),
        }

    @property
    def is_told(self) -> bool:
        """Whether what is exported can be told from it."""
        one = self.comparison
        return one is not None and one.difference > TOLD * one.error


def tier_of(configuration: Configuration) -> str:
    """Name the degree of plainness of one tuned strategy.

    Examples
    --------
    >>> from autoimb.strategy.search_space import load_space
    >>> space = load_space("default")
    >>> tier_of(space.untouched()), tier_of(space.default(sampler="smote", weight="power"))
    ('threshold', 'sampler')
    """
    if configuration.ensemble.class_path is not None or configuration.model.balance is not None:
        return "ensemble"
    if configuration.sampler.class_path is not None:
        return "sampler"
    return "weight" if configuration.weight.class_path is not None else "threshold"


def list_tiers(
    found: SearchResult, exported: Exported, *, needs_decision: bool = True
) -> tuple[Tier, ...]:
    """List the best strategy of each degree that is plainer than what is exported.

    Parameters
    ----------
    found : SearchResult
    exported : Exported
    needs_decision : bool
        Whether labels are scored: a ranking is as good with any decision, so that even the
        default model gets the one that was asked for.

    Returns
    -------
    tuple of Tier
        The plainest first; the last one is what is exported.
    """
    best = exported.members[0].configuration
    own = "blend" if exported.blend is not None else tier_of(best)
    tiers: dict[str, Tier] = {}
    for one in found.candidates:
        configuration = one.record.configuration
        name = tier_of(configuration)
        tiers.setdefault(name, Tier(name, configuration, one))
    if (default := _default(found)) is not None:
        configuration = default.record.configuration
        tiers[NOTHING] = Tier(NOTHING, configuration, default, is_tuned=not needs_decision)
    plainer = [tiers[name] for name in PLAINNESS[: PLAINNESS.index(own)] if name in tiers]
    return (*plainer, Tier(own, best, None))


def _default(found: SearchResult) -> Candidate | None:
    if found.default is None:
        return None
    evaluation, *repeats = found.default_evaluations
    return Candidate(found.default, evaluation, found.candidates[0].level, tuple(repeats))


def plainest(tiers: Sequence[Tier]) -> Tier:
    """Return the plainest that cannot be told from the last, which is exported.

    It is within one standard error of it (Breiman, Friedman, Olshen and Stone 1984).

    Parameters
    ----------
    tiers : sequence of Tier

    Returns
    -------
    Tier
    """
    return next((tier for tier in tiers[:-1] if not tier.is_told), tiers[-1])
