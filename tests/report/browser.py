"""A headless browser over the WebDriver protocol, spoken plainly: enough to look at a page and to use it."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = """--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars
--disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage"""


class Browser:
    """One session. `run` executes a function body in the page, beside the page's own policy."""

    def __init__(self, home: Path) -> None:
        assert CHROMIUM is not None
        assert DRIVER is not None
        self._driver = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True)
        assert self._driver.stdout is not None
        said = next(line for line in self._driver.stdout if "successfully on port" in line)
        self._port = int(said.rsplit(" ", 1)[1].strip(" .\n"))
        options = {"binary": CHROMIUM, "args": [*FLAGS.split(), f"--user-data-dir={home}"]}
        wanted = {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "unhandledPromptBehavior": "ignore",
        }
        self._session = ""
        try:
            made = self._ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        except Exception:
            self._end()
            raise
        self._session = "/" + made["sessionId"]

    def _ask(self, verb: str, path: str, body: Any = None) -> Any:
        link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        text = None if body is None else json.dumps(body)
        link.request(verb, f"/session{self._session}{path}", text, {"Content-Type": "application/json"})
        answer = json.loads(link.getresponse().read())["value"]
        link.close()
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(answer["message"])
        return answer

    def see(self, width: int, *, dark: bool = False) -> None:
        """Set the size of the window and the colour scheme."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
        self.devtools("Emulation.setDeviceMetricsOverride", size)

    def open(self, page: Path) -> None:
        """Load a file and wait for it."""
        self._ask("POST", "/url", {"url": page.as_uri()})

    def run(self, body: str, *args: Any) -> Any:
        """What a function of this body returns in the page."""
        return self._ask("POST", "/execute/sync", {"script": body, "args": list(args)})

    def press(self, keys: str) -> None:
        """Type into what has the focus."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": strokes}]})

    def hover(self, x: float, y: float) -> None:
        """Move the pointer to a place of the window."""
        move = {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)}
        self._ask("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [move]}]})

    def devtools(self, command: str, options: dict[str, Any]) -> Any:
        """One command of the developer tools."""
        return self._ask("POST", "/goog/cdp/execute", {"cmd": command, "params": options})

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What was logged since this was asked last: 'browser' or 'performance'."""
        found: list[dict[str, Any]] = self._ask("POST", "/se/log", {"type": kind})
        return found

    def picture(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self._ask("GET", "/screenshot"))

    def close(self) -> None:
        """End the session and the driver."""
        self._ask("DELETE", "")
        self._end()

    def _end(self) -> None:
        self._driver.terminate()
        self._driver.wait(20)
        assert self._driver.stdout is not None
        self._driver.stdout.close()
