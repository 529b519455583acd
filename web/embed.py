"""Makes what the server shows to browsers, and its contract, part of the program.

    embed.py WEB CONTRACT VERSION OUTPUT.c OUTPUT.bin

OUTPUT.bin holds the contents, each compressed with gzip, behind one another; OUTPUT.c is the table
of them (src/http/asset.h), and takes OUTPUT.bin in.
"""

import gzip
import hashlib
import html
import json
import re
import sys
from pathlib import Path

import yaml

# By the path of a page, or the name of what lies under /docs/.
FILES = {
    "docs.js": "docs.js",
    "icon.svg": "icon.svg",
    "page.css": "page.css",
    "root.js": "root.js",
}
SWAGGER = "swagger-ui-dist"
SWAGGER_FILES = (
    "LICENSE",
    "NOTICE",
    "swagger-ui-bundle.js",
    "swagger-ui-bundle.js.LICENSE.txt",
    "swagger-ui.css",
)
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
# Says where a map of the source lies, which is not embedded.
SOURCE_MAP = re.compile(rb"(//|/\*)# sourceMappingURL=\S+(\s*\*/)?\s*$")
TEXT = "text/plain; charset=utf-8"
METHODS = ("get", "post", "put", "patch", "delete")


def swagger_folder(web):
    """Where Swagger UI is installed, in the version that package.json names."""
    folder = web / "node_modules" / SWAGGER
    wanted = json.loads((web / "package.json").read_text())["dependencies"][SWAGGER]
    found = json.loads((folder / "package.json").read_text())["version"]
    if found != wanted:
        sys.exit(
            f"web/node_modules has {SWAGGER} {found} and not {wanted}; "
            "run: (cd web && npm ci --ignore-scripts)"
        )
    return folder


def move_parameters(contract):
    """Puts the parameters of a path into its operations.

    Swagger UI 5.35 does not resolve them elsewhere in the operation that is looked at first.
    """
    for item in contract["paths"].values():
        shared = item.pop("parameters", [])
        for method in METHODS:
            if shared and method in item:
                item[method]["parameters"] = shared + item[method].get("parameters", [])


def endpoints(contract):
    """The rows of the table on the first page."""
    for path, item in contract["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            link = f"docs#/{operation['tags'][0]}/{operation['operationId']}"
            cells = (
                method.upper(),
                f'<a href="{html.escape(link)}"><code>{html.escape(path)}</code></a>',
                html.escape(operation["summary"]),
            )
            yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def root_page(web, contract):
    text = (web / "root.html").read_text(encoding="utf-8")
    text = text.replace("{version}", html.escape(contract["info"]["version"]))
    return text.replace("{endpoints}", "\n".join(endpoints(contract)))


def contents(web, contract):
    """Every (name, type, bytes)."""
    document = json.dumps(contract, ensure_ascii=False, separators=(",", ":"))
    yield "/", TYPES[".html"], root_page(web, contract).encode()
    yield "/docs", TYPES[".html"], (web / "docs.html").read_bytes()
    yield "/openapi.json", TYPES[".json"], document.encode()
    for name, file in FILES.items():
        yield name, TYPES[Path(name).suffix], (web / file).read_bytes()
    folder = swagger_folder(web)
    for name in SWAGGER_FILES:
        content = SOURCE_MAP.sub(b"", (folder / name).read_bytes())
        yield name, TYPES.get(Path(name).suffix, TEXT), content


def main():
    web, contract, version, table, binary = sys.argv[1:]
    contract = yaml.safe_load(Path(contract).read_text(encoding="utf-8"))
    contract["info"]["version"] = version
    move_parameters(contract)
    rows, packed = [], b""
    for name, kind, content in contents(Path(web), contract):
        compressed = gzip.compress(content, 9, mtime=0)
        tag = hashlib.sha256(content).hexdigest()[:32]
        rows.append(
            f'    {{"{name}", "{kind}", "W/\\"{tag}\\"", bytes + {len(packed)}, '
            f"{len(compressed)}, {len(content)}}},\n"
        )
        packed += compressed
    Path(binary).write_bytes(packed)
    Path(table).write_text(
        "/* Made by web/embed.py. */\n"
        '#include "asset.h"\n\n'
        "extern const unsigned char bytes[] __asm__(\"kairos_asset_bytes\");\n"
        '__asm__(".pushsection .rodata\\n"\n'
        '        ".hidden kairos_asset_bytes\\n"\n'
        '        ".globl kairos_asset_bytes\\n"\n'
        '        "kairos_asset_bytes:\\n"\n'
        f'        ".incbin \\"{Path(binary).resolve()}\\"\\n"\n'
        '        ".popsection\\n");\n\n'
        f"const struct asset assets[] = {{\n{''.join(rows)}}};\n\n"
        "const size_t asset_count = sizeof(assets) / sizeof(assets[0]);\n"
    )


main()
