"""A real server as its own process, and Debian's Chromium looking at it.

Without Chromium the tests are skipped with one line, and fail under CI=true. Every page also asserts, at its end, that
it neither broke the content security policy nor wrote an error to its console.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.running import ANN, BOB, READER, Server, missing

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 20_000
REMEMBER = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
});
"""


# Not of session scope: Playwright keeps an event loop in this thread, in which no `asyncio.run` of other tests works.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        missing(f"Browser tests need Chromium at {CHROMIUM}: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start a server with extra arguments; all are stopped at the end."""
    servers: list[Server] = []

    def start(*args: str, environ: Mapping[str, str] | None = None) -> Server:
        server = Server(tmp_path_factory.mktemp("server"), *args, environ=environ)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="package")
def server(browser: Browser, serve: Callable[..., Server]) -> Server:
    """A server with a worker."""
    return serve()


@pytest.fixture(scope="package")
def idle_server(browser: Browser, serve: Callable[..., Server]) -> Server:
    """A server on which no worker runs: what is submitted waits."""
    return serve("--no-worker")


@pytest.fixture(scope="package")
def keyed_server(browser: Browser, serve: Callable[..., Server]) -> Server:
    """A server with keys; ann has credits."""
    server = serve(environ={"SAFELIGHT_API_KEYS": f"{ANN}:ann:jobs,{BOB}:bob:jobs,{READER}:prometheus:read"})
    server.command("credits", "grant", "ann", "100")
    return server


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a URL in a context of its own, with the given options; `chromium` is another browser than the shared one."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_url(url: str, *, chromium: Browser = browser, **options: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        context.add_init_script(REMEMBER)
        context.on("weberror", lambda found: complaints.append(str(found.error)))
        context.on(
            "console", lambda line: complaints.append(line.text) if _is_complaint(line.type, line.text) else None
        )
        page = context.new_page()
        page.goto(url)
        return page

    yield open_url
    for page in (page for context in contexts for page in context.pages):
        page.unroute_all(behavior="ignoreErrors")  # an answer that is still awaited would fail the test after this one
    violations = [text for context in contexts for page in context.pages for text in page.evaluate("violations")]
    for context in contexts:
        context.close()
    assert complaints == []
    assert violations == []


def _is_complaint(kind: str, text: str) -> bool:
    # Chromium itself reports every answer of 400 or more, and a server that is gone; tests ask for both on purpose.
    return kind in {"error", "warning"} and not text.startswith("Failed to load resource")
