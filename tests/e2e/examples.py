"""The examples of a document, ```console blocks of `$ command` with what it prints below."""

import json
import os
import re
import socket
import subprocess

from conftest import KAIROS, REPOSITORY

SEPARATOR = "---- next ----"

Example = tuple[str, str]  # a command, and all the output printed below it


def texts(document, language) -> list[str]:
    """What stands in the blocks of the file DOCUMENT that are in LANGUAGE."""
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def blocks(document) -> list[list[Example]]:
    """The console blocks of the file DOCUMENT, with the commands in each."""
    return [
        [part.partition("\n")[::2] for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
        for block in texts(document, "console")
    ]


def serves(block: list[Example]) -> bool:
    return block[0][0].startswith("kairos serve")


def sessions(document) -> list[list[Example]]:
    """From each start of a server on, all blocks up to the one that ends it."""
    found, open_session = [], None
    for block in blocks(document):
        if serves(block):
            open_session = []
            found.append(open_session)
        if open_session is not None:
            open_session += block
        if any(command.startswith("kill %1") for command, _ in block):
            open_session = None
    assert open_session is None, f"{document}: a server is not ended"
    return found


def mask(text: str) -> str:
    """Leaves out what is another one at each run: durations, ids and the present."""
    text = re.sub(r"\d+\.\dms$", "…ms", text, flags=re.MULTILINE)
    text = re.sub(r'("(?:(?:uptime_)?seconds|monitoring_duration_ms)":\s*)[0-9.]+', r"\1…", text)
    text = re.sub(r"(?:\d+[dhms] )*\d+[dhms](?= ago)|(?<=\bin )(?:\d+[dhms] )*\d+[dhms]", "…", text)
    text = re.sub(r"(?<=\S) {2,}(?=\S)", "  ", text)  # columns are as wide as what stands in them
    text = re.sub(r"^(Date|X-Request-Id|ETag): .*", r"\1: …", text, flags=re.MULTILINE)
    return re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|(?<=@)\d+", "…", text)


def same(text: str, expected: str) -> bool:
    """Whether both say the same; JSON may be laid out in any way."""
    texts = mask(text).rstrip(), mask(expected).rstrip()
    if texts[0] == texts[1]:
        return True
    try:
        return json.loads(text_of_json(texts[0])) == json.loads(text_of_json(texts[1]))
    except ValueError:
        return False


def text_of_json(text: str) -> str:
    return text.replace(": …", ': "…"').replace('":…', '":"…"')


def shell(script: str, directory) -> str:
    """Runs SCRIPT as somebody would who has kairos on the PATH; returns all that it prints."""
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=directory,
        env={**os.environ, "PATH": f"{KAIROS.parent}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )  # fmt: skip
    return result.stdout


def run_session(session: list[Example], directory) -> list[str]:
    """Runs the commands in one shell, with the server on a port that is free; returns what each prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = f"\necho '{SEPARATOR}'\n".join(command for command, _ in session)
    script = script.replace("kairos serve", f"kairos serve --port {port}").replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    output = shell(script, directory).replace(f"127.0.0.1:{port}", "127.0.0.1:8000")
    return output.split(f"{SEPARATOR}\n")


def check_session(session: list[Example], directory):
    outputs = run_session(session, directory)
    assert len(outputs) == len(session)
    for (command, expected), output in zip(session, outputs, strict=True):
        assert same(output, expected), f"{command}\n{output}"
