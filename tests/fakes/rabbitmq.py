"""Debian's RabbitMQ, if it is installed, with its own ports and folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.greenroom import PATIENCE, free_port, until

SERVER = Path(
    "/usr/lib/rabbitmq/bin/rabbitmq-server"
)  # /usr/sbin/rabbitmq-server runs this as another user


def is_installed() -> bool:
    return SERVER.exists() and shutil.which("epmd") is not None


# One virtual host as RabbitMQ makes it, and one whose queues are quorum queues unless a client asks
# otherwise. A client cannot see that. RabbitMQ 4 has the same default for the whole server.
DEFINITIONS = {
    "users": [{"name": "guest", "password": "guest", "tags": ["administrator"]}],
    "vhosts": [
        {"name": "/"},
        {
            "name": "quorum",
            "metadata": {"description": "", "tags": [], "default_queue_type": "quorum"},
        },
    ],
    "permissions": [
        {"user": "guest", "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}
        for vhost in ("/", "quorum")
    ],
}


@contextlib.contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    """Start a broker with the port mapper that it needs; yield its URL without a virtual host."""
    (folder / "definitions.json").write_text(json.dumps(DEFINITIONS))
    (folder / "rabbitmq.conf").write_text(f"load_definitions = {folder}/definitions.json\n")
    port, mapper, between = free_port(), free_port(), free_port()
    environment = {
        **os.environ,
        "HOME": str(folder),  # where Erlang stores its cookie
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"greenroom{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(between),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-kernel inet_dist_use_interface {127,0,0,1} +S 1 +sbwt none"
        ),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    with (folder / "output").open("wb") as output:
        processes = [
            subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            for command in (["epmd"], [str(SERVER)])
        ]
    try:
        until(lambda: _greets(port))
        yield f"amqp://guest:guest@127.0.0.1:{port}"
    finally:
        for process in reversed(processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


def _greets(port: int) -> bool:
    """Whether it is ready: it listens a little earlier. A ready broker answers a client that does
    not speak AMQP with its own protocol, and closes the connection.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as asking:
            asking.sendall(b"HELLO!!!")
            return asking.recv(4) == b"AMQP"
    except OSError:
        return False
