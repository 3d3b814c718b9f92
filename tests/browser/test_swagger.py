"""The API's own page in a real browser: sign in by its Authorize button, call a protected operation, see 200.

What only a browser shows: whether our Content-Security-Policy lets the page do its work.
"""

import asyncio
import base64
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Programs, Service
from tests.databases import Lender
from vibe4vets.core.embedded import EmbeddedPostgres

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SCREENSHOTS = Path(__file__).with_name("screenshots")
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
EMAIL, PASSWORD = "pat.smith@example.org", "seven otters mend the quiet bridge"
# a browser that asks nobody but the page's own server
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1300,1700",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the name that W3C WebDriver gives an element's id

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER), reason="needs chromium and chromedriver: apt-get install chromium-driver"
    ),
]


class Browser:
    """As much of a W3C WebDriver session as these tests use."""

    def __init__(self, driver: httpx.Client, capabilities: dict[str, Any]) -> None:
        self._driver = driver
        self._session = f"/session/{self._ask('POST', '/session', capabilities=capabilities)['sessionId']}"

    def _ask(self, method: str, path: str, **given: object) -> Any:
        answer = self._driver.request(method, path, json=given if method == "POST" else None)
        answer.raise_for_status()
        return answer.json()["value"]

    def open(self, url: str) -> None:
        self._ask("POST", f"{self._session}/url", url=url)

    def run(self, script: str) -> Any:
        """What a function with this body returns in the page."""
        return self._ask("POST", f"{self._session}/execute/sync", script=script, args=[])

    def find(self, xpath: str) -> str:
        """The first visible element, as soon as there is one."""
        deadline = time.monotonic() + 30  # against a hang only
        while True:
            found = self._ask("POST", f"{self._session}/elements", using="xpath", value=xpath)
            for element in found:
                path = f"{self._session}/element/{element[ELEMENT]}"
                if self._ask("GET", f"{path}/displayed"):
                    return path
            assert time.monotonic() < deadline, f"{xpath} does not appear: {self.run('return document.body.innerText')}"
            time.sleep(0.05)

    def click(self, xpath: str) -> None:
        self._ask("POST", f"{self.find(xpath)}/click")

    def type(self, xpath: str, text: str) -> None:
        self._ask("POST", f"{self.find(xpath)}/value", text=text)

    def text(self, xpath: str) -> str:
        return str(self._ask("GET", f"{self.find(xpath)}/text"))

    def complaints(self) -> list[str]:
        """What the browser has said against the page: refused loads, broken rules, failed scripts."""
        entries = self._ask("POST", f"{self._session}/se/log", type="browser")
        return [entry["message"] for entry in entries if entry["level"] in {"SEVERE", "WARNING"}]

    def screenshot(self, name: str) -> Path:
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        path.write_bytes(base64.b64decode(self._ask("GET", f"{self._session}/screenshot")))
        return path

    def quit(self) -> None:
        self._ask("DELETE", self._session)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A new headless Chromium with an empty profile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"binary": CHROMIUM, "args": [*OPTIONS, f"--user-data-dir={tmp_path / 'profile'}"]}
    wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    command = [str(CHROMEDRIVER), f"--port={port}", f"--log-path={tmp_path / 'driver.log'}"]
    with (
        subprocess.Popen(command, stdout=subprocess.DEVNULL) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=NO_TLS) as driver,
    ):
        try:
            _await(driver)
            browser = Browser(driver, {"alwaysMatch": wanted})
            yield browser
            browser.quit()
        finally:
            process.terminate()


def _await(driver: httpx.Client) -> None:
    for _ in range(600):
        try:
            if driver.get("/status").json()["value"]["ready"]:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    message = "chromedriver does not answer"
    raise AssertionError(message)


@pytest.fixture(scope="module")
async def service(
    server: EmbeddedPostgres, lender: Lender, programs_in: type[Programs], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """`serve` with one account, which an operator has made."""
    folder = tmp_path_factory.mktemp("browser")
    settings = {"DATABASE_URL": server.app_url(await lender.own()), "VIBE4VETS_DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "vibe4vets", "users", "create", EMAIL, "--role", "editor", "--password-stdin"]
    done = await asyncio.create_subprocess_exec(*command, cwd=folder, env=os.environ | settings, stdin=subprocess.PIPE)
    await done.communicate(PASSWORD.encode())
    with programs_in(folder) as programs:
        yield programs.serve(**settings)


def test_signing_in_and_calling_a_protected_operation(service: Service, browser: Browser) -> None:
    browser.open(f"{service.url}/docs")
    operation = "//div[@id='operations-accounts-get_me']"
    browser.click(f"{operation}//button[contains(@class,'opblock-summary-control')]")
    browser.click(f"{operation}//button[contains(@class,'execute')]")
    answers = f"{operation}//table[contains(@class,'live-responses-table')]//tbody"
    status = f"{answers}//td[contains(@class,'response-col_status')]"
    assert browser.text(status).split()[0] == "401"

    browser.click("//div[contains(@class,'auth-wrapper')]/button[contains(@class,'authorize')]")
    form = "//div[contains(@class,'auth-container')][.//input[@type='password']]"
    browser.type(f"{form}//input[@id='oauth_username' or @data-name='username' or @name='username']", EMAIL)
    browser.type(f"{form}//input[@type='password'][@id='oauth_password' or @name='password']", PASSWORD)
    browser.click(f"{form}//button[contains(@class,'authorize')]")
    browser.find("//div[contains(@class,'auth-container')]//button[text()='Logout']")
    browser.screenshot("authorized")
    browser.click("//button[contains(@class,'btn-done')]")

    assert [text for text in browser.complaints() if "401" not in text] == []
    browser.click(f"{operation}//button[contains(@class,'execute')]")
    wanted = f"{status}[contains(.,'200')]"
    assert browser.text(wanted).split()[0] == "200"
    assert EMAIL in browser.text(answers)
    browser.run("document.querySelector('.live-responses-table').scrollIntoView({block: 'center'})")
    shown = browser.screenshot("called")
    assert shown.stat().st_size > 20_000
    assert browser.complaints() == []


def test_redoc_shows_the_operations(service: Service, browser: Browser) -> None:
    browser.open(f"{service.url}/redoc")
    browser.find("//h2[contains(.,'Sign in')]|//h2[contains(.,'Search resources')]")
    browser.screenshot("redoc")
    assert browser.complaints() == []
