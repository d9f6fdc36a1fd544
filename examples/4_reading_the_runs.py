"""Read back from MLflow what a search logged: a parent run, a child for every trial, the model."""

from pathlib import Path

import mlflow
import pandas as pd

import autoimb
from autoimb import AutoImbClassifier

STORE = f"sqlite:///{Path('autoimb_runs').resolve()}/mlflow.db"

table = pd.read_csv(Path(__file__).parent / "data" / "mammography.csv")
X, y = table.drop(columns="target"), table["target"]
AutoImbClassifier(
    metric="average_precision",
    time_budget=None,
    n_trials=6,
    space="fast",
    random_state=0,
    experiment="reading-back",
    tracking_uri=STORE,
).fit(X, y)

# One row for each fit; `autoimb runs` prints it, `autoimb compare` puts two of them side by side.
fits = autoimb.runs(STORE, experiment="reading-back")
print(fits.loc[0, ["started", "metric", "headline", "strategy", "decision", "trials", "seconds"]])

mlflow.set_tracking_uri(STORE)
runs = mlflow.search_runs(experiment_names=["reading-back"])
children = runs[runs["tags.mlflow.parentRunId"].notna()]
parent = runs[runs["tags.mlflow.parentRunId"].isna()].iloc[0]

columns = ["tags.mlflow.runName", "metrics.average_precision", "metrics.seconds", "status"]
print(children[columns].sort_values("metrics.average_precision", ascending=False))

model = mlflow.pyfunc.load_model(f"runs:/{parent['run_id']}/model")
print(model.predict(X.head()))
