"""How mixed a class is with the rest: who stands nearest to its rows.

All of it is of one class against all other rows, its enemies. Only the rows asked about are
ever thinned: those they are compared with never, for a thinner table has other neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from autoimb.arrays import BoolArray, FloatArray, IntArray
from autoimb.profiling.measures import Estimate, undefined
from autoimb.profiling.nearest import count_nearer, find_nearest
from autoimb.profiling.sampling import NORMAL_95, mean_estimate, share_estimate, thin
from autoimb.profiling.scan import Rows

__all__ = ["Neighbourhood", "describe_neighbourhood", "overlap_of_random_labels"]

# Napierala and Stefanowski (2016) and most later work look at five neighbours.
N_NEIGHBORS = 5
# 4,000 rows give any share to within .0155 (95 %), 2,000 to within .022.
MAX_QUERIES = 4000
MAX_MAJORITY_QUERIES = 2000
MIN_QUERIES = 500
# Products of numbers that the queries of one profile may cost: 4,000 rows against a million
# with 30 columns. Beyond it fewer rows are asked about, which costs width, not truth.
WORK = 2.5e11
# Beyond this imbalance the overlap of random labels is its limit, to within .0001.
LIMIT_FROM = 1000.0
LIMIT_OVERLAP = 0.40365263767680593  # 1 - e E_1(1), with the exponential integral E_1
# Beyond this share of rows with an enemy exactly as far as a deciding neighbour, ties are
# dealt out at random; below it they cannot move a value by more.
MANY_TIES = 0.05
# Height of the coordinate that deals them out: a tenth of the smallest distance there is, but
# far below the distance of two levels (1) and above what products in 64 bits are off.
MAX_JITTER = 0.01
MIN_JITTER = 1e-6

WHY_ONE_ROW = "the class has one row, which has no neighbour of its own class"


@dataclass(frozen=True)
class Neighbourhood:
    """What stands near the rows of a class.

    Attributes
    ----------
    estimates : mapping of str to Estimate
        By name of the measure.
    queries : ndarray of shape (n_queries,)
        The rows of the class that were asked about, as places in the table.
    enemies : ndarray of shape (n_queries,)
        Enemies among the `k` nearest of each.
    surrounded : ndarray of shape (n_queries,)
        c / (c + r): c enemies are nearer than the nearest row of the class, r is the number of
        enemies for each row of the class.
    k : int
    """

    estimates: Mapping[str, Estimate]
    queries: IntArray
    enemies: IntArray
    surrounded: FloatArray
    k: int


def overlap_of_random_labels(ratio: float) -> float:
    """Give what c / (c + r) averages to when labels are dealt at random.

    Parameters
    ----------
    ratio : float
        r, enemies for each row of the class; at least 1.

    Returns
    -------
    float
        The enemies before the next row of the class, c, are then geometric with mean r. The
        average grows from 1 - ln 2 at r = 1 to 1 - e E_1(1), with the exponential integral E_1.

    Examples
    --------
    >>> [round(overlap_of_random_labels(r), 4) for r in (1, 9, 99, 10_000)]
    [0.3069, 0.3919, 0.4026, 0.4037]
    """
    if ratio >= LIMIT_FROM:
        return LIMIT_OVERLAP
    # Beyond forty times the mean nothing is left of the distribution.
    c = np.arange(int(40 * (1 + ratio)))
    stop = 1 / (1 + ratio)
    return float((stop * (1 - stop) ** c * c / (c + ratio)).sum())


def describe_neighbourhood(
    table: Rows,
    is_member: BoolArray,
    seed: int,
    *,
    n_columns: int,
    share: float = 1.0,
) -> Neighbourhood:
    """Measure the neighbourhood of a class.

    Parameters
    ----------
    table : Rows
    is_member : ndarray of shape (n_samples,)
        The rows of the class; there must be others.
    seed : int
        For the choice of rows, and for ties.
    n_columns : int
        Of the encoded table.
    share : float
        Part of the work of a profile that may be spent on it.

    Returns
    -------
    Neighbourhood
    """
    rng = np.random.default_rng(seed)
    members, enemies = np.flatnonzero(is_member), np.flatnonzero(~is_member)
    most = int(WORK * share / (2 * len(is_member) * n_columns))
    n_queries = min(MAX_QUERIES, max(most, MIN_QUERIES))
    queries = thin(members, n_queries, rng)
    others = thin(enemies, min(MAX_MAJORITY_QUERIES, n_queries), rng)
    k = min(N_NEIGHBORS, len(is_member) - 1)
    plain = near = _look_around(table, queries, members, enemies, k)
    if plain.tied_share > MANY_TIES:
        distances = np.concatenate([plain.own, plain.enemy])
        table = _with_jitter(table, rng, distances)
        near = _look_around(table, queries, members, enemies, k)
    estimates = _of_minority(near, len(members), len(enemies), k)
    if len(members) > 1:
        estimates["n2"] = _scatter(plain.own[:, 0], plain.enemy[:, 0], len(members))
    estimates |= _of_majority(table, others, members, enemies, rng)
    n_ref = len(is_member) - 1
    return Neighbourhood(
        {name: replace(e, n_ref=n_ref) if e.n_used else e for name, e in estimates.items()},
        queries,
        near.enemies,
        near.n_before / (near.n_before + len(enemies) / len(members)),
        k,
    )


@dataclass(frozen=True)
class _Surroundings:
    """Of each query: nearest distances, enemies among the k nearest, counts."""

    own: FloatArray
    enemy: FloatArray
    enemies: IntArray
    n_before: IntArray  # enemies nearer than the nearest row of the class
    local_set: IntArray  # rows of the class nearer than the nearest enemy, itself included
    tied_share: float


def _look_around(
    table: Rows, queries: IntArray, members: IntArray, enemies: IntArray, k: int
) -> _Surroundings:
    own = find_nearest(table, queries, members, k).distances
    # Of a class of one row the radius is infinite: every enemy is nearer than its next one.
    found = find_nearest(table, queries, enemies, k, own[:, 0])
    enemy = found.distances
    # Row j of the class is among the k nearest if fewer than k - j enemies are nearer.
    nearer = (enemy[:, None, :] < own[:, :, None]).sum(axis=2)
    n_own = (np.isfinite(own) & (np.arange(1, k + 1) + nearer <= k)).sum(axis=1)
    # Exact from the list where it reaches beyond the nearest row of the class.
    listed = (enemy < own[:, :1]).sum(axis=1)
    n_before = np.where(listed < enemy.shape[1], listed, np.maximum(found.n_nearer, listed))
    n_before = np.where(np.isfinite(own[:, 0]), n_before, len(enemies))
    # The list of the own class holds the local set where that is small.
    inside = (own < enemy[:, :1]).sum(axis=1)
    many = np.flatnonzero(inside == own.shape[1])
    local_set = inside + 1
    if len(many):
        counted = count_nearer(table, queries[many], members, enemy[many, 0])
        local_set[many] = np.maximum(counted, inside[many]) + 1
    tied = (enemy[:, :, None] == own[:, None, :]).any(axis=(1, 2))
    return _Surroundings(own, enemy, k - n_own, n_before, local_set, float(tied.mean()))


def _of_minority(
    near: _Surroundings, n_members: int, n_enemies: int, k: int
) -> dict[str, Estimate]:
    ratio, enemies = n_enemies / n_members, near.enemies
    shares = {
        "n3": near.enemy[:, 0] < near.own[:, 0],
        "safe": enemies <= 1,
        "borderline": (enemies >= 2) & (enemies <= 3),
        "rare": enemies == 4,
        "outlier": enemies == 5,
        "lonely_share": near.local_set == 1,
    }
    estimates = {name: share_estimate(found, n_members) for name, found in shares.items()}
    if k < N_NEIGHBORS:
        why = f"the table has {k + 1} rows, too few for {N_NEIGHBORS} neighbours"
        estimates |= dict.fromkeys(("safe", "borderline", "rare", "outlier"), undefined(why))
    estimates["kdn"] = mean_estimate(enemies / k, n_members)
    if n_members == 1:
        names = ("bi3", "density_corrected_overlap", "n2", "lsc", "local_set_median")
        return estimates | dict.fromkeys((*names, "lonely_share"), undefined(WHY_ONE_ROW))
    # All are enemies: the rank of the nearest row of the class takes the place of its share.
    f_p = np.where(enemies < k, (k - enemies) / k, 1 / (near.n_before + 1.0))
    harm = ratio * f_p / (1 - f_p + ratio * f_p) - f_p
    before = near.n_before / (near.n_before + ratio)
    estimates["bi3"] = mean_estimate(harm, n_members)
    expected = overlap_of_random_labels(max(ratio, 1.0))
    estimates["density_corrected_overlap"] = mean_estimate(before / expected, n_members)
    estimates["lsc"] = mean_estimate(1 - near.local_set / n_members, n_members)
    estimates["local_set_median"] = _median(near.local_set, n_members)
    return estimates


def _scatter(own: FloatArray, enemy: FloatArray, n_all: int) -> Estimate:
    """N2 with the interval of a ratio of sums (linearised)."""
    if not enemy.sum():
        return undefined("every row of the class has an identical enemy, at distance 0")
    ratio = own.sum() / enemy.sum()
    spread = mean_estimate((own - ratio * enemy) / enemy.mean(), n_all).half_width
    return Estimate(float(ratio / (1 + ratio)), spread / (1 + ratio) ** 2, len(own))


def _median(sizes: IntArray, n_all: int) -> Estimate:
    """Median with the interval of its order statistics."""
    m, ordered = len(sizes), np.sort(sizes)
    reach = NORMAL_95 / 2 * np.sqrt(m * max(1 - m / n_all, 0.0))
    low, high = ordered[[int(max(m / 2 - reach, 0)), int(min(m / 2 + reach, m - 1))]]
    median = float(np.median(sizes))
    half_width = float(max(high - median, median - low)) if m < n_all else 0.0
    return Estimate(median, half_width, m)


def _of_majority(
    table: Rows,
    queries: IntArray,
    members: IntArray,
    enemies: IntArray,
    rng: np.random.Generator,
) -> dict[str, Estimate]:
    """See the overlap from the other side: few rows of the class, so its nearest is soon found."""
    radius = find_nearest(table, queries, members, 1).distances[:, 0]
    nearer, tied_share = _count_before(table, queries, enemies, radius)
    if tied_share > MANY_TIES and table.jitter is None:
        table = _with_jitter(table, rng, radius)
        radius = find_nearest(table, queries, members, 1).distances[:, 0]
        nearer, _ = _count_before(table, queries, enemies, radius)
    return {
        "n3_majority": share_estimate(nearer == 0, len(enemies)),
        "degree_of_overlap_majority": share_estimate(nearer < N_NEIGHBORS, len(enemies)),
    }


def _count_before(
    table: Rows, queries: IntArray, enemies: IntArray, radius: FloatArray
) -> tuple[IntArray, float]:
    """Count, up to five, the enemies before the first row of the class; and the share of ties."""
    nearer = count_nearer(table, queries, enemies, radius, N_NEIGHBORS)
    few = np.flatnonzero(nearer < N_NEIGHBORS)
    if not len(few):
        return nearer, 0.0
    with_equal = count_nearer(
        table, queries[few], enemies, radius[few], N_NEIGHBORS, with_equal=True
    )
    return nearer, float((with_equal > nearer[few]).sum() / len(queries))


def _with_jitter(table: Rows, rng: np.random.Generator, distances: FloatArray) -> Rows:
    """Add a coordinate that breaks ties, and nothing but ties as far as numbers tell."""
    positive = distances[np.isfinite(distances) & (distances > 0)]
    height = np.clip(positive.min(initial=np.inf) / 10, MIN_JITTER, MAX_JITTER)
    return replace(table, jitter=rng.normal(scale=height, size=len(table.X)))
