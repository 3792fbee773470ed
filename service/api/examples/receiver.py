"""Receive Greenroom's webhooks: verify each one, answer quickly, keep a mirror of the approved
comments. Python 3.9+, no packages.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = os.environ["WEBHOOK_SECRET"]  # whsec_…, shown once, when you created the webhook
mirror: dict[str, dict[str, Any]] = {}  # approved comments by id
heard: dict[str, int] = {}  # the last sequence of each comment


def is_genuine(headers: Message, content: bytes) -> bool:
    """Verify by Standard Webhooks 1.0.0: HMAC-SHA256 over id.timestamp.body. During a rotation
    there are several signatures.
    """
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False  # an old message that somebody sent again
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers.get('webhook-id', '')}.{stamp}.".encode() + content
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, signature) for signature in given)


def hear(event: dict[str, Any]) -> None:
    """Apply an event. An event may arrive twice, and an older one after a newer: the comment's
    sequence tells.
    """
    if event["type"] == "webhook.test":
        return
    comment, sequence = event["data"]["comment"], event["data"]["sequence"]
    if sequence <= heard.get(comment["id"], 0):
        return
    heard[comment["id"]] = sequence
    if comment["status"] == "approved":
        mirror[comment["id"]] = comment
    else:
        mirror.pop(comment["id"], None)


def digest() -> str:
    """Return the digest of the mirror. It equals that of GET …/events/digest?thread=… when every
    event was applied.
    """
    lines = (f"{id_} {mirror[id_]['version']}\n" for id_ in sorted(mirror))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if not is_genuine(self.headers, content):
            self.send_response(400)
        else:
            hear(json.loads(content))
            self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(f"listening on port {server.server_address[1]}", flush=True)
    server.serve_forever()
