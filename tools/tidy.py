#!/usr/bin/env python3
"""Checks what compilers and clang-format do not: the folder order, sizes and forbidden patterns.

  tools/tidy.py [FILE…]      all sources, or only these; exit status 1 when a rule is broken
  tools/tidy.py --self-test  every rule against examples that break it and that keep it

Each finding is one line, `path:line: rule: text`. With a reason a line may be excused, on
that line or the one above:   // tidy: allow(rule) reason
"""

import argparse
import bisect
import pathlib
import re
import sys
import unicodedata
from typing import Iterator, NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A folder may include itself and these; the same order stands in docs/architecture.md.
_LEAVES = {"core", "sim", "store", "metrics", "readers", "gguf", "config", "net", "process"}
MAY_INCLUDE = {
    "base": set(),
    "core": {"base"},
    "sim": {"base", "core"},
    "store": {"base", "core"},
    "advise": {"base", "core", "sim", "store"},
    "metrics": {"base", "core"},
    "readers": {"base"},
    "gguf": {"base"},
    "config": {"base"},
    "net": {"base"},
    "ollama": {"base", "net"},
    "process": {"base"},
    "pull": {"base", "gguf"},
    "engine": {"base"} | _LEAVES,
    "api": {"base", "ollama", "engine"} | _LEAVES,
    "app": {"base", "advise", "pull", "engine", "api"} | _LEAVES,
}

_ALL = set(MAY_INCLUDE)
_ASIO = {"net", "process", "engine"}


class Library(NamedTuple):
    """A library, the folders whose sources may include it, and those whose headers may."""

    pattern: str
    sources: set
    headers: set


# First match wins. No folder needs to be recompiled, or read, for another folder's library.
LIBRARIES = [
    Library(r"toml\+\+/|toml\.hpp", {"config"}, set()),
    Library(r"SQLiteCpp/|sqlite3\.h", {"store"}, set()),
    Library(r"simdjson", {"net", "process", "api"}, set()),
    Library(r"boost/(asio|beast)", _ASIO, _ASIO),
    Library(r"CLI/", {"app"}, {"app"}),
    Library(r"curl/", {"pull"}, set()),
    Library(r"tl/expected", _ALL - {"core"}, _ALL - {"core"}),
    Library(r"spdlog/", _ALL - {"base", "core", "sim", "gguf"}, set()),
    Library(r"fmt/|boost/json", _ALL - {"core"}, {"ollama", "api", "app"}),
]

# The core decides; it has no clock, files, threads or logging.
IMPURE = re.compile(
    r"(thread|mutex|shared_mutex|condition_variable|future|atomic|random"
    r"|fstream|iostream|filesystem)$"
)

HEADER_LINES = 250
SOURCE_LINES = 600
SOURCE_LINES_AIM = 400
FUNCTION_LINES = 70
COLUMNS = 100

ERRORS = {
    "folder-order": "a folder includes only folders left of it in docs/architecture.md",
    "library": "a library's headers stay in the folders that wrap it",
    "pure-core": "core is deterministic: base and the standard library, no clock, threads or files",
    "pragma-once": "a header begins with #pragma once",
    "file-length": "one concept a file",
    "line-length": f"at most {COLUMNS} columns",
    "unfinished": "work left behind belongs in an issue",
    "test-sleep": "a test waits on state",
    "co-await-temporary": "g++ 12 destroys it twice: name it before the co_await",
    "detached": "tasks are spawned in a group that logs, counts and cancels them",
    "excuse": "an excuse names a rule and gives a reason",
}
WARNINGS = {
    "function-length": f"aim at {FUNCTION_LINES} lines",
    "file-length-aim": f"aim at {SOURCE_LINES_AIM} lines",
}


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    text: str

    @property
    def is_error(self) -> bool:
        return self.rule in ERRORS

    def __str__(self) -> str:
        kind = "" if self.is_error else "warning: "
        return f"{self.path}:{self.line}: {kind}{self.rule}: {self.text}"


class Source:
    """One file: its lines, and for C++ its code with comments and literals blanked."""

    def __init__(self, path: str, text: str):
        self.path = path
        self.lines = text.splitlines()
        parts = path.split("/")
        self.folder = parts[1] if parts[0] == "src" and len(parts) > 2 else ""
        self.is_cpp = path.endswith((".h", ".cc"))
        self.is_header = path.endswith(".h")
        in_tests = {"tests", "testing"} & set(parts)
        self.is_test = bool(in_tests or re.search("test|fixture", parts[-1]))
        self.code = blank_literals(text) if self.is_cpp else text
        self._starts = [0] + [m.end() for m in re.finditer("\n", self.code)]

    def line_at(self, offset: int) -> int:
        return bisect.bisect_right(self._starts, offset)

    def find(self, pattern: str) -> Iterator[tuple]:
        for match in re.finditer(pattern, self.code):
            yield self.line_at(match.start()), match


_LITERALS = re.compile(
    r'R"(?P<tag>[^()\s\\]{0,16})\((?s:.*?)\)(?P=tag)"'
    r"|//[^\n]*|/\*(?s:.*?)\*/"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'"
)


def blank_literals(text: str) -> str:
    """Comments and literals become spaces, so that positions and lines stay where they are."""
    keep = re.compile(r'(?m)^[ \t]*#[ \t]*include[^\n]*')
    includes = [match.span() for match in keep.finditer(text)]

    def blank(match: re.Match) -> str:
        if any(start <= match.start() < end for start, end in includes):
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())

    return _LITERALS.sub(blank, text)


def columns(line: str) -> int:
    wide = sum(1 for char in line if unicodedata.east_asian_width(char) in "WF")
    marks = sum(1 for char in line if unicodedata.combining(char) or char == "\ufe0f")
    return len(line) + wide - marks


def check_includes(source: Source) -> Iterator[tuple]:
    for line, match in source.find(r'(?m)^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]'):
        quote, name = match.groups()
        if source.folder not in MAY_INCLUDE:  # fuzz, bench and tests may use all of src
            continue
        if quote == '"':
            target = name.split("/")[0]
            if target not in MAY_INCLUDE or "/" not in name:
                yield line, "folder-order", f'"{name}": include from src/, as "folder/name.h"'
            elif target not in MAY_INCLUDE[source.folder] | {source.folder}:
                yield line, "folder-order", f"{source.folder} may not include {target}"
            continue
        if re.match(r"(gtest|gmock)/", name):
            if not source.is_test:
                yield line, "library", f"<{name}> belongs in tests"
            continue
        library = next((lib for lib in LIBRARIES if re.match(lib.pattern, name)), None)
        if library is not None:
            allowed = library.headers if source.is_header else library.sources
            if source.folder not in allowed:
                kind = "headers" if source.is_header else "sources"
                yield line, "library", f"<{name}> is not for {kind} of {source.folder}"
        elif source.folder == "core" and (re.search(r"[./]", name) or IMPURE.match(name)):
            yield line, "pure-core", f"<{name}> does not belong in core"


def check_core_is_pure(source: Source) -> Iterator[tuple]:
    if source.folder in ("core", "sim"):
        for line, match in source.find(r"\b\w*(clock|Clock)::now\(|\b(rand|getenv|time)\(nullptr"):
            yield line, "pure-core", f"{match.group()}: time and chance come in as events"


def check_size(source: Source) -> Iterator[tuple]:
    count = len(source.lines)
    if source.is_header and count > HEADER_LINES:
        yield count, "file-length", f"{count} lines; a header has at most {HEADER_LINES}"
    elif source.is_cpp and count > SOURCE_LINES:
        yield count, "file-length", f"{count} lines; a source has at most {SOURCE_LINES}"
    elif source.is_cpp and count > SOURCE_LINES_AIM:
        yield count, "file-length-aim", f"{count} lines"
    for number, line in enumerate(source.lines, 1):
        # An address cannot be broken, and a long one is still one.
        if columns(line) > COLUMNS and "://" not in line:
            yield number, "line-length", f"{columns(line)} columns"
    if source.is_header and not re.search(r"(?m)^#pragma once$", source.code):
        yield 1, "pragma-once", ERRORS["pragma-once"]


def check_words(source: Source) -> Iterator[tuple]:
    for number, line in enumerate(source.lines, 1):
        if re.search(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b", line):
            yield number, "unfinished", ERRORS["unfinished"]


def check_test_sleep(source: Source) -> Iterator[tuple]:
    if source.is_test:
        for line, match in source.find(r"\bsleep_(for|until)\b|\b(time\.|u|nano|::)?sleep\("):
            yield line, "test-sleep", f"{match.group()}: {ERRORS['test-sleep']}"


def check_detached(source: Source) -> Iterator[tuple]:
    if source.is_cpp and source.path.startswith("src/"):
        for line, _ in source.find(r"\basio::detached\b|[(,]\s*detached\s*\)"):
            yield line, "detached", ERRORS["detached"]


def await_expression(code: str, start: int) -> str:
    """The text from a co_await to the end of its expression."""
    depth = 0
    for position in range(start, len(code)):
        char = code[position]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        if depth < 0 or (char == ";" and depth == 0):
            return code[start:position]
    return code[start:]


def captures_by_value(captures: str) -> bool:
    names = [name.strip() for name in captures.split(",")]
    return any(name and not name.startswith("&") and name != "this" for name in names)


def check_co_await(source: Source) -> Iterator[tuple]:
    if not source.is_cpp:
        return
    for start in re.finditer(r"\bco_await\b", source.code):
        expression = await_expression(source.code, start.end())
        line = source.line_at(start.start())
        aggregate = re.search(
            r"\b(?:\w+::)*[A-Z]\w*(?:<[^<>;]*>)?\s*\{|\{\s*\.\w+\s*=|\bstd::array\b", expression
        )
        if aggregate:
            yield line, "co-await-temporary", f"`{aggregate.group().strip()}` inside a co_await"
        for lambda_ in re.finditer(r"(?<![\w\])])\[([^\[\]]*)\]\s*[({m]", expression):
            if captures_by_value(lambda_.group(1)):
                yield line, "co-await-temporary", "a by-value capture inside a co_await"


def check_function_length(source: Source) -> Iterator[tuple]:
    """Relies on clang-format: from text in column 0 to a brace in column 0 is one function."""
    if not source.is_cpp or source.is_test:
        return
    begin = 0
    no_function = r"(namespace|class|struct|enum|union|extern|using|#|(inline )?const|\})"
    for number, line in enumerate(source.code.splitlines(), 1):
        if line[:1].strip() and not re.match(no_function, line):
            begin = begin or number
            if line.rstrip().endswith((";", ":")):
                begin = 0
        elif line.startswith("}"):
            if begin and number - begin + 1 > FUNCTION_LINES:
                yield begin, "function-length", f"{number - begin + 1} lines"
            begin = 0


CHECKS = [
    check_includes,
    check_core_is_pure,
    check_size,
    check_words,
    check_test_sleep,
    check_detached,
    check_co_await,
    check_function_length,
]

_EXCUSE = re.compile(r"tidy: allow\(([\w-]*)\)(.*)")


def check(path: str, text: str) -> list:
    source = Source(path, text)
    findings = []
    excused = set()
    for number, line in enumerate(source.lines, 1):
        match = _EXCUSE.search(line)
        if match is None:
            continue
        rule, reason = match.groups()
        if (rule in ERRORS or rule in WARNINGS) and len(reason.strip()) >= 10:
            excused |= {(number, rule), (number + 1, rule)}
        elif path != "tools/tidy.py":
            findings.append(Finding(path, number, "excuse", ERRORS["excuse"]))
    for checker in CHECKS:
        for line, rule, said in checker(source):
            if (line, rule) not in excused:
                findings.append(Finding(path, line, rule, said))
    return sorted(findings, key=lambda finding: finding.line)


PATTERNS = [
    "src/**/*.h", "src/**/*.cc", "fuzz/**/*.h", "fuzz/**/*.cc", "bench/**/*.h", "bench/**/*.cc",
    "tests/**/*.py", "tests/**/*.h", "tests/**/*.cc", "tools/**/*.py", "tools/**/*.sh",
    "scripts/**/*.sh", "scripts/**/*.py", "cmake/**/*.cmake", "**/CMakeLists.txt",
]


def repository_files() -> list:
    skipped = ("build", ".venv", "models", "node_modules", ".git")
    found = {path for pattern in PATTERNS for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(path for path in found if path.relative_to(ROOT).parts[0] not in skipped)


HEADER = "#pragma once\n"
BROKEN = [  # rule, path, text
    ("folder-order", "src/core/a.cc", '#include "engine/driver.h"\n'),
    ("folder-order", "src/gguf/a.h", HEADER + '#include "core/event.h"\n'),
    ("folder-order", "src/core/a.cc", '#include "ledger.h"\n'),
    ("library", "src/config/a.h", HEADER + "#include <toml++/toml.h>\n"),
    ("library", "src/api/a.cc", "#include <boost/asio/post.hpp>\n"),
    ("library", "src/app/a.cc", "#include <SQLiteCpp/SQLiteCpp.h>\n"),
    ("library", "src/core/a.cc", "#include <spdlog/spdlog.h>\n"),
    ("library", "src/net/a.cc", "#include <gtest/gtest.h>\n"),
    ("pure-core", "src/core/a.cc", "#include <thread>\n"),
    ("pure-core", "src/core/a.cc", "#include <sys/stat.h>\n"),
    ("pure-core", "src/core/a.cc", "auto t = std::chrono::steady_clock::now();\n"),
    ("pragma-once", "src/core/a.h", "// nothing\n"),
    ("file-length", "src/core/a.h", HEADER + "\n" * HEADER_LINES),
    ("file-length", "src/core/a.cc", "\n" * (SOURCE_LINES + 1)),
    ("file-length-aim", "src/core/a.cc", "\n" * (SOURCE_LINES_AIM + 1)),
    ("line-length", "src/core/a.cc", "x" * (COLUMNS + 1)),
    ("line-length", "tests/e2e/a.py", "# " + "\N{POLICE CARS REVOLVING LIGHT}" * 50),
    ("unfinished", "src/core/a.cc", "// TO" "DO later\n"),
    ("test-sleep", "src/net/a_test.cc", "std::this_thread::sleep_for(1s);\n"),
    ("test-sleep", "tests/e2e/test_a.py", "    time.sleep(1)\n"),
    ("co-await-temporary", "src/net/a.cc", "co_await send(Message{1, 2});\n"),
    ("co-await-temporary", "src/net/a.cc", "auto r =\n    co_await send(\n        {.a = 1});\n"),
    ("co-await-temporary", "src/net/a.cc", "co_await run([name] { return name; });\n"),
    ("co-await-temporary", "src/net/a.cc", "co_await write(s, std::array{a, b});\n"),
    ("co-await-temporary", "src/net/a.cc", "if (co_await f(net::Options{})) {\n}\n"),
    ("detached", "src/net/a.cc", "co_spawn(context, task(), asio::detached);\n"),
    ("excuse", "src/net/a.cc", "// tidy: allow(detached)\n"),
    ("excuse", "src/net/a.cc", "// tidy: allow(everything) because I say so\n"),
    ("function-length", "src/core/a.cc", "void f() {\n" + "  g();\n" * FUNCTION_LINES + "}\n"),
]
KEPT = [  # path, text: nothing is found
    ("src/core/a.h", HEADER + '#include <vector>\n#include "base/bytes.h"\n#include "core/b.h"\n'),
    ("src/core/a_test.cc", "#include <gtest/gtest.h>\n"),
    ("src/config/a.cc", "#include <toml++/toml.h>\n"),
    ("src/net/a.h", HEADER + "#include <boost/asio/awaitable.hpp>\n"),
    ("src/engine/a.cc", '#include "store/history.h"\n#include "net/server.h"\n'),
    ("src/api/a.cc", "// #include <boost/asio.hpp>\n"),
    ("src/net/a.cc", "const Message m{1, 2};\nco_await send(m);\nconst Reply r{3};\n"),
    ("src/net/a.cc", 'while (co_await next()) {\n  use(Reply{3});\n}\nco_await log("T{");\n'),
    ("src/net/a.cc", "co_await run([this, &name] { return name; });\n"),
    ("src/net/a.cc", "co_await items[i](Options(1));\n"),
    ("src/net/a.cc", "// asio::detached is not used\nint detached = 1'000;\n"),
    ("src/net/a.cc", "poll(); std::this_thread::sleep_for(1s);\n"),
    ("src/core/a.cc", "// see https://example.org/" + "x" * COLUMNS + "\n"),
    ("src/core/a.cc", "void f() {\n" + "  g();\n" * (FUNCTION_LINES - 2) + "}\nvoid h() {\n}\n"),
    ("tests/e2e/a.py", "# tidy: allow(test-sleep) interval of the one poller\ntime.sleep(1)\n"),
]


def self_test() -> int:
    wrong = []
    for rule, path, text in BROKEN:
        if rule not in {finding.rule for finding in check(path, text)}:
            wrong.append(f"{rule} was not found in {path}: {text[:80]!r}")
    for path, text in KEPT:
        wrong += [f"a false alarm: {finding} in {text[:80]!r}" for finding in check(path, text)]
    untested = (set(ERRORS) | set(WARNINGS)) - {rule for rule, _, _ in BROKEN}
    wrong += [f"rule {rule} has no example" for rule in sorted(untested)]
    for line in wrong:
        print(line)
    print(f"tidy self-test: {len(BROKEN) + len(KEPT)} examples, {len(wrong)} wrong")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    files = [path.resolve() for path in arguments.files] or repository_files()
    errors = warnings = 0
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        for finding in check(name, path.read_text(encoding="utf-8")):
            print(finding)
            errors += finding.is_error
            warnings += not finding.is_error
    print(f"tidy: {len(files)} files, {errors} errors, {warnings} warnings")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
