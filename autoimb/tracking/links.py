"""Links into the MLflow UI."""

from __future__ import annotations

__all__ = ["experiment_link"]


def experiment_link(store: str, experiment: str, host: str) -> str:
    """Link to the runs of an experiment.

    Parameters
    ----------
    store : str
        URI of the MLflow store.
    experiment : str
    host : str
        Where the UI is served.

    Returns
    -------
    str
        Of the list of experiments where there is none of that name.
    """
    from mlflow import MlflowClient

    found = MlflowClient(store).get_experiment_by_name(experiment)
    page = f"experiments/{found.experiment_id}/runs" if found else "experiments"
    # Without this MLflow 3 opens on its pages for language models, which are empty here.
    return f"{host}/#/{page}?workflowType=machine_learning"
