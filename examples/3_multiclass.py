"""Five classes, the rarest with 28 of 5,472 rows: macro F1 and one weight per class."""

from pathlib import Path

import autoimb

data = Path(__file__).parent / "data" / "page_blocks.csv"

print(autoimb.profile(data), end="\n\n")

run = autoimb.fit(data, target="target", metric="f1_macro", time_budget=20.0, space="fast")
print(run.result.recommendation, end="\n\n")
print(f"decision: {run.result.model.rule}")
print(f"model:    {run.model_path}")

found = autoimb.evaluate(autoimb.load(run.model_path), data)  # the training rows: too good
for name, row in found["classes"].items():
    print(f"class {name}: {row['rows']:>5} rows, recall {row['recall']:.2f}")
