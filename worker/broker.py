"""How Celery and the broker are spoken to, the same for those who ring and those who work.

A message may be lost or come twice: nothing depends on it (see ARCHITECTURE.md). What matters here
is that no call ever hangs: a broker that accepts a connection and then says nothing would hold
Celery's defaults for good.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from models.settings import settings

if TYPE_CHECKING:
    from kombu import Connection

SOCKET_SECONDS = 1.0

# The first four are for Redis, the others for RabbitMQ: each transport passes over what it does not
# know. RabbitMQ has to confirm, or a message to a broker that has died would count as rung for.
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


def common() -> dict[str, Any]:
    """Celery settings that both sides need."""
    return {
        "broker_url": settings().redis_url or "memory://",
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_delivery_mode": "persistent",
        "task_routes": {
            name: {"queue": name} for name in ("screen", "publish", "deliver", "learn")
        },
        "enable_utc": True,
        **_tls(settings().redis_url),
    }


def _tls(url: str) -> dict[str, Any]:
    """Whose certificate it is gets checked, unless the URL says otherwise (`?ssl_cert_reqs=none`).

    Left to itself, kombu accepts any certificate for rediss:// and that of any host for amqps://.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "rediss" and "ssl_" not in rest.partition("?")[2]:
        return {"broker_use_ssl": {"ssl_cert_reqs": ssl.CERT_REQUIRED}}
    if scheme == "amqps":
        return {
            "broker_use_ssl": {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
        }  # None: the URL's
    return {}


def eviction_policy(connection: Connection) -> str | None:
    """What Redis forgets when its memory is full: our messages too, unless "noeviction". None if it
    does not tell.
    """
    try:
        channel: Any = connection.default_channel
        return str(channel.client.config_get("maxmemory-policy")["maxmemory-policy"])
    except (
        Exception
    ):  # it is away, or RabbitMQ; an ACL keeps CONFIG to itself; a hosted one has none
        return None


def is_cluster(connection: Connection) -> bool:
    """Whether this is a node of a Redis Cluster, which Celery cannot use: it would wait for
    messages on all of them.
    """
    try:
        channel: Any = connection.default_channel
        return bool(channel.client.info("cluster")["cluster_enabled"])
    except Exception:  # it is away, or RabbitMQ, or does not tell
        return False


CLUSTER = (
    "Redis Cluster is not supported: give the URL of one Redis server that is not "
    "part of a cluster."
)
WORK_OPTIONS: dict[str, float] = {
    # Without it one acknowledgement on a connection that died without a word holds the whole
    # consumer for good; with it kombu's own look after such connections gets its turn, and the
    # worker hears again within half a minute.
    "socket_timeout": 5.0,
    "socket_connect_timeout": SOCKET_SECONDS,
    "socket_keepalive": True,
    "health_check_interval": 10,
    # a task is done in seconds; what a killed worker held comes back, and sweep is earlier
    "visibility_timeout": 600,
}
