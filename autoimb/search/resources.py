"""How many processes and threads a search uses, and how much memory each may take."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from autoimb.errors import UsageError, nearest_name

__all__ = ["EXECUTORS", "ExecutorName", "Resources", "plan_resources"]

ExecutorName = Literal["processes", "in_process"]
EXECUTORS: tuple[ExecutorName, ...] = ("processes", "in_process")

# Cells of the table from which another thread in each model pays: below, several models are
# trained at once.
CELLS_A_THREAD = 6_000_000
# Part of the memory that is free at the start which all workers may take together.
MEMORY_SHARE = 0.9
# A limit below this would hit what libraries reserve without using it.
MIN_MEMORY = 2**30
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Resources:
    """What a search runs on.

    Attributes
    ----------
    executor : {"processes", "in_process"}
    n_workers : int
        Trials at once.
    n_threads : int
        Of one model.
    memory : int or None
        Bytes that one worker may take beyond the shared data; None for no limit.
    note : str
        What the user should know about the choice.

    Examples
    --------
    >>> print(Resources("processes", 2, 1, None))
    2 worker processes, 1 thread each
    """

    executor: ExecutorName
    n_workers: int
    n_threads: int
    memory: int | None = None
    note: str = ""

    def __str__(self) -> str:
        """Say it in a few words."""
        threads = f"{self.n_threads} thread{'s' * (self.n_threads > 1)}"
        if self.executor == "in_process":
            return f"in this process, {threads}"
        several = self.n_workers > 1
        return f"{self.n_workers} worker process{'es' * several}, {threads}{' each' * several}"


def plan_resources(
    n_cells: int,
    *,
    n_jobs: int | None = None,
    n_threads: int | None = None,
    executor: ExecutorName = "processes",
) -> Resources:
    """Choose between many models at once and many threads in each.

    Threads depend on the table and the machine alone, not on `n_jobs`: a sum over threads may
    differ in its last bit, and the same seed is to give the same model for any number of workers.

    Parameters
    ----------
    n_cells : int
        Rows times columns.
    n_jobs : int, optional
        Cores to use; None and -1 take all.
    n_threads : int, optional
        Of one model; by default one until the table is large.
    executor : {"processes", "in_process"}
        In this process nothing can be killed, and a debugger sees everything.

    Returns
    -------
    Resources

    Raises
    ------
    UsageError
        If a number or a name is wrong.
    """
    if n_jobs is not None and (n_jobs == 0 or n_jobs < -1):
        raise UsageError(f"n_jobs must be positive, or -1 for every core, but got {n_jobs}.")
    if n_threads is not None and n_threads < 1:
        raise UsageError(f"n_threads must be positive, but got {n_threads}.")
    if executor not in EXECUTORS:
        raise UsageError(f"executor '{executor}' is not known; {nearest_name(executor, EXECUTORS)}")
    n_cores = os.cpu_count() or 1
    threads = n_threads or min(n_cores, max(1, n_cells // CELLS_A_THREAD))
    if executor == "in_process":
        return Resources(executor, 1, threads)
    if multiprocessing.current_process().daemon:
        note = (
            "trials ran inside this process, for a worker of another pool may start none of its "
            "own: none could be stopped before its time was over."
        )
        return Resources("in_process", 1, threads, note=note)
    cores = n_cores if n_jobs in (None, -1) else int(n_jobs or 1)
    workers = max(1, cores // threads)
    memory = max(MIN_MEMORY, round(MEMORY_SHARE * _free_memory() / workers))
    return Resources(executor, workers, threads, memory)


def _free_memory() -> int:
    """Bytes that are free, on the machine and in the container."""
    free = int(psutil.virtual_memory().available)
    try:
        most = (CGROUP / "memory.max").read_text().strip()
        used = int((CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    return free if most == "max" else min(free, int(most) - used)
