"""`kairos exec`: the command runs as if it ran alone, and the server hears of it as far as it can."""

import os
import pty
import re
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ENVIRONMENT, MEASURE
from server import PATIENCE, Server, wait_until
from stub import HANG_UP, OK, SILENCE, Stub, nobody
from test_ping import FAILING, beats, put

PYTHON = [sys.executable, "-I", "-S", "-c"]


@pytest.fixture
def stub():
    with Stub() as stub:
        yield stub


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool"


class Run:
    """What became of a command: its streams are bytes."""

    def __init__(self, kairos, spool, url):
        self.kairos, self.spool, self.url = kairos, spool, url

    def words(self, command, options=()):
        words = [self.kairos.path, "exec", "--retry-for=0", *options, "job", "--", *command]
        return [str(word) for word in words]

    def environment(self, environment):
        if environment is None:
            environment = ENVIRONMENT
        return {**environment, "KAIROS_URL": self.url, "KAIROS_SPOOL": str(self.spool)}

    def __call__(self, *command, options=(), env=None, **popen):
        popen = {"capture_output": True, "timeout": PATIENCE, **popen}
        if "input" not in popen:
            popen.setdefault("stdin", subprocess.DEVNULL)
        result = subprocess.run(self.words(command, options), env=self.environment(env), **popen)
        assert not re.search(b"runtime error: |Sanitizer: ", result.stderr or b""), result.stderr
        return result

    def start(self, *command, options=(), env=None, **popen):
        popen = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **popen}
        return subprocess.Popen(
            self.words(command, options), env=self.environment(env), **popen
        )


@pytest.fixture
def run(kairos, spool, stub):
    return Run(kairos, spool, stub.url)


@pytest.fixture
def alone(kairos, spool):
    """Without a server."""
    return Run(kairos, spool, nobody())


def until(path):
    """A command that runs until there is a file PATH."""
    return f"while [ ! -e '{path}' ]; do sleep 0.01; done"


# What is told


@pytest.mark.parametrize("status", [0, 1, 2, 3, 99, 125, 126, 127, 128, 130, 255])
def test_exit_statuses(run, stub, status):
    result = run("sh", "-c", f"exit {status}")
    assert (result.returncode, result.stdout, result.stderr) == (status, b"", b"")
    assert stub.paths[-1] == ("POST /ping/job" if status == 0 else f"POST /ping/job/{status}")


def test_start_and_end(run, stub, tmp_path):
    with run.start("sh", "-c", f"{until(tmp_path / 'go')}; exit 3") as process:
        stub.heard("/ping/job/start")
        (tmp_path / "go").touch()
        assert process.wait(PATIENCE) == 3
    assert stub.paths == ["POST /ping/job/start", "POST /ping/job/3"]


def test_a_real_server(kairos, spool, tmp_path):
    with Server(tmp_path).ready() as server:
        run = Run(kairos, spool, f"http://127.0.0.1:{server.port}")
        with run.start("sh", "-c", until(tmp_path / "go")) as process:
            wait_until(
                lambda: server.get("/api/v1/services/job").status == 200
                and server.service("job")["running_since"],
                "the run is under way",
            )
            (tmp_path / "go").touch()
            assert process.wait(PATIENCE) == 0
        view = server.service("job")
        assert (view["status"], view["running_since"]) == ("up", None)
        assert run("false").returncode == 1
        assert server.service("job")["status"] == "down"


def test_the_output_is_sent(run, stub):
    result = run("sh", "-c", "echo one; exit 3")
    assert result.stdout == b"one\n"
    assert stub.requests[-1].body == b"one\n"
    assert stub.requests[-1].headers["Content-Type"] == "text/plain"


def test_the_last_of_it(run, stub):
    text = b"".join(b"%d\n" % number for number in range(100000))
    result = run("cat", input=text)
    assert result.stdout == text
    assert stub.requests[-1].body == text[-10000:]


def test_it_begins_with_a_character(run, stub):
    text = "é".encode() * 10000 + b"x"
    assert run("cat", input=text).stdout == text
    assert stub.requests[-1].body == text[-9999:]


def test_no_output(run, stub):
    result = run("sh", "-c", "echo one; echo two >&2", options=["--no-output"])
    assert (result.stdout, result.stderr) == (b"one\n", b"two\n")
    assert stub.requests[-1].body == b""


def test_the_order_of_options(run, kairos, stub):
    environment = run.environment(None)
    for words in (
        ["exec", "job", "--no-output", "--", "echo", "--no-output"],
        ["exec", "job", "echo", "--no-output"],
        ["exec", "--no-output", "job", "echo", "--no-output"],
        ["exec", "job", "--", "echo", "--no-output"],
    ):
        result = subprocess.run([kairos.path, *words], env=environment, capture_output=True)
        assert (result.returncode, result.stdout) == (0, b"--no-output\n"), words
    assert len([path for path in stub.paths if path == "POST /ping/job"]) == 4


# The command is as if it were alone


def test_streams_stay_apart(run, stub):
    result = run("sh", "-c", "echo out; echo err >&2")
    assert (result.stdout, result.stderr) == (b"out\n", b"err\n")
    assert sorted(stub.requests[-1].body.split()) == [b"err", b"out"]


def test_streams_to_one_place_keep_their_order(run, stub):
    script = "for i in $(seq 2000); do echo out $i; echo err $i >&2; done"
    result = run("sh", "-c", script, capture_output=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    expected = b"".join(b"out %d\nerr %d\n" % (number, number) for number in range(1, 2001))
    assert result.stdout == expected
    assert stub.requests[-1].body == expected[-10000:]


def test_binary_data(run, stub):
    data = os.urandom(3000000)
    assert run("cat", input=data).stdout == data
    data = bytes(range(256)) * 4
    run("cat", input=data)
    assert stub.requests[-1].body == data


def test_a_gigabyte(run, stub):
    """Of which nothing is lost, in constant memory."""
    size = 1024**3
    words = run.words(["head", "-c", size, "/dev/zero"])
    result = subprocess.run(
        ["sh", "-c", '"$@" | wc -c', "sh", sys.executable, "-I", "-S", "-c", MEASURE, *words],
        env=run.environment(None), capture_output=True, timeout=10 * PATIENCE, check=True,
    )  # fmt: skip
    assert int(result.stdout) == size
    assert int(result.stderr) < 96 * 1024, "kB"
    assert stub.requests[-1].body == bytes(10000)


def test_environment_and_folder(run, tmp_path):
    result = run("sh", "-c", 'echo "$WORD $PWD $1"', "sh", "a b", env={**ENVIRONMENT, "WORD": "here"}, cwd=tmp_path)
    assert result.stdout.decode() == f"here {tmp_path} a b\n"


def test_no_descriptors_of_ours(run):
    result = run("sh", "-c", "ls /proc/self/fd | wc -l")
    assert result.stdout == b"4\n", "0, 1, 2, and that of ls"


SIGNALS = "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status"


@pytest.mark.parametrize("ignored", [[], [signal.SIGPIPE], [signal.SIGHUP, signal.SIGXFSZ],
                                     [signal.SIGINT, signal.SIGQUIT]])  # fmt: skip
@pytest.mark.parametrize("blocked", [[], [signal.SIGUSR1, signal.SIGTERM]])
def test_dispositions_of_signals(run, ignored, blocked):
    """The command finds ignored and blocked what the caller has ignored and blocked."""

    def prepare():
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    command = ["sh", "-c", SIGNALS]
    bare = subprocess.run(command, capture_output=True, preexec_fn=prepare, env=ENVIRONMENT)
    assert run(*command, preexec_fn=prepare).stdout == bare.stdout != b""


@pytest.mark.parametrize(
    "word, status", [("/nonexistent/x", 127), ("no-such-command-at-all", 127), ("/etc/passwd", 126),
                     ("/", 126), ("/etc/passwd/x", 126), ("", 127)],
)  # fmt: skip
def test_a_command_that_cannot_run(run, stub, word, status):
    result = run(word, "x")
    assert result.returncode == status
    assert result.stderr.decode().startswith(f"kairos: cannot run '{word}': ")
    assert stub.paths == [f"POST /ping/job/{status}"]
    assert stub.requests[0].body.decode().startswith(f"cannot run '{word}': ")


def test_a_script_without_an_interpreter(run, tmp_path):
    """As by execvp, and so by env, nohup and every shell."""
    script = tmp_path / "script"
    script.write_text('echo "$0 $1"\n')
    script.chmod(0o755)
    assert run(script, "x").stdout.decode() == f"{script} x\n"


# How it ends


@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "ABRT", "PIPE", "HUP", "INT", "USR1"])
def test_death_by_a_signal(run, stub, name):
    number = signal.Signals[f"SIG{name}"]
    result = run("sh", "-c", f"echo out; kill -{name} $$", cwd=run.spool.parent)
    assert (result.returncode, result.stdout) == (-number, b"out\n")
    assert stub.paths[-1] == f"POST /ping/job/{128 + number}"
    assert stub.requests[-1].body == b"out\n"


CATCH = """
import signal, sys
number = getattr(signal, sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, [number])
print("ready", flush=True)
signal.sigwait([number])
print("caught", flush=True)
sys.exit(7)
"""


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "WINCH"])
def test_signals_are_passed_on(run, stub, name):
    with run.start(*PYTHON, CATCH, f"SIG{name}") as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(getattr(signal, f"SIG{name}"))
        assert process.stdout.read() == b"caught\n"
        assert process.wait(PATIENCE) == 7
    assert stub.paths[-1] == "POST /ping/job/7"


def test_a_signal_that_kills(run, stub):
    with run.start("sh", "-c", "echo ready; exec sleep 300") as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    assert stub.paths[-1] == f"POST /ping/job/{128 + signal.SIGTERM}"


def is_zombie(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_signal_to_all_at_once(run, stub):
    """The one that ends the command is not taken for one that would end the passing on of its output."""
    with run.start("sh", "-c", "trap 'seq 10000; exit 3' INT; echo $$; while :; do sleep 0.01; done",
                   start_new_session=True) as process:  # fmt: skip
        command = int(process.stdout.readline())
        process.send_signal(signal.SIGSTOP)
        os.killpg(process.pid, signal.SIGINT)
        wait_until(lambda: is_zombie(command), "the command has ended")
        process.send_signal(signal.SIGCONT)
        output = process.stdout.read()
        assert process.wait(PATIENCE) == 3
    assert output.splitlines() == [b"%d" % number for number in range(1, 10001)]
    assert stub.requests[-1].body == (b"%d\n" % command + output)[-10000:]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def test_somebody_keeps_the_output_open(run, stub):
    result = run("sh", "-c", "sleep 300 & echo $!; exit 3")
    try:
        assert result.returncode == 3
        assert stub.requests[-1].body == result.stdout
    finally:
        kill(int(result.stdout))


def test_somebody_keeps_writing(run, stub):
    result = run("sh", "-c", "yes & echo $! >&2; exit 3", capture_output=False,
                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip
    try:
        assert result.returncode == 3
        assert stub.paths[-1] == "POST /ping/job/3"
    finally:
        kill(int(result.stderr.split()[0]))


def test_what_a_grandchild_writes_soon_after(run):
    """Is passed on as well: the end of the command is not the end of the pipe."""
    result = run("sh", "-c", "exec 3<&0; cat <&3 & exec true", input=b"late\n" * 1000)
    assert result.stdout == b"late\n" * 1000


def test_nobody_reads_any_more(run, stub):
    """The command learns of it as it would without us."""
    with run.start("yes", bufsize=0) as process:
        assert process.stdout.read(2) == b"y\n"
        process.stdout.close()
        assert process.wait(PATIENCE) == -signal.SIGPIPE
    assert stub.paths[-1] == f"POST /ping/job/{128 + signal.SIGPIPE}"


def test_a_reader_that_is_slow(run, stub):
    """What was written when the command ended arrives, however long that takes."""
    size = 700000
    with run.start("head", "-c", size, "/dev/zero", bufsize=0) as process:
        wait_until(lambda: not children(process.pid), "the command has ended")
        received = 0
        while piece := process.stdout.read(4096):
            received += len(piece)
        assert process.wait(PATIENCE) == 0
    assert received == size


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_full_disk_does_not_end_the_command(run, stub):
    with open("/dev/full", "wb") as full:
        result = run("sh", "-c", "for i in 1 2 3; do echo $i; done; exit 3", capture_output=False,
                     stdout=full, stderr=subprocess.PIPE)  # fmt: skip
    assert result.returncode == 3
    assert result.stderr.count(b"kairos: cannot write standard output: No space left") == 1
    assert stub.requests[-1].body == b"1\n2\n3\n"


# A terminal


class Terminal:
    """A command in front of a terminal of its own."""

    def __init__(self, words, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(words[0], words, environment)
        self.seen = b""

    def read_until(self, pattern):
        while not re.search(pattern, self.seen):
            ready, _, _ = select.select([self.fd], [], [], PATIENCE)
            assert ready, self.seen
            try:
                self.seen += os.read(self.fd, 4096)
            except OSError:
                break
        assert re.search(pattern, self.seen), self.seen

    def close(self):
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_a_terminal_is_the_commands(run, stub):
    terminal = Terminal(
        run.words(["sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo yes"]),
        run.environment(None),
    )
    terminal.read_until(b"yes\r\n")
    assert terminal.close() == 0
    assert stub.requests[-1].body == b""


COUNT = """
import os, signal
count = 0
def catch(*_):
    global count
    count += 1
    os.write(1, b"caught\\n")
signal.signal(signal.SIGINT, catch)
print("ready", flush=True)
input()
print("count", count, flush=True)
"""


def test_an_interrupt_from_the_terminal_comes_once(run, stub):
    terminal = Terminal(run.words([*PYTHON, COUNT]), run.environment(None))
    terminal.read_until(b"ready")
    os.write(terminal.fd, b"\x03")
    terminal.read_until(b"caught")
    os.write(terminal.fd, b"\n")
    terminal.read_until(rb"count \d+")
    assert b"count 1" in terminal.seen
    assert terminal.close() == 0


# The server


ANSWERS = {**FAILING, "refused": (403, {"detail": "no"}), "header bomb": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200000}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_whatever_the_server_does(kairos, stub, spool, answer):
    stub.answer = answer
    run = Run(kairos, spool, stub.url if answer is not None else nobody())
    result = run("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (result.returncode, result.stdout) == (3, b"out\n")
    lines = result.stderr.decode().splitlines()
    assert "err" in lines and all(line == "err" or line.startswith("kairos: ") for line in lines)
    kept = beats(spool)
    assert len(kept) == (0 if answer == ANSWERS["refused"] else 1)
    for beat in kept:
        assert (beat["service"], beat["exit_status"], beat["url"]) == ("job", 3, run.url)
        assert sorted(beat["output"].split()) == ["err", "out"]


def test_the_command_does_not_wait_for_the_server(run, stub, tmp_path):
    """It has done its work while the server has not yet said a word to the start."""
    stub.answers = [SILENCE]
    with run.start("sh", "-c", f"touch '{tmp_path}/done'; {until(tmp_path / 'go')}",
                   stderr=subprocess.DEVNULL) as process:  # fmt: skip
        stub.heard("/ping/job/start")
        wait_until((tmp_path / "done").exists, "the command has run")
        (tmp_path / "go").touch()
        assert process.wait(PATIENCE) == 0
    assert stub.paths == ["POST /ping/job/start", "POST /ping/job"]


def test_the_server_comes_back(kairos, spool, tmp_path):
    path = tmp_path / "kairos.sock"
    run = Run(kairos, spool, f"unix:{path}")
    with run.start("sh", "-c", until(tmp_path / "go"), stderr=subprocess.PIPE) as process:
        assert b"/ping/job/start" in process.stderr.readline()
        with Stub(path=path) as stub:
            (tmp_path / "go").touch()
            assert process.wait(PATIENCE) == 0
            assert stub.paths == ["POST /ping/job"]
    assert beats(spool) == []


def test_a_server_that_starts_slowly(kairos, spool, stub):
    run = Run(kairos, spool, stub.url)
    stub.answer = lambda request: (503, b"") if len(stub.requests) < 5 else (200, b"OK")
    result = run("true", options=["--retry-for=1m"])
    assert result.returncode == 0 and beats(spool) == []


def test_kept_and_delivered(alone, kairos, stub, spool):
    """Successes by their time, and only the newest fail."""
    for status in (0, 3, 0, 4):
        assert alone("sh", "-c", f"exit {status}").returncode == status
    kept = beats(spool)
    assert [beat.get("exit_status") for beat in kept] == [None, 3, None, 4]
    for file in spool.iterdir():
        file.write_text(file.read_text().replace(alone.url, stub.url).replace('"job"', '"old"'))
    result = Run(kairos, spool, stub.url)("true")
    assert (result.returncode, result.stderr) == (0, b"")
    assert beats(spool) == []
    [batch] = [request for request in stub.requests if request.path == "/api/v1/heartbeats"]
    assert [event["timestamp"] for event in batch.json] == [kept[0]["time"], kept[2]["time"]]
    assert [path for path in stub.paths if "old" in path] == [
        "GET /api/v1/services/old", "POST /ping/old/4",
    ]  # fmt: skip


def test_the_spool_comes_before_the_start(run, stub, spool, tmp_path):
    put(spool, "job", 0, stub.url)
    with run.start("sh", "-c", until(tmp_path / "go")) as process:
        stub.heard("/ping/job/start")
        (tmp_path / "go").touch()
        assert process.wait(PATIENCE) == 0
    assert stub.paths == ["POST /api/v1/heartbeats", "POST /ping/job/start", "POST /ping/job"]


def test_the_end_does_not_wait_for_the_spool(run, stub, spool):
    """A server that hangs over the spool: the run has ended before its start was told."""
    put(spool, "other", 0, stub.url)
    stub.answer = lambda request: SILENCE if request.path == "/api/v1/heartbeats" else (200, b"OK")
    assert run("sh", "-c", "exit 3").returncode == 3
    assert "POST /ping/job/3" in stub.paths and "POST /ping/job/start" not in stub.paths
    assert len(beats(spool)) == 1


def test_a_fail_of_the_spool_does_not_come_behind_the_end(run, stub, spool, tmp_path):
    """The run succeeds while it is asked whether an earlier fail still is the newest of the service."""
    put(spool, "job", 0, stub.url, exit_status=3)

    def answer(request):
        if request.method != "GET":
            return OK
        if stub.paths.count("GET /api/v1/services/job") > 1:
            return 200, {"service": "job", "last_seen": "2025-08-04T10:00:01Z"}
        stub.heard("/ping/job")
        return 404, {"detail": "there is no such service"}

    stub.answer = answer
    with run.start("sh", "-c", until(tmp_path / "go")) as process:
        stub.heard("/api/v1/services/job")
        (tmp_path / "go").touch()
        assert process.wait(PATIENCE) == 0
    assert "POST /ping/job" in stub.paths and "POST /ping/job/3" not in stub.paths


def test_several_at_once(alone, spool):
    processes = [alone.start("sh", "-c", f"exit {number}", stderr=subprocess.DEVNULL) for number in range(1, 25)]
    for number, process in enumerate(processes, 1):
        assert process.wait(PATIENCE) == number
        process.stdout.close()
    assert sorted(beat["exit_status"] for beat in beats(spool)) == list(range(1, 25))


def test_a_signal_while_it_is_told(run, stub, spool):
    """What cannot be told is kept; the command's exit status stays."""
    stub.answer = lambda request: (200, b"OK") if "start" in request.path else (503, b"")
    with run.start("sh", "-c", "exit 3", options=["--retry-for=1d"], stderr=subprocess.PIPE) as process:
        stub.heard("/ping/job/3")
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert stderr.endswith(b"to be sent later\n")
    assert len(beats(spool)) == 1


def test_a_spool_that_cannot_be_written(kairos):
    run = Run(kairos, "/proc/kairos/spool", nobody())
    result = run("sh", "-c", "echo out; exit 3")
    assert (result.returncode, result.stdout) == (3, b"out\n")
    assert b"; and lost: cannot write to the spool /proc/kairos/spool: " in result.stderr


def test_a_wrong_address_in_the_environment(kairos, spool):
    """A typing error there is no reason not to make a backup."""
    run = Run(kairos, spool, "localhost:8000")
    result = run("sh", "-c", "echo out; exit 3")
    assert (result.returncode, result.stdout) == (3, b"out\n")
    assert result.stderr.startswith(b"kairos: KAIROS_URL: 'localhost:8000' is no address")
    assert result.stderr.count(b"\n") == 1 and beats(spool) == []


def test_the_command_line_mends_it(kairos, spool, stub):
    run = Run(kairos, spool, "localhost:8000")
    result = run("sh", "-c", 'echo "$KAIROS_URL"', options=[f"--url={stub.url}"])
    assert (result.returncode, result.stdout, result.stderr) == (0, b"localhost:8000\n", b"")
    assert stub.paths[-1] == "POST /ping/job"


def test_as_cron_runs_it(kairos, stub):
    """No home, no terminal, no language, nothing to read from."""
    result = subprocess.run(
        [kairos.path, "exec", "job", "--url", stub.url, "--", "sh", "-c", "cat; echo out"],
        env={"PATH": os.environ["PATH"]}, cwd="/", capture_output=True, timeout=PATIENCE,
        preexec_fn=lambda: os.close(0), stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (0, b"out\n")
    assert b"out\n" in stub.requests[-1].body


@pytest.mark.parametrize("closed", [[1], [2], [0, 1, 2]], ids=str)
def test_closed_streams(run, stub, closed):
    def close():
        for fd in closed:
            os.close(fd)

    result = run("sh", "-c", "exit 3", capture_output=False, preexec_fn=close)
    assert result.returncode == 3
    assert stub.paths[-1] == "POST /ping/job/3"


def test_few_descriptors(run):
    """Without pipes the output is the command's, and is not sent."""

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (7, 7))

    result = run("sh", "-c", "echo out; exit 3", preexec_fn=limit)
    assert (result.returncode, result.stdout) == (3, b"out\n")
    assert b"kairos: cannot make a pipe: Too many open files\n" in result.stderr


# Wrong usage


REFUSED = [
    [], ["job"], ["job", "--"], ["--", "job"], ["a b", "--", "true"], ["job", "--url=x", "--", "true"],
    ["job", "--nonsense", "--", "true"], ["--retry-for=x", "job", "--", "true"],
]  # fmt: skip


@pytest.mark.parametrize("options", REFUSED, ids=" ".join)
def test_refused(kairos, options):
    result = kairos.run("exec", *options)
    assert (result.returncode, result.stdout) == (125, "")
    message, hint = result.stderr.splitlines()
    assert message.startswith("kairos exec: ") and message.isprintable()
    assert hint.startswith("Try `kairos exec --help'")


def test_help(kairos):
    result = kairos.run("exec", "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: kairos exec [OPTION...] SERVICE -- COMMAND [ARGUMENT...]\n")
