"""A finished fit as a card for notebooks: short, and with how sure each figure is."""

from __future__ import annotations

from collections.abc import Mapping

from autoimb.decision.deciding import Decision
from autoimb.decision.rules import Threshold
from autoimb.evaluation.estimate import Estimate
from autoimb.fitting import FitResult
from autoimb.markup import element, escape, quoted, verbatim, wrap
from autoimb.profiling.profile import Profile
from autoimb.recommendation.cards import STYLE, list_strategies
from autoimb.recommendation.words import SURETIES
from autoimb.search.baselines import DO_NOTHING

__all__ = ["render_fit"]

MAX_STRATEGIES = 5
# Of the decision; of several classes the last is all there is.
RATES, RATE_OF_SEVERAL = ("precision", "recall"), "balanced_accuracy"


def render_fit(result: FitResult) -> str:
    """Write what was recommended, what it is worth, how it decides, and what it was ahead of.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    str
        HTML of one element.
    """
    found = result.recommendation
    tone, words = SURETIES[found.surety]
    head = element("span", "AutoImbClassifier", "badge") + _size(result)
    parts = [
        element("p", head, "soft"),
        element("p", verbatim(found.strategy), "lead"),
        element("p", element("span", escape(words), "badge"), tone),
        _exported(result),
        element("dl", "".join(_tile(*each) for each in _figures(result).items()), "tiles"),
        _warnings(result.profile),
        list_strategies(result.leaderboard, MAX_STRATEGIES),
        element("p", _more(result), "soft"),
    ]
    return wrap("sheet", STYLE, *parts)


def _size(result: FitResult) -> str:
    profile, n_trials = result.profile, len(result.search.records)
    trials = f"{n_trials:,} trial{'s' * (n_trials != 1)} in {result.seconds:.0f} s"
    return (
        f"fitted to {profile.n_rows:,} rows of {profile.n_classes} classes, "
        f"{profile.n_minority:,} of {quoted(profile.minority)}; {trials}"
    )


def _exported(result: FitResult) -> str:
    """Say what is exported where that is not what is recommended."""
    found = result.recommendation
    if result.prefer != "best" or found.best == found.strategy:
        return ""
    advice = 'prefer="simple" exports the plainer one'
    return element("p", f"Exported, as it scores best: {verbatim(found.best)} ({advice})", "soft")


def _figures(result: FitResult) -> Mapping[str, str]:
    """Give what stands out, each with its interval."""
    name, estimates = result.metric.name, result.estimates
    shown = {f"{_spell(name)} on rows to come": _estimate(estimates[name])}
    gain = next((one for one in result.appraisal.baselines if one.name == DO_NOTHING), None)
    if gain is not None:
        interval = _interval(f"{gain.low:+.3f}", f"{gain.high:+.3f}")
        shown["gain of the best over doing nothing"] = f"{gain.difference:+.3f} {interval}"
    shown[f"decision: {escape(result.model.decision.criterion)}"] = _rule(result.model.decision)
    shown |= {
        _spell(rate): _estimate(estimates[rate])
        for rate in (RATES if "precision" in estimates else (RATE_OF_SEVERAL,))
        if rate != name
    }
    return shown


def _rule(decision: Decision) -> str:
    rule, stable = decision.rule, decision.stability
    if not isinstance(rule, Threshold) or stable is None:
        return escape(rule)
    low, high = stable.intervals[0]
    return f"{escape(rule)} {_interval(f'{low:.3g}', f'{high:.3g}')}"


def _estimate(one: Estimate) -> str:
    return f"{one.value:.3f} {_interval(f'{one.low:.3f}', f'{one.high:.3f}')}"


def _interval(low: str, high: str) -> str:
    return element("span", f"95 %: {low} to {high}", "soft")


def _tile(what: str, figure: str) -> str:
    return element("div", element("dt", what) + element("dd", figure), "tile")


def _warnings(profile: Profile) -> str:
    """Count what the profile warns of."""
    each = [finding.severity for finding in profile.findings]
    counted = {kind: each.count(kind) for kind in ("critical", "warning") if kind in each}
    if not counted:
        return ""
    told = [f"{n} {kind}{'s' * (kind == 'warning' and n > 1)}" for kind, n in counted.items()]
    checks = ", ".join(sorted({f.check.replace("_", " ") for f in profile.findings
                               if f.severity in counted}))  # fmt: skip
    badge = element("span", escape(" and ".join(told)), "badge")
    text = f"{badge}in the data (profile_): {escape(checks)}"
    return element("p", text, next(iter(counted)))


def _more(result: FitResult) -> str:
    plots = ["plot_strategies()", "plot_pr()", "plot_calibration()"]
    plots += ["plot_threshold()"] * (len(result.model.labels.classes) == 2)
    return f"More: recommendation_, leaderboard_, profile_; {', '.join(plots)}."


def _spell(name: str) -> str:
    return escape(name.replace("_", " "))
