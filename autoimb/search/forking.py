"""Fork processes from one that was spawned, on Linux.

The server has imported what workers need and run nothing else, neither of the user's nor of its
own: a fork of it is nearly as clean as a spawned process, but there at once, also in place of one
that was killed.
"""

from __future__ import annotations

import io
import os
from multiprocessing import context, forkserver, popen_forkserver, spawn, util
from multiprocessing.forkserver import ForkServer
from multiprocessing.reduction import ForkingPickler
from typing import Any

from autoimb.search.hiding import main_hidden

__all__ = ["Fork", "leave_server", "start_server"]

# A module that imports what workers need as it is imported.
PRELOADED = ["autoimb.search.preloaded"]

_servers: list[ForkServer] = []


def start_server() -> ForkServer:
    """Start the server of this process, if it does not run.

    Returns
    -------
    ForkServer

    Raises
    ------
    OSError
        If there can be none: it is reached by a socket in the temporary folder.
    """
    if not _servers:
        _servers.append(ForkServer())
        _servers[0].set_forkserver_preload(PRELOADED)
    _servers[0].ensure_running()
    return _servers[0]


def _forget_server() -> None:
    """Have a process that the user forked start one of its own, and not keep its parent's alive."""
    for server in _servers:
        held: Any = server
        if held._forkserver_alive_fd is not None:
            os.close(held._forkserver_alive_fd)
    _servers.clear()


os.register_at_fork(after_in_child=_forget_server)


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
        with main_hidden():
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
