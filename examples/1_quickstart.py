"""Search on a real data set, look at what was found, export the model and use it elsewhere.

11,183 mammograms, 260 of which show a malignant cluster: 2.3 % positives.
"""

from pathlib import Path

import pandas as pd
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

import autoimb
from autoimb import AutoImbClassifier

table = pd.read_csv(Path(__file__).parent / "data" / "mammography.csv")
X, y = table.drop(columns="target"), table["target"]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

search = AutoImbClassifier(metric="f1", time_budget=20.0, random_state=0)
search.fit(X_train, y_train)

print(search.profile_, end="\n\n")
print(search.recommendation_, end="\n\n")
print(search.leaderboard_[["strategy", "decision", "score", "spread"]].head(8), end="\n\n")

path = search.save("mammography.pkl")
model = autoimb.load(path)
print(f"F1 on rows kept aside: {f1_score(y_test, model.predict(X_test)):.3f}")
