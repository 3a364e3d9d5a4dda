"""The pages among the documentation's examples, in Chromium, against the demo."""
import pytest

from support import browser
from support.examples import Page, substitute
from support.gateway_process import GatewayProcess

PAGES = [(html, lines) for path in ("docs/streaming.md",) for html, lines in Page(path).html]


@pytest.fixture(scope="module")
def demo():
    pages = browser.PageServer()
    process = GatewayProcess("demo", "--listen", "127.0.0.1:0", "--upstream-listen", "127.0.0.1:0")
    with browser.chromium() as context:
        yield context, pages.origin, process.target
    process.stop()
    pages.stop()


@pytest.mark.parametrize("html, lines", PAGES, ids=range(len(PAGES)))
def test_a_page_does_what_it_says(demo, html, lines):
    context, origin, target = demo
    assert lines, "no block of text says what comes of it"
    page, found = context.new_page(), []
    page.on("console", lambda message: found.append(message.text) if message.type == "log" else None)
    page.goto(origin)
    page.set_content(substitute(html, {"127.0.0.1:8080": target}))
    for _ in range(200):
        if len(found) >= len(lines):
            break
        page.wait_for_timeout(50)
    page.close()
    assert found == lines
