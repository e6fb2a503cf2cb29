"""What all tests share: servers, and a terminal's Ctrl-C."""

import signal

pytest_plugins: list[str] = ["tests.servers.valkey", "tests.servers.seaweedfs"]

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would all that they start and stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
