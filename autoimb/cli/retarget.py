"""`autoimb retarget`: aim a finished model at another prevalence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autoimb.cli.json_object import AsJson
from autoimb.cli.retune import ModelFile, Out, print_decision

Prevalence = Annotated[
    float | None, typer.Option(help="Share of the positive class where the model is to be used.")
]
From = Annotated[
    Path | None, typer.Option("--from", help="Rows without labels, to estimate it from.")
]


def retarget(
    model: ModelFile,
    prevalence: Prevalence = None,
    source: From = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Aim MODEL at data where classes are more or less frequent, and solve its decision again."""
    from autoimb.errors import UsageError
    from autoimb.retuning import retarget as run_retarget

    if (prevalence is None) == (source is None):
        raise UsageError("give either --prevalence or --from with unlabelled rows.")
    found = run_retarget(model, prevalence=prevalence, data=source, out=out)
    if not as_json:
        assert found.prevalence is not None
        shares = zip(found.labels.by_code, found.prevalence, strict=True)
        print("Aimed at   " + ", ".join(f"'{label}' {share:.4g}" for label, share in shares))
    print_decision(found, out or model, as_json)
