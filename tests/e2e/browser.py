"""A real browser without a window, driven over a pipe (Chrome DevTools Protocol)."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

PATIENCE = 30  # seconds; a page that takes longer hangs

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class Browser:
    """One page. `requests` are the addresses that it asked for, `complaints` what it logged."""

    def __init__(self, folder):
        command = [shutil.which("chromium"), *FLAGS, f"--user-data-dir={folder}/profile"]
        commands, self.to_browser = os.pipe()
        self.from_browser, answers = os.pipe()

        def place():
            os.dup2(os.dup(commands), 103)
            os.dup2(os.dup(answers), 104)
            os.dup2(103, 3)
            os.dup2(104, 4)

        with open(Path(folder) / "browser.log", "wb") as log:
            self.process = subprocess.Popen(
                command, preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)},
            )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self.received, self.number, self.session = b"", 0, None
        self.requests, self.complaints = [], []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Network", "Log", "Runtime", "Page"):
            self.ask(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)

    def ask(self, method, **parameters):
        """Sends one command and waits for its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while (answer := self.receive(end)).get("id") != self.number:
            self.note(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def receive(self, end):
        while b"\0" not in self.received:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.from_browser], [], [], left)[0], "it hangs"
            received = os.read(self.from_browser, 1 << 20)
            assert received, "the browser has ended"
            self.received += received
        message, self.received = self.received.split(b"\0", 1)
        return json.loads(message)

    def note(self, event):
        parameters = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif event.get("method") == "Log.entryAdded":
            self.complaints.append(parameters["entry"])
        elif event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.complaints.append(parameters)

    def open(self, url, width=1280, height=900):
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.ask("Page.navigate", url=url)

    def evaluate(self, expression):
        """The value of a JavaScript expression; promises are waited for."""
        result = self.ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, expression):
        """Looks until the expression is true, and returns what it gives."""
        end = time.monotonic() + PATIENCE
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)
        return value

    def picture(self, path):
        """Saves what the page looks like, for whoever wants to see it."""
        taken = self.ask("Page.captureScreenshot", captureBeyondViewport=False)
        Path(path).write_bytes(base64.b64decode(taken["data"]))
