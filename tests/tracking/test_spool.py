"""What a store does not take at once is kept, and tried again in its order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, TEMPORARILY_UNAVAILABLE
from sqlalchemy.exc import OperationalError

from autoimb.tracking import spool
from autoimb.tracking.spool import Spool

AWAY = MlflowException("no answer", TEMPORARILY_UNAVAILABLE)
REFUSED = MlflowException("not like this", INVALID_PARAMETER_VALUE)
LOCKED = OperationalError("insert", {}, Exception("database is locked"))


def answer(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(f"status {status}", response=response)


def wrapped(cause: Exception, link: str = "__cause__") -> MlflowException:
    """Make what MLflow raises from an error, or while it handles one."""
    error = MlflowException(f"failed with {cause}")
    setattr(error, link, cause)
    return error


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (
        ("PAUSE", 0.01),
        ("PAUSE_AT_END", 0.01),
        ("GRACE", 0.2),
        ("LAST_WORD", 0.5),
    ):
        monkeypatch.setattr(spool, name, seconds)


class Store:
    """Takes what it is told, but for the first times that something fails."""

    def __init__(self, **failures: list[Exception]) -> None:
        self.failures = failures
        self.taken: list[str] = []

    def task(self, name: str) -> Callable[[], None]:
        def write() -> None:
            if self.failures.get(name):
                raise self.failures[name].pop(0)
            self.taken.append(name)

        return write


def send(store: Store, *, is_open: bool = True) -> tuple[Spool, list[str]]:
    gave_up: list[str] = []
    sending = Spool(lambda: is_open, gave_up.append)
    sending.begin()
    for name in "abc":
        sending.put(name, store.task(name))
    sending.close(patience=10)
    return sending, gave_up


@pytest.mark.parametrize(
    "error",
    [
        AWAY, ConnectionResetError("reset"), TimeoutError("late"),
        requests.ConnectionError("refused"), requests.ReadTimeout("late"), answer(503),
        answer(429), LOCKED, wrapped(requests.ConnectionError("refused")),
        wrapped(requests.exceptions.RetryError("too many 502"), "__context__"), wrapped(LOCKED),
        wrapped(urllib3.exceptions.ProtocolError("broken")), wrapped(wrapped(answer(500))),
    ],
    ids=repr,
)  # fmt: skip
def test_what_fails_for_a_while_is_written_in_order(error: Exception) -> None:
    store = Store(b=[error] * 3)
    sending, gave_up = send(store)
    assert store.taken == ["a", "b", "c"]
    assert (sending.failure, sending.left, gave_up) == ("", [], [])


@pytest.mark.parametrize(
    "error",
    [
        REFUSED, OSError("disk full"), ValueError("a fault"), answer(403),
        MlflowException("Invalid artifact path"), wrapped(KeyError("a fault"), "__context__"),
        wrapped(answer(404)), requests.exceptions.InvalidURL("no host"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_refused_ends_it_at_once(error: Exception) -> None:
    store = Store(b=[error])
    sending, gave_up = send(store)
    assert store.taken == ["a"]
    assert sending.left == ["b", "c"]
    assert gave_up == [sending.failure]
    assert str(error) in sending.failure


def test_a_store_that_never_answered_is_not_waited_for() -> None:
    store = Store(a=[AWAY])
    sending, _ = send(store, is_open=False)
    assert store.taken == []
    assert "no answer" in sending.failure


def test_a_store_that_stays_away_is_given_up_soon_after_the_end() -> None:
    sending, gave_up = send(Store(b=[AWAY] * 100_000))
    assert "no answer" in sending.failure
    assert sending.left == ["b", "c"]
    assert gave_up == [sending.failure]  # in case that it is back for this


def test_a_store_that_hangs_is_given_up_soon_after_the_end() -> None:
    released, calls = threading.Event(), []

    def hang() -> None:
        calls.append(None)
        if len(calls) > 1:
            released.wait(60)
        raise AWAY

    sending = Spool(lambda: True, lambda _: None)
    sending.begin()
    sending.put("a", hang)
    while len(calls) < 2:
        time.sleep(0.01)
    begun = time.monotonic()
    sending.close(patience=60)
    assert time.monotonic() - begun < 30
    assert "no answer" in sending.failure
    released.set()


def test_passwords_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    error: Any = ValueError("postgresql://me:secret@host is not there")
    sending, _ = send(Store(a=[error]))
    assert "secret" not in sending.failure
