"""MLflow's servers on loopback, which can be killed and started again on the same port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# A loaded machine takes its time to start a server.
SECONDS_TO_START = 120
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A command of MLflow that answers on a port.

    Parameters
    ----------
    folder : Path
        Where it runs, and logs to.
    arguments : sequence of str
        Of ``mlflow``, but for host and port.
    environment : mapping of str to str
        Beside that of this process.
    """

    def __init__(
        self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [
            sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1",
            "--port", str(self.port),
        ]  # fmt: skip
        # MLflow looks for what it starts beside the Python that runs, were it not activated.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        self._environment = {**os.environ, "PATH": path, **QUIET, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.start()
        self.await_up()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        with (self.folder / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self.folder, env=self._environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def await_up(self) -> None:
        until = time.monotonic() + SECONDS_TO_START
        while not self.is_up():
            assert self._process is not None
            assert self._process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.3)

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """End it and its workers as a crash would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def ask(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Send JSON to a model that is served, and read what it answers, errors too."""
        data = json.dumps(content).encode()
        request = urllib.request.Request(
            f"{self.url}/invocations", data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            found = json.load(error)
        return found

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()


def tracking_server(folder: Path, store: str) -> Server:
    """Serve a store, and take artifacts."""
    return Server(
        folder,
        ["server", "--backend-store-uri", store, "--artifacts-destination", f"{folder}/uploads",
         "--workers", "1"],
    )  # fmt: skip
