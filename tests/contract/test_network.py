"""Tests cannot reach the network, and the block itself works."""

import socket

import pytest


def test_leaving_the_machine_is_refused() -> None:
    with socket.socket() as sock, pytest.raises(RuntimeError, match="only speak to this machine"):
        sock.connect(("192.0.2.1", 80))


def test_this_machine_may_be_spoken_to() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sock,
    ):
        assert sock.getpeername()[0] == "127.0.0.1"
