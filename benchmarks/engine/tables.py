"""Tables that are drawn from a seed, for scripts that need no real data."""

from __future__ import annotations

import numpy as np
import pandas as pd

TARGET = "target"
# columns that tell the classes apart, and by how many standard deviations
N_INFORMATIVE, SHIFT = 5, 0.8
# levels of the text columns, from the first to the last
FEWEST_LEVELS, MOST_LEVELS = 3, 30
# share of the cells that are missing in a column that has gaps
GAPS = 0.05


def draw_labels(rows: int, positives: float, rng: np.random.Generator) -> np.ndarray:
    """Draw 0 and 1, with an exact number of the latter."""
    y = np.zeros(rows, dtype=np.int64)
    y[: max(round(rows * positives), 2)] = 1
    return rng.permutation(y)


def draw_numbers(y: np.ndarray, columns: int, rng: np.random.Generator) -> np.ndarray:
    """Draw normal columns, of which the first few are shifted for positives."""
    X = rng.standard_normal((len(y), columns))
    X[:, :N_INFORMATIVE] += SHIFT * y[:, None]
    return X


def draw_words(y: np.ndarray, levels: int, tells: bool, rng: np.random.Generator) -> np.ndarray:
    """Draw one text column with gaps; if it tells, positives lean to its first levels."""
    codes = rng.integers(0, levels, len(y))
    if tells:
        codes = np.where((y == 1) & (rng.random(len(y)) < 0.5), codes // 2, codes)
    words = np.array([f"level {k}" for k in range(levels)], dtype=object)[codes]
    words[rng.random(len(y)) < GAPS] = None
    return words


def mixed_table(
    rows: int, numbers: int = 20, words: int = 10, positives: float = 0.05, seed: int = 0
) -> pd.DataFrame:
    """Draw numbers and text columns, both with missing cells, and the target."""
    rng = np.random.default_rng(seed)
    y = draw_labels(rows, positives, rng)
    X = draw_numbers(y, numbers, rng)
    with_gaps = X[:, ::3]
    with_gaps[rng.random(with_gaps.shape) < GAPS] = np.nan
    table = pd.DataFrame(X, columns=[f"number_{k}" for k in range(numbers)])
    levels = np.linspace(FEWEST_LEVELS, MOST_LEVELS, words).round().astype(int)
    for k, n_levels in enumerate(levels):
        table[f"word_{k}"] = draw_words(y, int(n_levels), k % 2 == 0, rng)
    table[TARGET] = y
    return table
