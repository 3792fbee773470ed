"""A newspaper on its own port, with the strictest possible policy, and with the comments of a
Greenroom elsewhere.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit

ARTICLE = """<!doctype html>
<html{attributes}><head><meta charset="utf-8"><title>An article</title><link rel="canonical" href="{canonical}"></head>
<body><h1>An article</h1><greenroom-comments site="{site}"></greenroom-comments>
<script type="module" src="{greenroom}/embed.js"></script></body></html>"""
POLICY = (
    "default-src 'none'; script-src {greenroom}; connect-src {greenroom}; style-src 'none'; "
    "base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types greenroom"
)


class Newspaper:
    """Every path is an article, and so a thread; `?lang=ar` is its language, `?site=` its site."""

    def __init__(self, greenroom: str) -> None:
        paper = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                wish = dict(parse_qsl(parts.query))
                attributes = f' lang="{wish["lang"]}"' if "lang" in wish else ""
                site = wish.get("site", "paper")
                canonical = f"{paper.origin}{parts.path}"
                page = ARTICLE.format(
                    attributes=attributes, canonical=canonical, site=site, greenroom=greenroom
                )
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", POLICY.format(greenroom=greenroom))
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
