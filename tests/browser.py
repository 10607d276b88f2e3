"""A browser to open pages in."""

import shutil

import pytest

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def browser():
    """Chromium, which takes a second to start; tests are skipped where there is none."""
    sync_api, program = pytest.importorskip("playwright.sync_api"), shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium here")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*OPTIONS, "--no-first-run"])
        yield browser
        browser.close()


@pytest.fixture
def browser_page(browser):
    """A page as wide as a telephone: errors and requests for anything but the opened file are in its `problems`."""
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.problems.extend(_outside(request)))
    yield page
    page.close()


def _outside(request):
    return [] if request.is_navigation_request() or request.url.startswith("data:") else [request.url]
