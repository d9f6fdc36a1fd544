"""`autoimb fit`: search on a file and export the winner."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from autoimb.cli.completion import complete_metric, complete_run, complete_space
from autoimb.cli.deciding import takes_decision
from autoimb.cli.json_object import AsJson, print_object
from autoimb.cli.profile import finding_lines, wrapped
from autoimb.cli.race import race_sections
from autoimb.cli.tables import Part, Section, Table, legible, print_report
from autoimb.cli.untouched import untouched_sections
from autoimb.decision.asked import Asked

if TYPE_CHECKING:
    from autoimb.running import Run

SHOWN, CLASSES_SHOWN = 8, 3

Data = Annotated[Path, typer.Argument(help="Table: .csv, .csv.gz, .tsv or .parquet.")]
Target = Annotated[str | None, typer.Option(help="Column to predict; guessed by default.")]
Positive = Annotated[str | None, typer.Option(help="Class of interest; the rarer one by default.")]
MetricName = Annotated[
    str, typer.Option("--metric", help="What to maximise.", autocompletion=complete_metric)
]
BudgetText = Annotated[
    str | None, typer.Option("--budget", help="Time, as in 60s, 5m, 1h.  [default: 60s]")
]
Trials = Annotated[int | None, typer.Option(help="Number of trials, beside or instead of a time.")]
Space = Annotated[
    str,
    typer.Option(
        help="Search space: a name of `autoimb spaces`, or a TOML file.",
        autocompletion=complete_space,
    ),
]
Folds = Annotated[int, typer.Option(help="Folds of the cross-validation.")]
Drop = Annotated[list[str] | None, typer.Option(help="Column to leave out; repeatable.")]
Groups = Annotated[
    str | None, typer.Option(help="Column whose rows of one value no split takes apart.")
]
Time = Annotated[
    str | None, typer.Option(help="Column of dates or numbers: the past trains, the future tests.")
]
TestFile = Annotated[
    Path | None, typer.Option("--test", help="Labelled table to score the model on at the end.")
]
Holdout = Annotated[
    float | None, typer.Option(help="Share of DATA to keep aside for that, as 0.2.")
]
Out = Annotated[Path | None, typer.Option(help="Model file; by default in the run's folder.")]
RunDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the run.  [default: autoimb_runs/<time>-<name>]",
        autocompletion=complete_run,
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Jobs = Annotated[int | None, typer.Option(help="Cores for trials; every core by default.")]
Threads = Annotated[
    int | None, typer.Option(help="Threads of one model.  [default: 1, more for large tables]")
]
Where = Annotated[
    Literal["processes", "in_process"],
    typer.Option("--executor", help="Where trials run; in_process is for debugging."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run in --run-dir, or the latest one.")
]
Experiment = Annotated[str | None, typer.Option(help="MLflow experiment.  [default: autoimb]")]
TrackingUri = Annotated[
    str | None, typer.Option(help="MLflow store, or off.  [default: autoimb_runs/mlflow.db]")
]
WithBlend = Annotated[
    bool, typer.Option("--blend/--no-blend", help="Export the leading strategies as one model.")
]
Prefer = Annotated[
    Literal["best", "simple"],
    typer.Option(help="Export the best-scoring strategy, or the plainest as good."),
]
Register = Annotated[str | None, typer.Option(help="Name to register the model by in MLflow.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


@takes_decision
def fit(
    asked: Asked,
    data: Data,
    target: Target = None,
    positive: Positive = None,
    metric: MetricName = "average_precision",
    budget: BudgetText = None,
    trials: Trials = None,
    space: Space = "default",
    folds: Folds = 5,
    drop: Drop = None,
    groups: Groups = None,
    time: Time = None,
    test: TestFile = None,
    holdout: Holdout = None,
    out: Out = None,
    run_dir: RunDir = None,
    seed: Seed = 0,
    jobs: Jobs = None,
    threads: Threads = None,
    executor: Where = "processes",
    resume: Resume = False,
    experiment: Experiment = None,
    tracking_uri: TrackingUri = None,
    register: Register = None,
    blend: WithBlend = True,
    prefer: Prefer = "best",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Search for the best strategy on DATA and export the winning pipeline."""
    _prepare_workers(executor)
    from autoimb.cli.progress import Progress
    from autoimb.decision.stating import state_criterion
    from autoimb.running import fit as run_fit

    with Progress(quiet=quiet) as progress:
        run = run_fit(
            data, target, positive=positive, metric=metric, time_budget=_seconds(budget, trials),
            n_trials=trials, space=space, n_folds=folds, drop=drop or (), groups=groups, time=time,
            out=out, run_dir=run_dir, random_state=seed, n_jobs=jobs, experiment=experiment,
            tracking_uri=tracking_uri, blend=blend, prefer=prefer, n_threads=threads,
            executor=executor, resume=resume, decision=state_criterion(asked), test=test,
            holdout=holdout, register=register, watchers=[progress],
        )  # fmt: skip
    if as_json:
        print_object(as_object(run))
    else:
        print_report(as_report(run, experiment))


def _prepare_workers(executor: str) -> None:
    """Start what trials need before this process imports what it needs: both do at once."""
    if executor == "processes":
        from autoimb.search.spawning import prepare_workers

        prepare_workers()


def _seconds(budget: str | None, trials: int | None) -> float | None:
    """Read the time; without any limit given it is a minute."""
    from autoimb.search.budget import parse_seconds

    if budget is not None:
        return parse_seconds(budget)
    return 60.0 if trials is None else None


def as_object(run: Run) -> dict[str, Any]:
    """Give the outcome as plain values."""
    result = run.result
    metric = result.metric.name
    return {
        "model": str(run.model_path),
        "model_card": str(run.card_path),
        "report": str(run.report_path) if run.report_path.is_file() else None,
        "run_dir": str(run.folder),
        "tracking_uri": run.tracking_uri,
        "run_id": run.run_id,
        "registered": None if run.registered is None else asdict(run.registered),
        "target": result.model.target,
        "positive": result.model.labels.positive,
        "classes": list(result.model.labels.classes),
        "metric": metric,
        "score": result.score,
        "estimates": {name: one.to_dict() for name, one in result.estimates.items()},
        "test": None if run.test is None else run.test.to_dict(),
        "scores": {
            name: {"value": score.value, "mean": score.mean, "spread": score.spread}
            for name, score in result.exported.scores.items()
        },
        "decision": str(result.model.rule),
        "threshold": getattr(result.model.rule, "value", None),
        "decided": result.model.decision.to_dict(),
        "calibrator": result.model.calibrator.name,
        "calibration": {name: one.to_dict() for name, one in result.calibration.items()},
        "configuration": result.configuration.flat,
        "exported_trials": [member.number for member in result.exported.members],
        "recommendation": result.recommendation.to_dict(),
        "appraisal": result.appraisal.to_dict(),
        "leaderboard": result.leaderboard.to_dict("records"),
        "profile": result.profile.to_dict(),
        "n_trials": len(result.search.records),
        "n_failed": _count(run, "failed"),
        "n_pruned": _count(run, "pruned"),
        "seconds": result.seconds,
        "notes": list(result.notes),
    }


def as_report(run: Run, experiment: str | None) -> Iterator[Part]:
    """Tell the outcome to a person."""
    result = run.result
    found, metric = result.recommendation, result.metric.name
    tally = f"{len(result.search.records)} trials in {result.seconds:.0f} s"
    for state, words in (("pruned", "ended early"), ("failed", "failed")):
        n = _count(run, state)
        tally += f", {n} {words}" if n else ""
    yield str(result.profile)
    if result.profile.findings:
        yield Section("Findings", [*_faults(run)])
    yield "\n".join(f"note: {note}" for note in result.notes)
    yield Section(f"Recommended: {found.strategy}", [*map(wrapped, found.evidence)])
    yield from race_sections(result.appraisal, metric)
    yield Section(f"Strategies by {metric}, cross-validated ({tally}):", [*leaderboard(run)])
    yield scores_section(run)
    yield from untouched_sections(run.test, result)
    yield calibration_section(run)
    yield places(run, experiment)


def _count(run: Run, state: str) -> int:
    return sum(record.state == state for record in run.result.search.records)


def _faults(run: Run) -> Iterator[str]:
    """Show what may spoil the scores; the rest is for `autoimb profile`."""
    found = run.result.profile.findings
    notable = [finding for finding in found if finding.severity != "note"]
    yield from finding_lines(notable)
    n_notes = len(found) - len(notable)
    if n_notes:
        s = "s" * (n_notes > 1)
        yield f"  {n_notes} more note{s} on the data: `autoimb profile` shows them."


def leaderboard(run: Run) -> Iterator[str | Table]:
    """Show the best strategies, and those of doing nothing wherever they stand."""
    board = run.result.leaderboard
    default = run.result.search.default
    reference = board["trial"] == (default.number if default else -1)
    shown = board[(board.index < SHOWN) | reference | board["exported"]]
    word = "exported" if len(run.result.exported.members) == 1 else "in the blend"
    rows = []
    for rank, row in zip(shown.index, shown.to_dict("records"), strict=True):
        score = f"{row['score']:.3f} ± {row['spread']:.3f}"
        marks = [f"<- {word}"] * row["exported"] + ["(miscalibrated)"] * (not row["calibrated"])
        rows.append((str(rank + 1), _name(row), row["decision"], score, "  ".join(marks)))
    names = ("rank", "strategy", "decision", "score", "")
    yield Table(names, rows, numbers={0}, marks=names.index(""))
    metric = run.result.metric
    if metric.needs_decision:
        yield (
            f"What is exported leads by {metric.name} and {metric.ranking} together: with few "
            "positives a single metric follows luck."
        )


def _name(row: dict[Any, Any]) -> str:
    """Spell out that a row uses neither sampler nor weight."""
    plain = " (no sampler, no weight)" if row["untouched"] else ""
    return f"{row['strategy']}{plain}"


def scores_section(run: Run) -> Section:
    """Show all metrics of what is exported, with their intervals."""
    scores = run.result.estimates.items()
    told = wrapped(", ".join(f"{name} {score}" for name, score in scores))
    return Section("Scores of the exported model, with 95 % intervals:", [told])


def calibration_section(run: Run) -> Section:
    """Show how far the probabilities mean what they say; of several classes the rarest first."""
    result = run.result
    each = sorted(result.calibration.items(), key=lambda item: item[1].prevalence)
    return Section(
        f"Calibration ({result.model.calibrator.name}), on rows that the calibrator did not see:",
        [f"  '{legible(name)}': {one}" for name, one in each[:CLASSES_SHOWN]],
    )


def places(run: Run, experiment: str | None) -> Section:
    """Say where everything lies and what to do next."""
    model = shlex.quote(str(run.model_path))
    lines = [f"Model  {run.model_path}", f"Card   {run.card_path}", f"Run    {run.folder}"]
    lines += [f"Report {run.report_path}"] if run.report_path.is_file() else []
    if run.tracking_uri:
        lines.append(f"MLflow {run.tracking_uri}")
    if run.registered:
        lines.append(f"       registered as {run.registered}")
    lines += [
        "",
        "Next:",
        f"  autoimb predict {model} NEW_DATA.csv --out predictions.csv",
        f"  autoimb evaluate {model} LABELLED_DATA.csv",
        f"  autoimb retune {model} {_other_decision(run)}",
    ]
    if run.tracking_uri:
        lines.append(f"  autoimb ui{_ui_options(run.tracking_uri, experiment)}")
    return Section("", lines, is_verbatim=True)


def _other_decision(run: Run) -> str:
    """Show how another decision is asked for."""
    two = len(run.result.model.labels.classes) == 2
    return "--cost-fp 1 --cost-fn 25" if two else "--decision balanced_accuracy"


def _ui_options(tracking_uri: str, experiment: str | None) -> str:
    """Repeat where the run went to, unless `autoimb ui` finds it by itself."""
    from autoimb.tracking import default_tracking_uri

    usual = tracking_uri == default_tracking_uri()
    uri = "" if usual else f" --tracking-uri {shlex.quote(tracking_uri)}"
    return uri + (f" --experiment {shlex.quote(experiment)}" if experiment else "")
