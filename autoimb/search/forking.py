"""Fork processes from one that was spawned, where the system can.

The server imports what workers need. It has run nothing of the user's and starts no thread of
its own, so that a fork of it is as clean as a spawned process, but there at once: also in place
of one that was killed.
"""

from __future__ import annotations

import io
import os
from multiprocessing import context, forkserver, popen_forkserver, spawn, util
from multiprocessing.forkserver import ForkServer
from multiprocessing.reduction import ForkingPickler
from typing import Any

__all__ = ["Fork", "leave_server", "start_server"]

# What most trials need: more would only make the first one wait.
PRELOADED = ["lightgbm", "autoimb.search.executors", "sklearn.linear_model", "sklearn.ensemble"]

_servers: dict[int, ForkServer] = {}


def start_server() -> ForkServer:
    """Start the server of this process, if it does not run.

    Returns
    -------
    ForkServer
    """
    # A process that the user forked cannot tell whether that of its parent runs.
    if os.getpid() not in _servers:
        _servers[os.getpid()] = ForkServer()
        _servers[os.getpid()].set_forkserver_preload(PRELOADED)
    server = _servers[os.getpid()]
    server.ensure_running()
    return server


def leave_server() -> None:
    """Have a fork no longer keep the server alive.

    The server ends with its parent once no fork holds this end of a pipe, and the system ends
    those with the server: also one that hangs in native code.
    """
    held: Any = forkserver._forkserver
    if held._forkserver_alive_fd is not None:
        os.close(held._forkserver_alive_fd)
        held._forkserver_alive_fd = None


class Fork(popen_forkserver.Popen):
    """A fork of our own server: that of the standard library is the user's to configure.

    Parameters
    ----------
    process_obj : Process
    """

    _fds: list[int]

    def _launch(self, process_obj: Any) -> None:
        written = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            ForkingPickler(written).dump(spawn.get_preparation_data(process_obj._name))
            ForkingPickler(written).dump(process_obj)
        finally:
            context.set_spawning_popen(None)
        self.sentinel, pipe = start_server().connect_to_new_process(self._fds)
        # By the other end of it the child knows whether this process lives.
        alive = os.dup(pipe)
        held = (alive, self.sentinel)
        self.finalizer = util.Finalize(self, util.close_fds, held)  # type: ignore[attr-defined]
        with os.fdopen(pipe, "wb") as file:
            file.write(written.getbuffer())
        self.pid = forkserver.read_signed(self.sentinel)
