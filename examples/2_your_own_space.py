"""Write a search space of your own: extend a shipped one, drop parts, add a model."""

from pathlib import Path

import pandas as pd

from autoimb import AutoImbClassifier

SPACE = """
# Boosting by scikit-learn beside the linear model, and SMOTE only up to a third of the way.
extends = "fast"
drop = ["model.lightgbm", "model.extra_trees", "sampler.random_over"]

[model.gradient_boosting]
class = "sklearn.ensemble.GradientBoostingClassifier"
input = "numeric"
n_estimators  = 60
subsample     = 0.5
learning_rate = {low = 0.03, high = 0.3, log = true, default = 0.1}
max_depth     = [3, 2, 4]

[sampler.smote]
balance = {low = 0.1, high = 0.33, default = 0.2}
"""

path = Path("my_space.toml")
path.write_text(SPACE, encoding="utf-8")

table = pd.read_csv(Path(__file__).parent / "data" / "mammography.csv")
X, y = table.drop(columns="target"), table["target"]

search = AutoImbClassifier(metric="mcc", space=path, time_budget=20.0, random_state=0).fit(X, y)
print(search.leaderboard_[["strategy", "decision", "score", "spread", "trials"]])
print(search.configuration_.flat)
