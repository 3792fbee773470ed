"""A real browser reports what the Content-Security-Policy stopped."""

from __future__ import annotations

from playwright.sync_api import Browser

from service.http.csp_reports import Kind, counted
from tests.greenroom import until

STRANGE_IMAGE = """() => {
  const image = new Image()
  image.src = "https://evil.example/x.png"
  document.body.append(image)
}"""


def test_a_browser_reports_an_image_that_the_policy_stopped(url: str, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{url}/console/sign-in")
    page.evaluate(STRANGE_IMAGE)
    until(lambda: counted().all() == {Kind("console", "img-src"): 1})
    context.close()
