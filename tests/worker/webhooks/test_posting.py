"""Where a webhook may go, and how: only to the public Internet, even if a name changes its
address.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from models.settings import settings
from tests.fakes.certificates import certificate
from tests.fakes.dns_server import DnsServer, Mode
from tests.fakes.receiver import CUT, HANG, RAW, Answer, Receiver
from worker.webhooks import connections
from worker.webhooks.connections import MOST_READ
from worker.webhooks.posting import Poster
from worker.webhooks.public_addresses import Address, as_address, why_refused
from worker.webhooks.targets import Refused, Unsent, target


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GREENROOM_DNS", "127.0.0.1:1")  # nothing listens there
    monkeypatch.setenv("GREENROOM_DNS_SECONDS", "0.5")
    settings.cache_clear()
    yield
    settings.cache_clear()
    connections._tls.cache_clear()


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow private addresses, as in development."""
    monkeypatch.setenv("GREENROOM_WEBHOOK_ALLOW_PRIVATE", "true")
    settings.cache_clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def post(url: str, *, seconds: float = 5, **headers: str) -> connections.Answer:
    async def once() -> connections.Answer:
        async with Poster(seconds) as poster:
            return await poster.post(url, headers, b'{"type": "test"}')

    return asyncio.run(once())


NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254
    168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.8
    192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
    224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 :: ::1 ::7f00:1 ::ffff:127.0.0.1
    ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1
    2001:0:7f00:1:: 2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254
    fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1 4000::1 2606:4700::1%eth0
"""
PUBLIC = (
    "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 172.15.0.1 172.32.0.1 "
    "192.169.0.1 198.17.0.1 223.255.255.1"
)
PUBLIC += " 2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001::1 2003::1"


def address(text: str) -> Address:
    found = as_address(text)
    assert found is not None
    return found


@pytest.mark.parametrize("text", NOT_PUBLIC.split())
def test_a_private_address_is_refused_with_the_reason(text: str) -> None:
    assert why_refused(address(text))
    host = f"[{text}]" if ":" in text else text
    # No URL has a zone.
    with pytest.raises(
        Refused,
        match="not a valid URL"
        if "%" in text
        else "GREENROOM_WEBHOOK_ALLOW_PRIVATE=true allows it",
    ):
        target(f"https://{host}/")


@pytest.mark.parametrize("text", PUBLIC.split())
def test_a_public_address_is_not_refused(text: str) -> None:
    assert why_refused(address(text)) is None


@pytest.mark.parametrize(
    "host",
    [
        "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "0", "1.2.3.0x4",
        "1.2.3.4.5", "0x7f.0.0.0x1", "017700000001", "127.0.0.0x1", "00000177.0.0.1", "127.0.0.01", "3232235777",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1", "１２７.0.0.1", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]",
    ],
)  # fmt: skip
def test_every_odd_spelling_of_loopback_is_refused(host: str) -> None:
    with pytest.raises(Refused):
        target(f"https://{host}/")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "a.localhost"])
def test_localhost_is_this_machine_whatever_dns_says(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DnsServer({"localhost": {"A": ["8.8.8.8"]}, "a.localhost": {"A": ["8.8.8.8"]}}) as dns:
        dns.serve(monkeypatch)
        settings.cache_clear()
        with pytest.raises(Refused, match=r"127\.0\.0\.1 is not a public address"):
            post(f"https://{host}/")
        assert dns.queries == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://example.org:22/",
        "https://example.org:8443/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "//example.org/",
        "example.org",
        "https://",
        "https:///",
        "https://ann@example.org/",
        "https://:secret@example.org/",
        "https://example.org\\@127.0.0.1/",
        "https://exam\tple.org/",
        "https://example.org/\r\nX: y",
        "https://example.org/a b",
        "https://example.org/#x",
        "https://example.org:99999/",
        "https://example.org:x/",
        "https://[::1/",
        "https://" + "a" * 300 + ".org/",
        "https://example.org/" + "a" * 2000,
        "https://exa_é mple.org/",
    ],
)
def test_a_url_that_is_none_for_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        target(url)


def test_https_to_its_two_ports_is_fine_and_a_setting_names_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert target("https://Example.org").authority == "example.org"
    assert target("https://example.org:80/a?b=c").path == "/a?b=c"
    assert target("https://bücher.example/").host == "xn--bcher-kva.example"
    monkeypatch.setenv("GREENROOM_WEBHOOK_PORTS", "443,8443")
    settings.cache_clear()
    assert target("https://example.org:8443/").authority == "example.org:8443"
    with pytest.raises(Refused, match="GREENROOM_WEBHOOK_PORTS"):
        target("https://example.org:80/")


@pytest.mark.parametrize(
    "records",
    [
        {"A": ["127.0.0.1"]},
        {"A": ["8.8.8.8", "10.0.0.1"]},
        {"A": ["8.8.8.8"], "AAAA": ["::1"]},
        {"AAAA": ["::ffff:a9fe:a9fe"]},
        {"AAAA": ["64:ff9b::7f00:1"]},
    ],
)
def test_a_name_with_one_address_that_is_not_public_is_refused(
    records: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with DnsServer({"hook.test": records}) as dns:
        dns.serve(monkeypatch)
        settings.cache_clear()
        with pytest.raises(Refused, match="not a public address"):
            post("https://hook.test/")


def test_a_name_that_changes_its_address_between_two_attempts_is_checked_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when the webhook is created, this machine when it is sent."""
    with DnsServer({"hook.test": {"A": ["93.184.215.14"]}}) as dns:
        dns.serve(monkeypatch)
        monkeypatch.setenv("GREENROOM_WEBHOOK_PORTS", str(receiver.port))
        settings.cache_clear()
        url = f"https://hook.test:{receiver.port}/"
        with pytest.raises(Unsent):  # goes to the public address, which is not reachable from here
            post(url, seconds=0.3)
        assert receiver.connections == 0
        dns.zone["hook.test"] = {"A": ["127.0.0.1"]}
        with pytest.raises(Refused, match=r"127\.0\.0\.1"):
            post(url)
        assert receiver.connections == 0


def test_it_connects_to_the_address_that_was_looked_at_and_resolves_once(
    private: None, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver would answer the second query differently, as in rebinding, but there is no
    second query.
    """
    asked: list[str] = []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *about, **_: asked.append(str(about[0])) or _no()
    )
    with DnsServer({"hook.test": {"A": ["127.0.0.1"]}}) as dns:
        monkeypatch.setattr("worker.resolver._nameserver", _plain(dns.port))
        dns.serve(monkeypatch)
        settings.cache_clear()
        assert post(f"http://hook.test:{receiver.port}/").status == 204
        assert dns.asked == {("hook.test", "A"): 1, ("hook.test", "AAAA"): 1}
    assert asked == []
    assert receiver.got[0].headers["host"] == f"hook.test:{receiver.port}"


def _no() -> None:
    raise AssertionError("the system's resolver was asked")


def _plain(port: int) -> object:
    import dns.nameserver

    return lambda _: dns.nameserver.Do53Nameserver("127.0.0.1", port)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (Mode.NXDOMAIN, "does not exist"),
        (Mode.SERVFAIL, "lookup of .* failed"),
        (Mode.SILENCE, "took longer than"),
    ],
)
def test_a_name_without_an_address_is_reported(
    mode: Mode, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DnsServer(mode=mode) as dns:
        dns.serve(monkeypatch)
        if mode is Mode.SILENCE:
            monkeypatch.setenv("GREENROOM_DNS_SECONDS", "0.5")
        settings.cache_clear()
        with pytest.raises(Unsent, match=words):
            post("https://hook.test/")


def test_no_proxy_of_the_environment_is_used(
    private: None, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert post(receiver.url).status == 204
        assert proxy.connections == 0


def test_a_redirect_is_an_answer_and_is_not_followed(private: None, receiver: Receiver) -> None:
    with Receiver() as secret:
        receiver.next(Answer(307, {"Location": secret.url}))
        assert post(receiver.url).status == 307
        assert secret.connections == 0


def test_it_speaks_tls_to_the_name_and_believes_only_a_good_certificate(
    private: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = certificate(tmp_path, "hook.test")
    with (
        Receiver(certificate=good) as receiver,
        DnsServer({"hook.test": {"A": ["127.0.0.1"]}}) as dns,
    ):
        dns.serve(monkeypatch)
        settings.cache_clear()
        url = f"https://hook.test:{receiver.port}/"
        with pytest.raises(Unsent, match="certificate is not valid"):
            post(url)
        monkeypatch.setenv("SSL_CERT_FILE", good)
        connections._tls.cache_clear()
        assert post(url).status == 204
        with pytest.raises(Unsent, match="certificate is not valid"):
            post(receiver.url)  # by its address, which the certificate does not name
    assert len(receiver.got) == 1


def test_a_connection_to_one_name_is_not_used_for_another_at_the_same_address(
    private: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = certificate(tmp_path, "hook.test")
    monkeypatch.setenv("SSL_CERT_FILE", good)
    monkeypatch.setattr(connections, "IDLE_SECONDS", 1000.0)  # for a busy machine
    connections._tls.cache_clear()
    zone = {name: {"A": ["127.0.0.1"]} for name in ("hook.test", "other.test")}

    async def both(port: int) -> None:
        async with Poster() as poster:
            await poster.post(f"https://hook.test:{port}/", {}, b"{}")
            with pytest.raises(Unsent, match="certificate is not valid"):
                await poster.post(f"https://other.test:{port}/", {}, b"{}")

    with Receiver(certificate=good) as receiver, DnsServer(zone) as dns:
        dns.serve(monkeypatch)
        settings.cache_clear()
        asyncio.run(both(receiver.port))
        assert len(receiver.got) == 1


def test_at_most_64_kb_of_the_answer_are_read(private: None, receiver: Receiver) -> None:
    receiver.next(Answer(200, {}, b"x" * 10_000_000))
    answer = post(receiver.url)
    assert (answer.status, len(answer.body)) == (200, MOST_READ)


@pytest.mark.parametrize("answer", [HANG, Answer(200, {}, b"slowly" * 100, drip=0.05)])
def test_an_answer_that_is_not_whole_in_time_is_none(
    private: None, receiver: Receiver, answer: Answer
) -> None:
    receiver.next(answer)
    with pytest.raises(Unsent, match="a complete response within"):
        post(receiver.url, seconds=0.5)


def test_a_client_that_never_reads_its_answer_is_disconnected(private: None) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as deaf,
        pytest.raises(Unsent, match="complete response"),
    ):
        post(f"http://127.0.0.1:{deaf.getsockname()[1]}/", seconds=0.3)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (CUT, "closed before the response was complete"),
        (
            Answer(RAW, {}, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
            "closed before the response was complete",
        ),
        (Answer(RAW, {}, b"SSH-2.0-OpenSSH_9.6\r\n"), "not valid HTTP"),
        *(
            (
                Answer(RAW, {}, b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\nhello" % length),
                "not valid HTTP",
            )
            for length in (b"-5", b"+5", b"0_5", b"5, 5", b"", b"five")
        ),
        (
            Answer(RAW, {}, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "not valid HTTP",
        ),
        (
            Answer(RAW, {}, b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n"),
            "not valid HTTP",
        ),
        (Answer(RAW, {}, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), "not valid HTTP"),
    ],
)
def test_an_incomplete_answer_is_explained(
    private: None, receiver: Receiver, answer: Answer, words: str
) -> None:
    receiver.next(answer)
    with pytest.raises(Unsent, match=words):
        post(receiver.url)


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                b"chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
            ),
            b"abcde",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (
            (
                b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
                b"2\r\n\r\nok"
            ),
            b"ok",
        ),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok"),
    ],
)
def test_answers_of_every_shape_are_read(
    private: None, receiver: Receiver, content: bytes, body: bytes
) -> None:
    receiver.next(Answer(RAW, {}, content))
    assert post(receiver.url)[::2] == (200, body)


def test_a_connection_is_used_again_only_where_the_name_still_leads(
    private: None, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 1000.0)  # for a busy machine

    async def twice(change: bool) -> None:
        async with Poster() as poster:
            await poster.post(url, {}, b"{}")
            if change:
                dns.zone["hook.test"] = {"A": ["127.0.0.2"]}  # nothing listens there
            with pytest.raises(Unsent) if change else nullcontext():
                await poster.post(url, {}, b"{}")

    with DnsServer({"hook.test": {"A": ["127.0.0.1"]}}) as dns:
        dns.serve(monkeypatch)
        settings.cache_clear()
        url = f"http://hook.test:{receiver.port}/"
        asyncio.run(twice(change=False))
        assert (len(receiver.got), receiver.connections) == (2, 1)
        asyncio.run(twice(change=True))
        assert (len(receiver.got), receiver.connections) == (3, 2)


def test_many_slow_answers_are_waited_for_together(private: None, receiver: Receiver) -> None:
    receiver.always = Answer(200, {}, b"12345", drip=0.1)

    async def many() -> None:
        async with Poster() as poster:
            await asyncio.gather(*(poster.post(receiver.url, {}, b"{}") for _ in range(20)))

    threads = threading.active_count()
    asyncio.run(many())
    assert receiver.busiest > 10
    assert threading.active_count() <= threads + 20  # the receiver's own
