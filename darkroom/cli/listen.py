"""A listening socket, taken before anything is started: a busy port is told at once, and port 0 is known at once."""

import errno
import socket

from darkroom.errors import ConfigurationError

_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen. Raises: ConfigurationError in the user's words when that is not possible."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}: {error.strerror}") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigurationError(_explain(host, port, error)) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """`http://host:port` as this machine reaches it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken: stop what listens there, or choose another with --port or DARKROOM_PORT"
        )
    return f"cannot listen on {host}:{port}: {error.strerror}"
