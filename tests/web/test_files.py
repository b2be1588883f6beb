# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of the pages: sizes, hosts, texts, licences, the table in C. No browser."""

import gzip
import json
import re
import subprocess

import pytest

from paths import BUILD, ROOT

WEB = ROOT / "userspace/web"
SERVICES = ("ecu", "ema")
LANGUAGES = ("en", "de")
# First load, bytes compressed: what the first page of a service fetches. Charts come with the first chart.
LATER = {"/vendor/uplot.js", "/vendor/uplot.css", "/vendor/zbar.js", "/vendor/zbar.wasm", "/licences.txt"}
BUDGET = {"ecu": 60000, "ema": 80000}


def listing(service):
    return json.loads((BUILD / "web" / service / "files.json").read_text())


def contents(service):
    """Path and bytes of each file, decompressed."""
    folder = BUILD / "web" / service
    return {file["path"]: gzip.decompress((folder / file["file"]).read_bytes())
            for file in listing(service)["files"]}


def texts(language):
    """All texts of a language by key, without regard to the section."""
    sections = json.loads((WEB / "texts" / f"{language}.json").read_text())
    return {key: text for name, section in sections.items() if name != "//"
            for key, text in section.items()}


def sources():
    return {path: path.read_text() for path in sorted((WEB / "src").rglob("*.js"))}


@pytest.mark.parametrize("service", SERVICES)
def test_first_load_and_charts_are_within_the_budget(service):
    """Even if a reader goes to a chart at once; one language is fetched, here the longer one."""
    files = {file["path"]: file["gzip_bytes"] for file in listing(service)["files"]
             if not file["path"].startswith("/app/")}
    one_language = max(size for path, size in files.items() if path.startswith("/texts/"))
    first = one_language + sum(size for path, size in files.items()
                               if path not in LATER and not path.startswith("/texts/"))
    charts = files["/vendor/uplot.js"] + files["/vendor/uplot.css"]
    print(f"{service}: first load {first} bytes, with charts {first + charts}")
    assert first <= BUDGET[service]
    assert service != "ecu" or first + charts <= 65000


@pytest.mark.parametrize("service", SERVICES)
def test_no_file_of_ours_names_another_host(service):
    """Namespaces of XML are names, not addresses; the app links to its ECU; vendor files are checked in the
    browser."""
    for path, data in contents(service).items():
        if path.startswith("/vendor/") or path == "/licences.txt":
            continue
        found = set(re.findall(rb"https?://[^\s\"'`<>)]+", data)) - {b"http://www.w3.org/2000/svg"}
        assert not [url for url in found if not url.startswith(b"https://ecu-${job.ecu}.local:")], path


@pytest.mark.parametrize("service", SERVICES)
def test_the_policy_allows_nothing_inline_and_no_other_host(service):
    policy = dict(rule.split(" ", 1) for rule in listing(service)["csp"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["script-src"] == ("'self'" if service == "ecu" else "'self' 'wasm-unsafe-eval'")
    assert not re.search(r"unsafe-inline|'unsafe-eval'|\*|https?:", listing(service)["csp"])
    for path, data in contents(service).items():
        if path.endswith("/"):
            assert not re.search(rb"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", data), path


@pytest.mark.parametrize("service", SERVICES)
def test_scripts_are_valid_modules(service, tmp_path):
    for path, data in contents(service).items():
        if path.endswith(".js") and path != "/app/sw.js":
            file = tmp_path / "module.mjs"
            file.write_bytes(data)
            done = subprocess.run(["node", "--check", file], capture_output=True, text=True)
            assert done.returncode == 0, f"{path}: {done.stderr}"


@pytest.mark.parametrize("service", SERVICES)
def test_the_table_in_c_holds_the_same_bytes(service, tmp_path):
    program = tmp_path / "dump.c"
    program.write_text(
        '#include <stdio.h>\n#include "web_files.h"\nint main(void)\n{\n'
        f"\tfor (size_t i = 0; i < web_{service}.count; i++) {{\n"
        f"\t\tconst struct http_file *f = &web_{service}.file[i];\n"
        '\t\tprintf("%s %s %s %zu\\n", f->path, f->encoding, f->etag, f->size);\n\t}\n'
        f"\tputs(web_{service}.csp);\n\treturn 0;\n}}\n")
    subprocess.run(["gcc", "-D_GNU_SOURCE", f"-I{WEB}", "-o", tmp_path / "dump", program,
                    BUILD / "web" / f"libweb{service}.a"], check=True)
    lines = subprocess.run([tmp_path / "dump"], check=True, text=True, capture_output=True).stdout.splitlines()
    wanted = listing(service)
    assert lines[-1] == wanted["csp"]
    assert lines[:-1] == [f"{file['path']} gzip {file['etag']} {file['gzip_bytes']}" for file in wanted["files"]]
    assert [file["path"] for file in wanted["files"]] == sorted(file["path"] for file in wanted["files"])


# --- texts ------------------------------------------------------------------

def placeholders(text):
    parts = text.values() if isinstance(text, dict) else [text]
    return {name for part in parts for name in re.findall(r"\{(\w+)\}", part)}


def test_both_languages_have_the_same_texts_with_the_same_values():
    english, german = texts("en"), texts("de")
    assert set(english) == set(german)
    different = [key for key in english if placeholders(english[key]) != placeholders(german[key])]
    assert not different


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_stands_twice_in_a_file(language):
    """A parser of JSON keeps the last of two equal keys."""
    keys = re.findall(r'^\t\t"([^"]+)":', (WEB / "texts" / f"{language}.json").read_text(), re.MULTILINE)
    sections = json.loads((WEB / "texts" / f"{language}.json").read_text())
    assert len(keys) == sum(len(section) for name, section in sections.items() if name != "//")


def section_of():
    sections = json.loads((WEB / "texts/en.json").read_text())
    return {key: name for name, section in sections.items() if name != "//" for key in section}


def test_every_text_that_a_script_names_exists_in_a_section_that_it_gets():
    allowed = {"ecu": {"common", "ecu"}, "ema": {"common", "ema"}, "app": {"common", "ema"},
               "lib": {"common"}, "parts": {"common"}}
    where = section_of()
    for path, text in sources().items():
        for key in re.findall(r'\bt\("([^"]+)"', text):
            assert where.get(key) in allowed[path.parent.name], f"{path.name}: {key}"


def test_every_text_is_used():
    """By name, by a name that is put together from a group and a word, or by the page without scripts."""
    code = "".join(sources().values())
    named = set(re.findall(r'"([a-z_]+\.[\w.-]+)"', code))
    groups = {f"{group}." for group in re.findall(r'word\("(\w+)"', code)} | \
        set(re.findall(r"`([a-z]+\.[a-z_]*)\$\{", code)) | {"fault.", "event.", "rule."}
    unused = [key for key, section in section_of().items()
              if section != "plain" and key not in named and not key.startswith(tuple(groups))]
    assert not unused


def words_of(header, table):
    """The names of an X-macro table: the second column of each row, or the first for faults."""
    text = (ROOT / header).read_text()
    body = re.search(rf"#define {table}\(X\)((?:.*\\\n)*.*)", text)[1]
    return re.findall(r'X\((\w+), (?:[^,"]+, )?"([^"]+)"', body)


@pytest.mark.parametrize("header, table, group, column", [
    ("include/qs1/codes.h", "QS1_STATES", "state", 1), ("include/qs1/codes.h", "QS1_FAULTS", "fault", 0),
    ("userspace/ecud/model.h", "MODEL_LINKS", "link", 1),
    ("userspace/ecud/model.h", "MODEL_CONFIRMS", "confirm", 1),
    ("userspace/ecud/model.h", "MODEL_MAKES", "make", 1),
    ("userspace/ecud/model.h", "MODEL_EVENT_KINDS", "event", 1),
    ("userspace/ecud/orders.h", "ORDER_STATES", "order", 1),
    ("userspace/service/commands.h", "ORDER_COMMANDS", "command", 1),
    ("userspace/service/auth.h", "AUTH_ROLES", "role", 1)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_services_has_a_text(language, header, table, group, column):
    rows = words_of(header, table)
    assert rows
    missing = [row[column] for row in rows if f"{group}.{row[column]}" not in texts(language)]
    assert not missing
    if group == "fault":
        assert all(f"fault.{row[0]}.do" in texts(language) for row in rows)


# --- requests ---------------------------------------------------------------

REQUEST = re.compile(r"""\b(get|post|put|remove|useGet)\((?:[\w.]+ \?\? )?["`](/[^"`?]*)""")
METHODS = {"get": "get", "useGet": "get", "post": "post", "put": "put", "remove": "delete"}


def operations(service):
    """(method, path) of a service's description, with {} for each parameter."""
    paths = json.loads((ROOT / f"userspace/{service}d/openapi.json").read_text())["paths"]
    return {(method, re.sub(r"\{\w+\}", "{}", path)) for path, methods in paths.items() for method in methods}


def test_every_request_of_a_page_is_an_operation_of_its_service():
    """Of both services, for what both show."""
    users = {"ecu": ("ecu",), "ema": ("ema",), "app": ("ema",), "parts": ("ecu", "ema"), "lib": ("ecu", "ema")}
    found = 0
    for path, text in sources().items():
        for function, address in REQUEST.findall(text):
            operation = METHODS[function], re.sub(r"\$\{[^}]*\}", "{}", address)
            found += 1
            for service in users[path.parent.name]:
                assert operation in operations(service), f"{path.name}: {service} has no {operation}"
    assert found > 50


# --- scripts ----------------------------------------------------------------

def test_every_import_is_used_and_exists():
    for path, text in sources().items():
        body = re.sub(r"^import .*?;\n", "", text, flags=re.MULTILINE | re.DOTALL)
        for names, source in re.findall(r'^import \{([^}]*)\} from "([^"]+)";', text, re.MULTILINE):
            for name in filter(None, map(str.strip, names.split(","))):
                assert re.search(rf"\b{name}\b", body), f"{path.name} does not use {name}"
                if not source.startswith("/vendor/"):
                    other = (path.parent / source).read_text()
                    assert re.search(rf"^export (?:async )?(?:function|const|class) {name}\b", other,
                                     re.MULTILINE), f"{path.name}: {source} has no {name}"


def test_every_export_is_imported():
    imported = {name.strip() for text in sources().values()
                for names in re.findall(r"^import \{([^}]*)\}", text, re.MULTILINE)
                for name in names.split(",")}
    unused = [f"{path.name}: {name}" for path, text in sources().items()
              for name in re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", text, re.MULTILINE)
              if name not in imported]
    assert not unused


def test_the_licences_of_all_npm_packages_are_listed():
    listed = (WEB / "LICENCES.md").read_text()
    rows = dict(re.findall(r"^\| (@?[\w/-]+)[^|]* \| ([\d.]+) \|", listed, re.MULTILINE))
    locked = {}
    for folder in ("userspace/web", "tests/web"):
        lock = (ROOT / folder / "package-lock.json").read_text()
        assert "resolved" not in lock and "http" not in lock
        for name, package in json.loads(lock)["packages"].items():
            if name:
                locked[name.removeprefix("node_modules/")] = package["version"]
                assert package["integrity"].startswith("sha512-")
    assert rows == locked
