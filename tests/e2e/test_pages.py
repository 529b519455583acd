"""The pages that browsers get, asked for over HTTP and in a real browser."""

import gzip
import json
import re
import shutil
from urllib.parse import urlsplit

import pytest

from browser import Browser
from contract import contract
from server import Server

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = ("/", "/docs", "/openapi.json")
ASSETS = ("docs.js", "icon.svg", "page.css", "root.js", "swagger-ui-bundle.js", "swagger-ui.css",
          "swagger-ui-bundle.js.LICENSE.txt", "LICENSE", "NOTICE")  # fmt: skip
PATHS = [*PAGES, *(f"/docs/{name}" for name in ASSETS)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("pages")) as server:
        yield server.ready()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not shutil.which("chromium"):
        pytest.skip("no chromium here")
    with Browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.mark.parametrize("path", PATHS)
def test_compressed_or_not_it_is_the_same(shared, path):
    plain = shared.get(path, headers=HTML)
    assert plain.status == 200
    assert plain.headers["Content-Encoding"] is None
    packed = shared.get(path, headers=HTML | {"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["ETag"] == plain.headers["ETag"]
    head = shared.request("HEAD", path, headers=HTML)
    assert head.headers["Content-Length"] == str(len(plain.body))
    assert head.headers["ETag"] == plain.headers["ETag"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("form", ["{}", '"x", {}', "{},W/\"y\"", "*", "strong"])
def test_what_the_client_has_is_not_sent_again(shared, path, form):
    connection = shared.connect()
    whole = shared.get(path, headers=HTML, connection=connection)
    tag = whole.headers["ETag"]
    form = tag.removeprefix("W/") if form == "strong" else form.format(tag)
    answer = shared.get(path, headers=HTML | {"If-None-Match": form}, connection=connection)
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["ETag"] == tag
    assert answer.headers["Content-Length"] == whole.headers["Content-Length"]
    assert shared.get("/health", connection=connection).status == 200  # where the next answer begins
    connection.close()


@pytest.mark.parametrize("tag", ['"x"', "W/", "", '""', "x" * 5000])
def test_what_the_client_has_not_is_sent(shared, tag):
    assert shared.get("/docs", headers={"If-None-Match": tag}).status == 200


@pytest.mark.parametrize(
    "name", ["", "nothing", "..", "%2e%2e", "..%2fdocs", "%2Fdocs", "%2F", "openapi.json", "page%2Ecss",
             "docs.html", "a" * 4000, "%00", "package.json"],
)  # fmt: skip
def test_other_files_are_not_there(shared, name):
    assert shared.get(f"/docs/{name}").status == 404


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        (HTML["Accept"], True),
        ("text/html", True),
        ("TEXT/HTML", True),
        ("text/*", True),
        ("text/html;q=0.5, application/json", False),
        ("text/html;q=0.5, application/json;q=0.499", True),
        ("text/html;q=0, */*", False),
        ("application/json;q=0, */*;q=0.1", True),
        ("text/html;level=1;q=0.7, application/json;q=0.8", False),
        ("nonsense", False),
        (",,;;=", False),
    ],
)
def test_browsers_get_a_page_and_programs_get_json(shared, accept, html):
    answer = shared.get("/", headers={"Accept": accept} if accept else {})
    kind = "text/html; charset=utf-8" if html else "application/json"
    assert answer.headers["Content-Type"] == kind
    if not html:
        assert answer.json["name"] == "kairos"


def test_contract_is_the_source(shared):
    expected = json.loads(json.dumps(contract().document))
    expected["info"]["version"] = shared.get("/health").json["version"]
    for item in expected["paths"].values():  # what holds for a path is told with each operation
        at_path = item.pop("parameters", [])
        for operation in item.values():
            if told := at_path + operation.get("parameters", []):
                operation["parameters"] = told
    assert shared.get("/openapi.json").json == expected


def test_page_says_what_there_is(shared):
    page = shared.get("/", headers=HTML).text
    assert shared.get("/health").json["version"] in page
    for path, item in contract().document["paths"].items():
        assert f"<code>{path}</code>" in page
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                assert item[method]["summary"] in page
    for link in re.findall(r'(?:href|src)="([^"#]+)', page):
        assert shared.get("/" + link.removeprefix("./")).status == 200


def look(browser, server, path, **size):
    """Opens a page, all of which must come from the server, without a word on the console."""
    browser.requests.clear()
    browser.complaints.clear()
    browser.open(f"http://127.0.0.1:{server.port}{path}", **size)
    browser.wait_for("document.readyState == 'complete' && location.href != 'about:blank'")


def assert_quiet(browser, server):
    hosts = {urlsplit(url).netloc for url in browser.requests if not url.startswith("data:")}
    assert hosts == {f"127.0.0.1:{server.port}"}
    assert not browser.complaints


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_first_page_in_a_browser(shared, browser, width):
    look(browser, shared, "/", width=width)
    here = f"http://127.0.0.1:{shared.port}"
    assert browser.wait_for("document.querySelector('pre').textContent") == f"curl {here}/ping/backup"
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("document.querySelectorAll('tbody tr').length") > 10
    assert browser.evaluate("getComputedStyle(document.querySelector('.cards')).display") == "grid"
    assert_quiet(browser, shared)


@pytest.mark.parametrize("width", [360, 1280])
def test_reference_in_a_browser(shared, browser, width):
    look(browser, shared, "/docs", width=width)
    items = contract().document["paths"].values()
    count = sum(key in ("get", "post", "put", "patch", "delete") for item in items for key in item)
    browser.wait_for(f"document.querySelectorAll('.opblock').length == {count}")
    assert browser.evaluate("document.querySelector('.errors-wrapper') == null")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert_quiet(browser, shared)


def test_trying_out_in_a_browser(shared, browser):
    """The reference sends a real heartbeat."""
    look(browser, shared, "/docs")
    block = "document.querySelector('#operations-Heartbeats-ping')"
    browser.wait_for(f"{block} != null")
    browser.evaluate(f"{block}.querySelector('.opblock-summary-control').click()")
    browser.wait_for(f"{block}.querySelector('.parameters input')?.value == 'backup'")
    browser.evaluate(f"{block}.querySelector('.execute').click()")
    status = f"{block}.querySelector('.live-responses-table .response .response-col_status')"
    assert browser.wait_for(f"{status} && {status}.textContent").startswith("201")
    assert shared.service("backup")["status"] == "up"
    assert_quiet(browser, shared)


def test_a_log_is_tried_out_in_a_browser(shared, browser):
    """The reference has a place for the file that is analysed."""
    look(browser, shared, "/docs")
    block = "document.querySelector('#operations-Analysis-analyseLog')"
    browser.wait_for(f"{block} != null")
    browser.evaluate(f"{block}.querySelector('.opblock-summary-control').click()")
    kinds = f"{block}.querySelector('.opblock-section-request-body select')"
    browser.wait_for(f"{kinds} != null")
    browser.evaluate(
        f"""(kinds => {{
            Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(kinds, 'multipart/form-data');
            kinds.dispatchEvent(new Event('change', {{bubbles: true}}));
        }})({kinds})"""
    )
    browser.wait_for(f"{block}.querySelector('input[type=file]') != null")
    assert_quiet(browser, shared)


def test_links_of_the_first_page_lead_into_the_reference(shared, browser):
    look(browser, shared, "/")
    browser.evaluate("document.querySelector('tbody a[href*=listIncidents]').click()")
    opened = "document.querySelector('#operations-History-listIncidents.is-open')"
    browser.wait_for(f"{opened} != null")
    assert_quiet(browser, shared)
