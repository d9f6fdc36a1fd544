"""State what errors cost, then change the decision of the finished model without training."""

from pathlib import Path

import pandas as pd
from sklearn.model_selection import train_test_split

import autoimb
from autoimb import AutoImbClassifier, Capacity, Costs, Floor

table = pd.read_csv(Path(__file__).parent / "data" / "mammography.csv")
X, y = table.drop(columns="target"), table["target"]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

search = AutoImbClassifier(decision=Costs(fp=1, fn=25), time_budget=15.0, random_state=0)
search.fit(X_train, y_train)
print(f"asked for: {search.model_.decision.criterion}")
print(f"decision:  {search.model_.decision}", end="\n\n")
for label, found in search.result_.calibration.items():
    print(f"calibration of class {label}: {found}", end="\n\n")

path = search.save("screening.pkl")
kept_aside = X_test.assign(target=y_test)
for decision in (Costs(fp=1, fn=25), Floor("recall", 0.8), Capacity(share=0.05)):
    model = autoimb.retune(path, decision)
    row = autoimb.evaluate(model, kept_aside)["classes"]["1"]
    print(f"{decision}: precision {row['precision']:.2f}, recall {row['recall']:.2f}")

model = autoimb.retune(path, Costs(fp=1, fn=25))
model.plot_threshold().figure_.savefig("threshold.png")

rarer = autoimb.retarget(path, prevalence=0.004)
print(f"aimed at a prevalence of 0.4 %: {rarer.decision}")
