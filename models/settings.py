"""Every setting, read from `GREENROOM_*` variables, with its type and description."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from models.runtime import inherited
from models.text.numbers import digits_to_int

PREFIX = "GREENROOM_"
# How the URL of each setting may begin; a driver may follow after a plus. Error messages never
# contain the URL, because it may hold a password.
SCHEMES = {
    "database_url": ("postgres", "postgresql", "sqlite"),
    "redis_url": ("redis", "rediss", "amqp", "amqps"),
    "storage_url": ("file", "s3", "gs", "az", "azure", "abfs", "abfss"),
    "public_url": ("http", "https"),
    "smtp_url": ("smtp", "smtps"),
}
NEEDS_NO_HOST = (
    "sqlite",
    "file",
    "redis",
    "postgres",
    "postgresql",
)  # a file, or a socket on this machine
NO_ONE_REDIS = ("sentinel", "cluster")  # in the scheme of a URL
_HOST = re.compile(r"[\w.-]+")


STORAGE_THREADS = 3  # threads of the web process that read storage, and sometimes the database
BACKGROUND_THREADS = 2  # threads that use the database in the background: sweep, mail, alarms


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data: Path = Field(
        Path("var"),
        description="Data folder: secrets, database, queue, published pages.",
    )
    secrets: str = Field(
        "", repr=False, description="The keys as JSON. If empty, GREENROOM_SECRETS_FILE applies."
    )
    secrets_file: Path | None = Field(
        None,
        description=(
            "A file with the keys, which Greenroom only reads. If empty, secrets.json in the "
            "data folder."
        ),
    )
    host: str = Field("127.0.0.1", description="Address the web process listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the web process listens on.")
    public_url: str = Field(
        "",
        description=(
            "The public URL of this service, without trailing slash. If empty, the URL of each "
            "request."
        ),
    )

    database_url: str = Field(
        "", description="SQLAlchemy or postgres:// URL. If empty, SQLite in the data folder."
    )
    redis_url: str = Field(
        "", description="Broker: redis://, rediss:// or amqp://. If empty, the embedded Valkey."
    )
    storage_url: str = Field(
        "",
        description=(
            "Storage for published threads: file:///… or s3://…. If empty, the data folder."
        ),
    )

    cdn_seconds: int = Field(
        0,
        ge=0,
        description=(
            "How long a CDN may cache a page without revalidating. 0: it must always revalidate."
        ),
    )

    rate_limits: Literal["on", "off"] = Field(
        "on", description="Rate limits per IP address and site. Turn them off only for load tests."
    )
    rate_per_minute: int = Field(
        10, ge=1, description="Posts per minute from one IP address on one site."
    )
    rate_per_hour: int = Field(
        60, ge=1, description="Posts per hour from one IP address on one site."
    )
    proxy_hops: int = Field(0, ge=0, description="How many proxies to trust in X-Forwarded-For.")

    spam_model: str = Field(
        "",
        description="A spam model from `greenroom train`, to use instead of the built-in one.",
    )
    abuse_model: str = Field(
        "",
        description="An abuse model from `greenroom train`, to use instead of the built-in one.",
    )

    learn_seconds: float = Field(
        60, ge=0, description="Minimum time between two trainings of one site's model."
    )

    dns: tuple[str, ...] = Field(
        (), description="DNS servers as host:port, comma-separated, instead of the system's."
    )
    dns_seconds: float = Field(2.5, gt=0, description="Maximum time for one DNS lookup.")

    webhook_schedule: tuple[float, ...] = Field(
        (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
        description=(
            "Webhook attempts: seconds after the previous attempt, comma-separated. The first is 0."
        ),
    )
    webhook_allow_private: bool = Field(
        False,
        description=(
            "For development: allow webhooks to private addresses, over http and to any port."
        ),
    )
    webhook_ports: tuple[int, ...] = Field(
        (80, 443), description="Ports that webhooks may use with https."
    )
    webhook_in_flight: int = Field(
        16, ge=1, description="Concurrent attempts to one endpoint, per worker."
    )
    event_days: int = Field(0, ge=0, description="Days to keep events in the log. 0: forever.")

    web_threads: int = Field(8, ge=1, description="Concurrent write requests in the web process.")
    screeners: int = Field(
        4,
        ge=1,
        description=(
            "Concurrent tasks in a worker: one screens, one publishes, the others hand their "
            "work to these two."
        ),
    )
    sweep_seconds: float = Field(5, gt=0, description="Pause between two sweeps for overdue rows.")
    overdue_seconds: float = Field(
        3, gt=0, description="How long a row may be due before the sweep queues it again."
    )
    smtp_url: str = Field(
        "",
        description=(
            "SMTP server for mail to moderators and readers: smtp://user:password@host:587 or "
            "smtps://…. If empty, Greenroom sends no mail."
        ),
    )
    mail_from: str = Field("greenroom@localhost", description="Sender of all mail.")
    mail_schedule: tuple[float, ...] = Field(
        (0, 60, 600, 3600, 14_400, 43_200, 86_400, 86_400),
        description=(
            "Attempts to send a mail to a reader: seconds after the previous attempt, "
            "comma-separated. The first is 0."
        ),
    )
    mail_delay_seconds: float = Field(
        60,
        ge=0,
        description=(
            "How long mail about a comment waits, so that a decision that is undone at once "
            "sends none."
        ),
    )
    security_contact: str = Field(
        "",
        description=(
            "Where to report a vulnerability, for security.txt: mailto:… or https://…. If "
            "empty, mail_from."
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The lowest level to log."
    )

    @field_validator("secrets_file", mode="before")
    @classmethod
    def _none_if_empty(cls, value: object) -> object:
        return value or None

    @field_validator("dns", "webhook_schedule", "webhook_ports", "mail_schedule", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("webhook_schedule", "mail_schedule")
    @classmethod
    def _begins_at_once(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        """Add 0 in front unless the list begins with it: the first attempt is never delayed, so the
        list then means the later attempts.
        """
        if not all(0 <= delay <= 30 * 86_400 for delay in value):
            raise ValueError("Each delay must be a number of seconds, at most 30 days.")
        return value if value[:1] == (0,) else (0, *value)

    @field_validator(*SCHEMES)
    @classmethod
    def _is_url(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        if info.field_name == "redis_url" and any(
            kind in value.partition(":")[0].lower() for kind in NO_ONE_REDIS
        ):
            raise ValueError(
                "Redis Sentinel and Redis Cluster are not supported: give the redis:// URL of "
                "one server, or of a proxy"
                " or service that always leads to the primary."
            )
        schemes = SCHEMES[info.field_name or ""]
        meant = (
            f"This must be a URL that begins with {', '.join(f'{scheme}://' for scheme in schemes)}"
        )
        try:
            parts = urlsplit(value)
            kind = parts.scheme.partition("+")[0]
            is_placed = (
                kind in NEEDS_NO_HOST or bool(parts.hostname) or parts.query.startswith("host=")
            )
            is_right = kind in schemes and "://" in value and is_placed and parts.port != 0
        except ValueError:
            raise ValueError("The host or port in this URL can't be read.") from None
        if not is_right:
            raise ValueError(f"{meant}.")
        return value

    @field_validator("dns")
    @classmethod
    def _are_servers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for server in value:
            host_and_port(server)
        return value

    @field_validator("security_contact")
    @classmethod
    def _is_a_contact(cls, value: str) -> str:
        if value and not re.fullmatch(r"(?:mailto:|https://|tel:)[!-~]+", value):
            raise ValueError(
                "This must begin with mailto:, https:// or tel:, and contain no space."
            )
        return value

    @field_validator("public_url")
    @classmethod
    def _is_the_root_of_a_host(cls, value: str) -> str:
        """Require the root of a host: pages, forms and the embed make requests from the root, so a
        path would be right for links only.
        """
        place = value.rstrip("/")
        if place and ("@" in place or place != "://".join(urlsplit(place)[:2])):
            raise ValueError(
                "This must be only scheme and host, like https://comments.paper.example."
            )
        return place

    @property
    def looking_threads(self) -> int:
        """How many requests that only read the database the web process handles at the same
        time.
        """
        return max(2, self.web_threads // 2)

    @property
    def database_threads(self) -> int:
        """How many threads of one process may use the database at the same time, including those in
        the background.
        """
        web = self.web_threads + self.looking_threads + STORAGE_THREADS
        return max(web, self.screeners) + BACKGROUND_THREADS

    @property
    def sqlalchemy_url(self) -> str:
        """The database URL in SQLAlchemy's form. `postgres://` is accepted and means psycopg 3."""
        if not self.database_url:
            return f"sqlite:///{self.data.absolute() / 'greenroom.db'}"
        scheme, _, rest = self.database_url.partition("://")
        return (
            f"postgresql+psycopg://{rest}"
            if scheme in {"postgres", "postgresql"}
            else self.database_url
        )

    @property
    def base_url(self) -> str:
        """The public URL of this service, without a trailing slash."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def published_url(self) -> str:
        """The object store of published threads, as a URL for obstore."""
        return self.storage_url or (self.data.absolute() / "published").as_uri()


def host_and_port(server: str) -> tuple[str, int]:
    """Split an address or a name with a port ("127.0.0.1:5353", "[::1]:53", "dns:53") or without
    one.
    """
    host, colon, port = server.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):  # only an address
        host, port = server, "53"
    host = host.removeprefix("[").removesuffix("]")
    is_address = _HOST.fullmatch(host) or (":" in host and _is_ip(host))
    number = digits_to_int(port, digits=5) or 0
    if not (is_address and 0 < number < 65536):
        raise ValueError(f"{server!r} is not a valid DNS server: use host:port, like 9.9.9.9:53.")
    return host, number


def _is_ip(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


@inherited(lambda _: None)
def settings() -> Settings:
    """The settings of this process, read once.

    pydantic-settings would do the same for 16 MB in each of five processes.
    """
    given = {name: os.environ.get(PREFIX + name.upper()) for name in Settings.model_fields}
    return Settings.model_validate(
        {name: value for name, value in given.items() if value is not None}
    )
