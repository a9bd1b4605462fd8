"""Headless Chromium driven over its own debugging protocol: enough to look at a page and to press its buttons."""

import base64
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect


class Tab:
    def __init__(self, line: ClientConnection) -> None:
        self._line, self._number = line, 0
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        self._line.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            told = json.loads(self._line.recv(60))
            if told.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(told["params"])[:500])
            if told.get("id") == self._number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    def js(self, expression: str) -> Any:
        told = self.do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def open(self, url: str) -> None:
        self.do("Page.navigate", url=url)
        self.until(f"location.href.startsWith('{url.partition('#')[0]}') && document.readyState === 'complete'")

    def until(self, expression: str, within_s: float = 20.0) -> None:
        begun = time.monotonic()
        while not self.js(expression):
            there = self.js("document.body && document.body.innerText")
            assert time.monotonic() - begun < within_s, (expression, there, self.complaints)
            time.sleep(0.05)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        told = self.do("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(told["data"]))


@contextmanager
def tab(chromium: str, profile: Path, width: int = 1280, height: int = 900, *, phone: bool = False) -> Iterator[Tab]:
    browser = subprocess.Popen(
        [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
         "--remote-allow-origins=*", f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert browser.stderr is not None
        where = next(line for line in browser.stderr if "DevTools listening" in line).split("/")[2]
        with urllib.request.urlopen(f"http://{where}/json", timeout=20) as answer:
            page = next(one for one in json.load(answer) if one["type"] == "page")
        with connect(page["webSocketDebuggerUrl"], max_size=None, proxy=None) as line:
            made = Tab(line)
            made.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
            yield made
    finally:
        browser.terminate()
        browser.communicate()
