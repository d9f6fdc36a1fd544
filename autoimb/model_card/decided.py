"""How a model decides, how sure that is and what it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from autoimb.decision.costs import CostMatrix
from autoimb.decision.rules import AbstainBand, ClassWeights, TopRows
from autoimb.model_card.markdown import bullets, code, section, table, text
from autoimb.model_card.subject import Subject, count_words, figure, share, with_interval

__all__ = ["describe_classes", "describe_labels"]

MAX_CLASSES = 60
FLATTERING = "out of fold, on the rows that the decision was solved on, which flatters it a little"


def describe_labels(subject: Subject) -> str:
    """Say how labels are decided, how sure that is and what it gives."""
    found = subject.model.decision
    given = [*_count_thousand(subject), *_list_rates(subject)]
    return section(
        "Decision",
        bullets(
            [
                f"Asked for: {text(found.criterion)}.",
                f"Rule: {text(subject.rule)}.",
                *_tell_surety(subject),
                f"**The promise does not hold:** {text(found.shortfall)}." * bool(found.shortfall),
                *_tell_needs(subject),
                *_tell_changes(subject),
            ]
        ),
        _draw_costs(subject),
        f"What it gives, {_name_source(subject)}:" if given else "",
        bullets(given),
    )


def _tell_surety(subject: Subject) -> Iterator[str]:
    stability, rule = subject.model.decision.stability, subject.model.rule
    if stability is None or isinstance(rule, ClassWeights):
        return  # weights have a column of their own
    each = [f"between {low:.3g} and {high:.3g}" for low, high in stability.intervals]
    where = f"the threshold would lie {each[0]}"
    if isinstance(rule, AbstainBand):
        where = f"the lower threshold would lie {each[0]}, the upper {each[1]}"
    yield f"Solved on other rows like these, {where} (95 % of resamples)."
    if stability.flat is not None:
        low, high = stability.flat
        yield f"From {low:.3g} to {high:.3g} at most 1 % of what was asked for is lost."


def _tell_needs(subject: Subject) -> Iterator[str]:
    if isinstance(subject.model.rule, TopRows):
        yield (
            "A batch is what is predicted together: one file, or one call of `predict`. The label "
            "of a row depends on the others."
        )
    if (column := subject.model.cost_column) is not None:
        yield f"It reads the column {code(column)}, which rows to predict must have."


def _tell_changes(subject: Subject) -> Iterator[str]:
    """Tell where it is aimed at, and what was decided before."""
    if subject.is_retargeted:
        pairs = zip(subject.model.labels.by_code, subject.model.prevalence or (), strict=True)
        each = ", ".join(f"{code(label)} {share(part)}" for label, part in pairs)
        yield f"Probabilities and decision are aimed at rows of these classes: {each}."
    for one in subject.manifest.get("decisions_before", []):
        asked, rule = (text(one["decided"][name]) for name in ("asked", "rule"))
        yield f"Before: asked for {asked}, decided by {rule}."


def _draw_costs(subject: Subject) -> str:
    criterion = subject.model.decision.criterion
    if not isinstance(criterion, CostMatrix):
        return ""
    return table(
        ["cost of truth, labelled as", *map(code, criterion.labels)],
        [
            [code(label), *(f"{cost:g}" for cost in row)]
            for label, row in zip(criterion.labels, criterion.costs, strict=True)
        ],
    )


def _name_source(subject: Subject) -> str:
    if not (subject.fit and subject.is_as_fitted):
        return f"counted {FLATTERING}"
    if not subject.is_binary:
        return "cross-validated"
    return (
        "the rates cross-validated, the thousand rows counted at this very decision, which was "
        "solved on them"
    )


def _count_thousand(subject: Subject) -> Iterator[str]:
    """Say what becomes of a thousand rows."""
    counts, outcome = subject.counted, subject.outcome
    passed = outcome.get("passed_on_per_1000", 0.0)
    if counts is not None and subject.is_binary:
        flagged, hits = outcome["flagged_per_1000"], 1000 * float(counts.correct[1])
        missed, positive = 1000 * float(counts.true[1]) - hits, subject.positive
        rule = subject.model.rule
        of = rule.of if isinstance(rule, TopRows) else None
        where = "" if of is None else f" of a batch of {of:,}"
        yield (
            f"Of 1,000 rows{where} about {count_words(flagged)} are labelled {positive} (alerts): "
            f"{count_words(hits)} rightly, {count_words(flagged - hits)} wrongly. About "
            f"{count_words(missed)} that are {positive} are missed."
        )
    if passed:
        yield (
            f"Of 1,000 rows about {count_words(passed)} are passed on without a label. Rates are "
            "those of the others."
        )


def _list_rates(subject: Subject) -> Iterator[str]:
    """Say what each rate of the decision is, with its interval as far as that is known."""
    positive, known = subject.positive, _find_rates(subject)
    meanings = {
        "precision": f"of the rows labelled {positive}, so many are",
        "recall": f"of the rows that are {positive}, so many are found",
        "specificity": "of the other rows, so many are left alone",
        "cost": "what a row costs in the mean",
    }
    tested = subject.test.get("estimates", {}) if subject.is_as_fitted else {}
    for name in filter(known.__contains__, meanings):
        again = f"; on the untouched rows {with_interval(tested[name])}" if name in tested else ""
        yield f"{name.capitalize()} {known[name]}: {meanings[name]}{again}."


def _find_rates(subject: Subject) -> Mapping[str, str]:
    """Return what was cross-validated or, of a decision that was not, what is counted."""
    if subject.fit and subject.is_as_fitted:
        return {name: with_interval(one) for name, one in subject.fit["estimates"].items()}
    return {name: figure(value) for name, value in subject.outcome.items()}


def describe_classes(subject: Subject) -> str:
    """Say how each of several classes fares."""
    if subject.is_binary or subject.counted is None:
        return ""
    counts = subject.counted
    decided = "share of rows not passed on" if subject.model.decision.passed_on else "share"
    heads = ["class", decided, "of 1,000 rows labelled so", "precision", "recall", "F1"]
    weights = _draw_weights(subject)
    rows = []
    for k, label in enumerate(subject.model.labels.by_code):
        true, predicted, correct = counts.true[k], counts.predicted[k], counts.correct[k]
        rates = (correct, predicted), (correct, true), (2 * correct, true + predicted)
        row = [code(label), share(true), count_words(1000 * predicted)]
        row += [figure(part / whole if whole else None) for part, whole in rates]
        rows.append((true, [*row, *(weights[k] if weights else ())]))
    rows.sort(key=lambda pair: -pair[0])
    return section(
        "Class by class",
        f"Counted {FLATTERING}.",
        table(
            [*heads, *(("weight", "in 95 % of resamples") if weights else ())],
            [row for _, row in rows[:MAX_CLASSES]],
        ),
        f"And {len(rows) - MAX_CLASSES:,} rarer classes." if len(rows) > MAX_CLASSES else "",
    )


def _draw_weights(subject: Subject) -> list[tuple[str, str]]:
    """Show the weight of each class, if they differ, and where it lies on resamples."""
    rule, stability = subject.model.rule, subject.model.decision.stability
    if not isinstance(rule, ClassWeights) or len(set(rule.values)) == 1:
        return []
    ranges = ["not known"] * len(rule.values)
    if stability is not None:
        ranges = [f"{low:.3g} to {high:.3g}" for low, high in stability.intervals]
    return [(f"{value:.3g}", one) for value, one in zip(rule.values, ranges, strict=True)]
