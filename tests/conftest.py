"""What every test lives under: one thread per process, no network."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GLOG_minloglevel", "2")  # mediapipe's C++ log
os.environ.setdefault("MPLBACKEND", "Agg")

import socket
from collections.abc import Callable, Iterator

import pytest

_LOCAL = ("127.", "::1", "localhost")


class NetworkError(RuntimeError):
    """A test reached for the network."""


def _is_local(address: object) -> bool:
    return not isinstance(address, tuple) or str(address[0]).startswith(_LOCAL)


def _guarded(method: Callable[..., int | None]) -> Callable[..., int | None]:
    def guard(sock: socket.socket, address: object) -> int | None:
        if sock.family != socket.AF_UNIX and not _is_local(address):
            raise NetworkError(f"a test asked for {address!r}; tests may only speak to this machine")
        return method(sock, address)

    return guard


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        yield
