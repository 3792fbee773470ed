"""How Celery and the broker are spoken to, the same for those who ring and those who work.

A message may be lost or come twice: nothing depends on it (see ARCHITECTURE.md). What matters here is that no call ever
hangs: a broker that accepts a connection and then says nothing would hold Celery's defaults for good.
"""

from __future__ import annotations

from typing import Any

from models.settings import settings

SOCKET_SECONDS = 1.0
RING_OPTIONS: dict[str, Any] = {
    "max_retries": 0,
    "socket_timeout": SOCKET_SECONDS,
    "socket_connect_timeout": SOCKET_SECONDS,
    "retry_on_timeout": False,
}


def common() -> dict[str, Any]:
    """Celery settings that both sides need."""
    return {
        "broker_url": settings().redis_url or "memory://",
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_delivery_mode": "persistent",
        "task_routes": {"screen": {"queue": "screen"}, "publish": {"queue": "publish"}},
        "enable_utc": True,
    }


WORK_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": SOCKET_SECONDS,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "visibility_timeout": 600,  # a task is done in seconds; what a killed worker held comes back, and sweep is earlier
}
