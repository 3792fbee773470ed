"""Settings are checked before anything starts: a wrong one gives one sentence, not a half-working
service.
"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from models.settings import Settings, host_and_port


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "nope"),
        ("database_url", "mysql://root@127.0.0.1/greenroom"),
        ("database_url", "postgres://greenroom@host:port/greenroom"),
        ("redis_url", "nope"),
        ("redis_url", "http://127.0.0.1:6379"),
        ("redis_url", "redis://:secret@127.0.0.1:port"),
        ("redis_url", "sentinel://:secret@127.0.0.1:26379/0"),
        ("redis_url", "sentinel://:secret@a:26379;sentinel://:secret@b:26379/0"),
        ("redis_url", "redis+sentinel://127.0.0.1:26379/0"),
        ("redis_url", "rediss+cluster://:secret@127.0.0.1:6379"),
        ("storage_url", "/srv/published"),
        ("storage_url", "ftp://files.example/"),
        ("storage_url", "s3://"),
        ("public_url", "comments.paper.example"),
        ("public_url", "https://"),
        ("public_url", "https://paper.example/comments"),
        ("public_url", "https://paper.example/?a=secret"),
        ("public_url", "https://ann:secret@paper.example"),
        ("sweep_seconds", "inf"),
        ("smtp_url", "mail.example:587"),
        ("dns", "127.0.0.1:domain"),
        ("dns", "a:b:c"),
        ("dns", "not a host"),
        ("dns", "9.9.9.9:0"),
    ],
)
def test_an_impossible_setting_is_refused_without_repeating_a_password(
    name: str, value: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({name: value})
    (wrong,) = refused.value.errors()
    assert wrong["loc"] == (name,)
    assert "secret" not in wrong["msg"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (
            "database_url",
            "postgres://greenroom:p%40ss@db.paper.example:5432/greenroom?sslmode=require",
        ),
        ("database_url", "postgresql+psycopg:///greenroom?host=/run/postgresql"),
        ("database_url", "sqlite:////var/lib/greenroom.db"),
        ("redis_url", "rediss://user:secret@queue.paper.example:6379/0?ssl_cert_reqs=none"),
        ("redis_url", "redis+socket:///run/valkey.sock"),
        ("redis_url", "amqps://queue.paper.example//"),
        ("storage_url", "file:///srv/published"),
        ("storage_url", "s3://paper-comments/threads"),
        ("public_url", "https://comments.paper.example:8443/"),
        ("smtp_url", "smtps://user:secret@mail.example"),
        ("dns", "9.9.9.9, [2620:fe::fe]:53, dns:5353, 2620:fe::9"),
    ],
)
def test_valid_values_are_accepted(name: str, value: str) -> None:
    assert getattr(Settings.model_validate({name: value}), name)


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("127.0.0.1:5353", "127.0.0.1", 5353),
        ("dns", "dns", 53),
        ("[::1]:54", "::1", 54),
        ("::1", "::1", 53),
    ],
)
def test_a_resolver_is_a_host_with_a_port_or_53(server: str, host: str, port: int) -> None:
    assert host_and_port(server) == (host, port)
