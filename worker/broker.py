"""Celery and broker settings, the same for senders and workers.

A message may be lost or arrive twice: nothing depends on it (see ARCHITECTURE.md). What matters is
that no call ever hangs: with Celery's defaults, a broker that accepts a connection and then says
nothing would block forever.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from models.settings import settings

if TYPE_CHECKING:
    from kombu import Connection

SOCKET_SECONDS = 1.0

# The first four are for Redis, the others for RabbitMQ: each transport ignores those that it does
# not know. RabbitMQ must confirm each message; otherwise a message to a broker that has died would
# count as sent.
RING_OPTIONS: dict[str, float] = {
    "max_retries": 0,
    "socket_timeout": SOCKET_SECONDS,
    "socket_connect_timeout": SOCKET_SECONDS,
    "retry_on_timeout": False,
    "connect_timeout": SOCKET_SECONDS,
    "read_timeout": SOCKET_SECONDS,
    "write_timeout": SOCKET_SECONDS,
    "confirm_publish": True,
}


# Rare tasks that come by another task's queue.
_SHARED = {"teach": "learn", "mail": "deliver"}


def common() -> dict[str, Any]:
    """Return the Celery settings that both sides need."""
    return {
        "broker_url": settings().redis_url or "memory://",
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_delivery_mode": "persistent",
        "task_routes": {
            name: {"queue": _SHARED.get(name, name)}
            for name in ("screen", "publish", "deliver", "learn", "teach", "mail")
        },
        "enable_utc": True,
        **_tls(settings().redis_url),
    }


def _tls(url: str) -> dict[str, Any]:
    """Return TLS options that verify the certificate, unless the URL says otherwise
    (`?ssl_cert_reqs=none`).

    By default, kombu accepts any certificate for rediss://, and a certificate of any host for
    amqps://.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "rediss" and "ssl_" not in rest.partition("?")[2]:
        return {"broker_use_ssl": {"ssl_cert_reqs": ssl.CERT_REQUIRED}}
    if scheme == "amqps":
        return {
            "broker_use_ssl": {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
        }  # None: use the URL's
    return {}


def eviction_policy(connection: Connection) -> str | None:
    """Return Redis's eviction policy. Unless it is "noeviction", Redis may delete our messages when
    its memory is full. None if Redis does not tell.
    """
    try:
        channel: Any = connection.default_channel
        return str(channel.client.config_get("maxmemory-policy")["maxmemory-policy"])
    except (
        Exception
    ):  # it is down or is RabbitMQ, an ACL forbids CONFIG, or a hosted Redis has no CONFIG
        return None


def is_cluster(connection: Connection) -> bool:
    """Whether this is a node of a Redis Cluster, which Celery cannot use: it would wait for
    messages on all nodes.
    """
    try:
        channel: Any = connection.default_channel
        return bool(channel.client.info("cluster")["cluster_enabled"])
    except Exception:  # it is down or is RabbitMQ, or it does not tell
        return False


CLUSTER = (
    "Redis Cluster is not supported: give the URL of one Redis server that is not "
    "part of a cluster."
)
WORK_OPTIONS: dict[str, float] = {
    # Without this limit, one acknowledgement on a connection that died silently blocks the whole
    # consumer for good. With it, kombu gets to check for such connections, and the worker receives
    # messages again within half a minute.
    "socket_timeout": 5.0,
    "socket_connect_timeout": SOCKET_SECONDS,
    "socket_keepalive": True,
    "health_check_interval": 10,
    # A task is done in seconds. A killed worker's messages come back after this time, but the sweep
    # is earlier.
    "visibility_timeout": 600,
}
