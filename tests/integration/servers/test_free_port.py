"""Ports for servers that start one after another, while others ask the kernel for ports as well."""

import socket

from darkroom.ledger.server import free_port

# Of as many that are only looked for, sixteen would have been given twice.
MANY = 700


def test_no_port_is_given_twice() -> None:
    assert len({free_port() for _ in range(MANY)}) == MANY


def test_who_names_it_can_listen_on_it() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as listening:
        assert listening.getsockname() == ("127.0.0.1", port)
    with socket.create_server(("0.0.0.0", port)) as listening:
        assert listening.getsockname() == ("0.0.0.0", port)
