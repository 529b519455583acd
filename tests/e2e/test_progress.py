"""On a terminal, work that takes longer than a second shows how far it is."""

import os
import pty
import re
import select
import subprocess

EVENT = b'{"service": "push", "timestamp": "2025-08-04T10:00:00Z"}\n'
PATIENCE = 60  # seconds until a line that does not come counts as missing


def read_until(terminal, pattern):
    """What the program writes to TERMINAL, up to a match of PATTERN or its end."""
    seen = b""
    while not re.search(pattern, seen):
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        assert ready, seen
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the program has ended, and with it the terminal
            break
    return seen


def start(kairos, *options):
    """The program with its log from a pipe and its stderr on a terminal of ours."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [kairos.path, "--file=-", "--json", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    return process, ours


def test_progress_on_a_terminal(kairos):
    process, terminal = start(kairos)
    with process:
        process.stdin.write(EVENT * 2)
        process.stdin.flush()
        seen = read_until(terminal, rb"MB/s")
        process.stdin.write(EVENT)
        output, _ = process.communicate()
        seen += read_until(terminal, rb"\x1b\[K$")
    os.close(terminal)
    assert process.returncode == 0 and output == b"[]\n"
    assert re.search(rb"\r\x1b\[K0\.0 MB, 0\.0 million events, \d+ MB/s", seen)
    assert seen.endswith(b"\r\x1b[K"), "the line is taken away at the end"


def test_none_for_quick_work(kairos):
    process, terminal = start(kairos)
    with process:
        process.communicate(EVENT)
        assert process.returncode == 0
    assert read_until(terminal, rb".") == b""
    os.close(terminal)
