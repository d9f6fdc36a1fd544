from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import psutil
import pytest

from autoimb import arrays
from autoimb.arrays import keep_on_disk, release_memory

LARGE = np.arange(10_000_000.0).reshape(-1, 10)
mapped_alone = pytest.mark.skipif(
    not psutil.LINUX, reason="elsewhere the system alone decides what stays in memory"
)


def test_a_large_array_is_the_same_on_disk_and_cannot_be_changed() -> None:
    kept = keep_on_disk(LARGE)
    assert kept is not LARGE
    np.testing.assert_array_equal(kept, LARGE)
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 1.0
    release_memory(kept, kept[3:, ::2], LARGE)
    np.testing.assert_array_equal(kept, LARGE)


@mapped_alone
def test_what_is_on_disk_leaves_memory() -> None:
    kept = keep_on_disk(LARGE)
    kept.sum()
    before = psutil.Process().memory_info().rss
    release_memory(kept[10:])
    assert before - psutil.Process().memory_info().rss > 0.9 * LARGE.nbytes


def test_a_full_disk_keeps_it_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(**_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_room)
    assert keep_on_disk(LARGE) is LARGE


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (1, 1)])
def test_small_ones_are_left_alone(monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]) -> None:
    X = np.ones(shape)
    assert keep_on_disk(X) is X
    monkeypatch.setattr(arrays, "MIN_BYTES", 8)
    np.testing.assert_array_equal(keep_on_disk(X), X)
