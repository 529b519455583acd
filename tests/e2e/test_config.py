"""The configuration: the file, the environment and the command line, and what is said of mistakes."""

import os
import re

import pytest

from conftest import ENVIRONMENT, KAIROS, REPOSITORY, run
from server import Server

DOCS = REPOSITORY / "docs"
SECRET = "hunter2-and-more"


def check_config(folder, text, name="kairos.yaml"):
    """What check-config says of a file with TEXT (bytes too): exit status and lines."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = run([KAIROS, "check-config", name], b"", cwd=folder)
    assert result.stderr == ""
    return result.returncode, result.stdout.splitlines()


def printed(option):
    return run([KAIROS, "check-config", option], b"").stdout


# The documents are made of the table


def test_sample_is_up_to_date():
    assert printed("--print-sample") == (DOCS / "kairos.yaml").read_text(), "scripts/describe-config"


def test_reference_is_up_to_date():
    page = (DOCS / "CONFIGURATION.md").read_text()
    between = page.split("<!-- keys -->\n")[1].split("<!-- end of keys -->\n")[0]
    assert printed("--print-reference") == between, "scripts/describe-config"


def test_manual_is_up_to_date():
    page = (DOCS / "man/kairos.yaml.5").read_text()
    between = page.split(".SH KEYS\n")[1].split(".SH SERVICES\n")[0]
    assert printed("--print-manual") == between, "scripts/describe-config"


def sample_keys():
    return re.findall(r"^#(\w+):", printed("--print-sample"), re.MULTILINE)


def test_every_key_is_in_all_documents():
    keys = sample_keys()
    assert len(keys) > 20 and keys[-1] == "services"
    help_page = run([KAIROS, "serve", "--help"], b"").stdout
    manual = (DOCS / "man/kairos-serve.1").read_text().replace("\\-", "-")
    for key in keys[:-1]:
        option = "--" + key.replace("_", "-")
        assert option in help_page
        assert option in manual, f"{option} is missing in kairos-serve.1"


def uncommented():
    return re.sub(r"^#(\w+:|  )", r"\1", printed("--print-sample"), flags=re.MULTILINE)


def test_sample_is_valid(tmp_path):
    assert check_config(tmp_path, printed("--print-sample")) == (
        0, ["kairos.yaml: all is well; services: 0"],
    )  # fmt: skip
    with_examples = re.sub(r"^(tls_|unix_socket:|log_file:|data_dir:).*\n", "", uncommented(),
                           flags=re.MULTILINE)  # fmt: skip
    assert check_config(tmp_path, with_examples) == (
        0, ["kairos.yaml: all is well; services: 2"],
    )  # fmt: skip


def yaml_blocks(path):
    return re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


def test_examples_of_the_documents_are_valid(tmp_path):
    manual = (DOCS / "man/kairos.yaml.5").read_text().replace("\\-", "-")
    examples = [*yaml_blocks(DOCS / "CONFIGURATION.md"), *re.findall(r"(?s)\.EX\n(.*?)\.EE", manual)]
    assert len(examples) == 2
    for text in examples:
        assert check_config(tmp_path, text)[0] == 0


# Which source counts


def policy(server):
    server.get("/ping/a")
    return server.service("a")


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "kairos.yaml"
    path.write_text("interval: 100\nallowed_misses: 7\ntolerance: 1s\nlog_format: json\n")
    return path


def test_file_alone(tmp_path, config):
    with Server(tmp_path, "--config", config) as server:
        server.ready()
        view = policy(server)
        assert (view["interval"], view["allowed_misses"], view["tolerance"]) == (100, 7, 1)
        assert server.log.startswith("{")


def test_precedence(tmp_path, config):
    env = {**ENVIRONMENT, "KAIROS_CONFIG": str(config), "KAIROS_ALLOWED_MISSES": "8",
           "KAIROS_TOLERANCE": "2s", "KAIROS_LOG_FORMAT": ""}  # fmt: skip
    with Server(tmp_path, "--tolerance", "3s", env=env) as server:
        server.ready()
        view = policy(server)
        assert (view["interval"], view["allowed_misses"], view["tolerance"]) == (100, 8, 3)
        assert server.log.startswith("{"), "an empty variable is none"


def test_option_is_stronger_than_the_variable_that_names_the_file(tmp_path, config):
    other = tmp_path / "other.yaml"
    other.write_text("interval: 200\n")
    env = {**ENVIRONMENT, "KAIROS_CONFIG": str(config)}
    with Server(tmp_path, "--config", other, env=env) as server:
        server.ready()
        assert policy(server)["interval"] == 200


def test_a_bad_value_is_refused_even_if_a_stronger_one_counts(tmp_path):
    path = tmp_path / "kairos.yaml"
    path.write_text("port: x\n")
    result = serve(tmp_path, "--config", path, "--port", "0")
    assert result.returncode == 1
    assert result.stderr == f"kairos: {path}:1: port: 'x' is not a whole number from 0 to 65535\n"


def serve(folder, *options, **variables):
    command = [KAIROS, "serve", "--data-dir", folder / "data", *map(str, options)]
    return run(command, b"", env={**ENVIRONMENT, **variables}, cwd=folder)


def test_exit_status_says_whose_mistake_it_is(tmp_path):
    assert serve(tmp_path, KAIROS_PORT="x").returncode == 1
    assert serve(tmp_path, "--port", "x").returncode == 2
    assert serve(tmp_path, "--config", "nowhere.yaml").returncode == 1
    assert serve(tmp_path, KAIROS_HOST="0.0.0.0").stderr.startswith("kairos: KAIROS_HOST: others")
    assert not (tmp_path / "data").exists()


def test_all_problems_are_told(tmp_path):
    path = tmp_path / "kairos.yaml"
    path.write_text("port: -1\nhots: a\n")
    result = serve(tmp_path, "--config", path.name, KAIROS_THREADS="0", KAIROS_LOG_LEVEL="loud")
    assert result.stderr.splitlines() == [
        "kairos: kairos.yaml:1: port: '-1' is not a whole number from 0 to 65535",
        "kairos: kairos.yaml:2: hots: there is no such key; did you mean host?",
        "kairos: KAIROS_THREADS: '0' is not a whole number from 1 to 256",
        "kairos: KAIROS_LOG_LEVEL: 'loud' is none of DEBUG, INFO, WARNING, ERROR",
    ]


# Values in files of their own


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_value_from_a_file(tmp_path, end):
    (tmp_path / "value").write_bytes(b"90s" + end.encode())
    env = {**ENVIRONMENT, "KAIROS_INTERVAL_FILE": str(tmp_path / "value")}
    with Server(tmp_path, env=env) as server:
        server.ready()
        assert policy(server)["interval"] == 90


def test_such_a_value_is_shown_to_nobody(tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    for key in ("PORT", "INTERVAL", "AUTO_CREATE", "UNIX_SOCKET_MODE", "LOG_LEVEL", "LOG_FORMAT"):
        variable = f"KAIROS_{key}_FILE"
        result = serve(tmp_path, **{variable: "secret"})
        assert result.returncode == 1
        assert result.stderr.startswith(f"kairos: {variable}: the value is ")
        assert SECRET not in result.stderr + result.stdout
    for key in ("UNIX_SOCKET", "LOG_FILE", "DATA_DIR", "TLS_CERT", "HOST"):
        text = str(tmp_path / "secret")
        assert SECRET not in serve(tmp_path, "--threads=0", **{f"KAIROS_{key}_FILE": text}).stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"6\x000", "there is a NUL in the file"),
        (b"6" * 70000, "it has more than 65536 bytes"),
        (b"", "is not a whole number"),
    ],
)
def test_file_of_a_value_that_does_not_do(tmp_path, content, message):
    if content is not None:
        (tmp_path / "value").write_bytes(content)
    result = serve(tmp_path, KAIROS_PORT_FILE="value")
    assert result.returncode == 1
    assert result.stderr.startswith("kairos: KAIROS_PORT_FILE: ") and message in result.stderr


def test_value_and_file_do_not_go_together(tmp_path):
    (tmp_path / "value").write_text("0")
    result = serve(tmp_path, KAIROS_PORT="0", KAIROS_PORT_FILE="value")
    assert result.returncode == 1
    assert "KAIROS_PORT and KAIROS_PORT_FILE" in result.stderr


def test_unknown_variables(tmp_path):
    env = {**ENVIRONMENT, "KAIROS_PROT": "1", "KAIROS_INTERVALL_FILE": "x", "KAIROS_URL": "http://x",
           "KAIROS_PORT": "tcp://10.0.0.1:8000", "KAIROS_PORT_8000_TCP": "tcp://10.0.0.1:8000",
           "KAIROS_SERVICE_HOST": "10.0.0.1", "KAIROS_PORT_FILE": "", "KAIROS_QUITE_OTHER": SECRET}  # fmt: skip
    with Server(tmp_path, env=env) as server:
        server.ready()
        found = {line["name"].strip('"'): line.get("nearest") for line in server.lines("unknown_variable")}
        assert found == {
            "KAIROS_PROT": "KAIROS_PORT",
            "KAIROS_INTERVALL_FILE": "KAIROS_INTERVAL",
            "KAIROS_QUITE_OTHER": None,
        }
        assert SECRET not in server.log


# What check-config says

MESSAGES = [
    ("port: 65536", "1: port: '65536' is not a whole number from 0 to 65535"),
    ("port: 1.5", "1: port: '1.5' is not a whole number from 0 to 65535"),
    ("port: [1]", "1: port: it takes one value, not a list"),
    ("port: {a: 1}", "1: port: it takes a value, not keys of its own"),
    ("port:", "1: port: there is no value; leave the line out for the default"),
    ("\n\nprot: 1", "3: prot: there is no such key; did you mean port?"),
    ("max-services: 1", "1: max-services: there is no such key; did you mean max_services?"),
    ("blub: 1", "1: blub: there is no such key; `kairos check-config --print-sample` shows them all"),
    ("port: 1\nport: 2", "2: column 1: the key 'port' stands twice, here and in line 1"),
    ("interval: 0", "1: interval: '0' is out of range; it may be 1s to 366d"),
    ("interval: soon", "1: interval: 'soon' is not a duration; write whole seconds or a unit, as in "
     "90s, 5m, 1h, 1d, 250ms"),
    ("auto_create: yes", "1: auto_create: 'yes' is neither on nor off"),
    ("log_format: xml", "1: log_format: 'xml' is neither text nor json"),
    ("unix_socket_mode: 668", "1: unix_socket_mode: '668' is no octal number from 0 to 777"),
    ('data_dir: ""', "1: data_dir: the path is too short; it may have 1 to 4095 bytes"),
    ('data_dir: "a\\0b"', "1: data_dir: there is a NUL in it"),
    ("host: 0.0.0.0", "1: host: others than this machine can connect to 0.0.0.0, and nobody is asked "
     "who he is; add --insecure-no-auth (in the file: insecure_no_auth: on) if that is wanted"),
    ("host: none", "1: host: with none there has to be a --unix-socket"),
    ("tls_key: k.pem", "1: tls_key: --tls-cert and --tls-key go together"),
    ("unix_socket: /nowhere/at/all", "1: unix_socket: nothing can be made at /nowhere/at/all: No such "
     "file or directory"),
    ("log_file: kairos.yaml/log", "1: log_file: nothing can be made at kairos.yaml/log: Not a directory"),
    ("trusted_proxies: [[1]]", "1: trusted_proxies: each of its items has to be one value"),
    ('trusted_proxies: ["::1,"]', "1: trusted_proxies: an item cannot have a comma in it"),
    ("5", "1: there have to be keys and values, such as port: 8000"),
    ("- port: 1", "1: there have to be keys and values, such as port: 8000"),
    ("services: 1", "1: services: it has to be a list of entries"),
    ("services: [a]", "1: services: an entry has keys, such as service: NAME and interval: 60"),
    ("services:\n- interval: 5", "2: services: an entry has either service: NAME or pattern: GLOB"),
    ("services: [{service: a, pattern: b}]", "1: services: an entry has either service: NAME or "
     "pattern: GLOB"),
    ("services: [{service: a b}]", "1: services: service: a name has 1 to 100 characters of a-z 0-9 _ -"),
    ("services: [{pattern: 'a[b'}]", "1: services: pattern: it may be 1 to 200 of a-z 0-9 _ - * ? [ ], "
     "with an end to each ["),
    ("services: [{service: }]", "1: services: the name has to be a text"),
    ("services:\n- service: a\n  intervall: 5", "3: services: a: intervall: there is no such key; did "
     "you mean interval?"),
    ("services:\n- service: a\n\n  interval: 5ms", "4: services: a: interval: it may be 1 second to "
     "366 days, in whole milliseconds"),
    ("services:\n- service: a\n  tags: [b c]", "3: services: a: tags: it may be an array of up to 20 "
     "tags, each of 1 to 50 characters of a-z 0-9 _ - . :"),
    ("services:\n- service: a\n  description: [x]", "3: services: a: description: it may be text of up "
     "to 500 bytes, without NUL characters"),
    ("services:\n- service: a\n  paused: true", "3: services: a: paused: there is no such key"),
    ("services:\n- service: a\n- service: A", "3: services: a: it stands twice, here and in line 2"),
    ("services:\n- pattern: a*\n- service: a\n- pattern: A*", "4: services: a*: it stands twice, here "
     "and in line 2"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MESSAGES, ids=lambda text: ascii(text)[1:-1][:40])
def test_messages(tmp_path, text, message):
    assert check_config(tmp_path, text + "\n") == (1, [f"kairos.yaml:{message}"])


GOOD = [
    "",
    "# nothing\n",
    "---\nport: 0\n...\n",
    'port: "8000"\n',
    "interval: 90s\ntolerance: 0\nforget_after: never\n",
    "auto_create: true\ninsecure_no_auth: off\n",
    "trusted_proxies: []\n",
    'trusted_proxies: ["10.0.0.0/8", "::1"]\n',
    "trusted_proxies: 10.0.0.0/8, 127.0.0.1\n",
    "log_level: warning\nlog_format: JSON\n",
    "unix_socket_mode: 0o600\n",
    "unix_socket_mode: 0600\n",
    "host: none\nunix_socket: ./s\n",
    "services:\n",
    "services: []\n",
    "services: [{service: ' Backup ', interval: 1.5, max_runtime: null}]\n",
    "services: [{service: 7}, {service: 'null'}]\n",
    "services: [{service: a, tags: [B, 'team:x', b], description: 'Ünïcode'}]\n",
    "services: [{pattern: '*', tags: [], description: ''}]\n",
    "services: [{pattern: 'Web-[A-C]?*', allowed_misses: 1}, {pattern: '*'}]\n",
    "\ufeffport: 0\r\ninterval: 5\r\n",
]


@pytest.mark.parametrize("text", GOOD, ids=lambda text: ascii(text)[1:-1][:40])
def test_valid(tmp_path, text):
    status, lines = check_config(tmp_path, text)
    assert status == 0, lines
    assert lines[0].startswith("kairos.yaml: all is well; services: ")


# Files that somebody made to do harm

HOSTILE = {
    "binary": bytes(range(256)) * 100,
    "nul": b"port: 0\n\0\n",
    "tab": b"services:\n\t- service: a\n",
    "deep": b"a: " + b"[" * 1_000_000,
    "deeper": b"- " * 1_000_000,
    "open": b'host: "' + b"x" * 1_000_000,
    "utf-16": "port: 0\n".encode("utf-16"),
    "aliases": b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "tags": b"".join(b"%%TAG !t%d! x\n" % i for i in range(200_000)) + b"---\nport: 0\n",
    "keys": b"".join(b"key%d: 1\n" % i for i in range(100_000)),
    "problems": b"services:\n" + b"- 1\n" * 50_000,
    "entries": b"services:\n" + b"".join(b"- service: s%d\n" % i for i in range(100_001)),
    "long line": b"host: " + b"x" * 50_000_000,
    "documents": b"port: 0\n---\nport: 1\n",
    "escapes": b'"\\e[31m\\n": 1\n',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(tmp_path, name):
    status, lines = check_config(tmp_path, HOSTILE[name])
    assert status == 1
    assert 1 <= len(lines) <= 101
    assert all(line.isprintable() and len(line) < 5000 for line in lines)
    assert re.match(r"kairos\.yaml:\d+: ", lines[0])


def test_many_entries_are_taken(tmp_path):
    text = "services:\n" + "".join(f"- service: s{i}\n  interval: 5\n" for i in range(100_000))
    assert check_config(tmp_path, text) == (0, ["kairos.yaml: all is well; services: 100000"])


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    with open(tmp_path / "huge", "wb") as huge:
        huge.truncate(1 << 30)
    for name, message in [
        ("fifo", "it is no regular file"),
        ("folder", "it is no regular file"),
        ("/dev/zero", "it is no regular file"),
        ("nowhere", "No such file or directory"),
        ("huge", "it has more than 67108864 bytes"),
        ("", "No such file or directory"),
    ]:
        result = run([KAIROS, "check-config", name], b"", cwd=tmp_path)
        assert result.returncode == 1
        assert result.stdout == f"cannot read {name}: {message}\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(tmp_path):
    (tmp_path / "kairos.yaml").touch(mode=0)
    result = run([KAIROS, "check-config", "kairos.yaml"], b"", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "cannot read kairos.yaml: Permission denied\n")


def test_half_written(tmp_path):
    """Wherever it ends, it is taken or refused with the place."""
    text = "port: 1\nlog_level: INFO\nservices:\n  - service: \"a\"\n    interval: 60\n  - pattern: '*'\n"
    statuses = set()
    for end in range(len(text) + 1):
        status, lines = check_config(tmp_path, text[:end])
        statuses.add(status)
        assert status == 0 or re.match(r"kairos\.yaml:\d+: ", lines[0])
    assert statuses == {0, 1}


def test_usage():
    for arguments in ([], ["a", "b"], ["--nonsense"]):
        result = run([KAIROS, "check-config", *arguments], b"")
        assert (result.returncode, result.stdout) == (2, "")
        assert "Try `kairos check-config --help'" in result.stderr
    assert "--print-sample" in run([KAIROS, "check-config", "--help"], b"").stdout
