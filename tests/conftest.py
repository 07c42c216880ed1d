"What tests share: where things are, what settings.ini says, one browser, one real server."
import os, shutil, sys
from configparser import ConfigParser
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
NOTEBOOKS = sorted(p for p in (ROOT/"nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
SCREENS = ROOT/"_screens"
_settings = ConfigParser(delimiters=["="])
_settings.read(ROOT/"settings.ini", encoding="utf-8")
CFG = _settings["DEFAULT"]


def pytest_collection_modifyitems(items):
    "Tests that need a browser are marked so: `pytest -m browser`, or `-m 'not browser'` where there is none."
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()): item.add_marker("browser")


@pytest.fixture(scope="session")
def browser():
    "The system's Chromium; where there is none the tests say so, or fail when SAJU_REQUIRE_BROWSER is set."
    from playwright.sync_api import expect, sync_playwright
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium: (pytest.fail if os.environ.get("SAJU_REQUIRE_BROWSER") else pytest.skip)("Chromium이 없어 화면을 시험하지 않습니다 (Debian: apt-get install chromium)")
    SCREENS.mkdir(exist_ok=True)
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server():
    "The address of the real server, on a free port."
    from saju_naming.serve import start
    running = start(port=0, workers=1, rate="100000 per minute", docs=True)
    yield f"http://127.0.0.1:{running.port}"
    running.stop()


@contextmanager
def static(folder):
    "A plain file server on a free port, as GitHub Pages is; gives its address."
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_): pass
    host = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    Thread(target=host.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{host.server_port}/"
    host.shutdown()
