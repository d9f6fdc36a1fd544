"""`autoimb retune`: another decision for a finished model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoimb.cli.deciding import takes_decision
from autoimb.cli.json_object import AsJson, print_object
from autoimb.decision.asked import Asked

if TYPE_CHECKING:
    from autoimb.fitted_model import FittedModel

ModelFile = Annotated[Path, typer.Argument(help="Model that `autoimb fit` exported.")]
Out = Annotated[Path | None, typer.Option(help="File for the changed model.  [default: in place]")]


@takes_decision
def retune(asked: Asked, model: ModelFile, out: Out = None, as_json: AsJson = False) -> None:
    """Choose another decision for MODEL from its out-of-fold predictions; nothing is trained."""
    from autoimb.decision.stating import state_criterion
    from autoimb.errors import UsageError
    from autoimb.retuning import retune as run_retune

    wanted = state_criterion(asked)
    if wanted is None:
        raise UsageError(
            "say what the decision is to serve: --decision, --cost-fn, --min-precision, --top-k, "
            "--threshold or another option of `autoimb retune --help`."
        )
    print_decision(run_retune(model, wanted, out=out), out or model, as_json)


def print_decision(model: FittedModel, path: Path, as_json: bool) -> None:
    """Tell a person, or a program, what the decision has become."""
    told: dict[str, Any] = {"model": str(path), **model.decision.to_dict()}
    labels = map(str, model.labels.by_code)
    shares = model.prevalence and dict(zip(labels, model.prevalence, strict=True))
    told |= {"prevalence": shares, **dict(model.out_of_fold_figures())}
    if as_json:
        print_object(told)
        return
    print(f"Asked for  {model.decision.criterion}")
    print(f"Decision   {model.decision}")
    figures = ", ".join(f"{name} {value:.4g}" for name, value in model.out_of_fold_figures())
    print(f"Out of fold, on the rows that it was solved on: {figures}")
    if model.decision.shortfall:
        print(f"The promise does not hold: {model.decision.shortfall}.")
    print(f"Model      {path}")
