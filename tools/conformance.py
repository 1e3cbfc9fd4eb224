#!/usr/bin/env python3
"""The table in docs/api.md of what real clients were seen to do, made from a run of tests/clients.

  tools/conformance.py            writes it from build/conformance.json
  tools/conformance.py --check    fails where the table is not what the run showed
  tools/conformance.py --self-test

A run records an entry for each test and client: {"endpoint", "feature", "client", "state",
"note"}, where state is passes, differs (answered, but not as its makers' own server does; the note
says how), not offered (refused, with a word on what to do), or fails.
"""

import argparse
import difflib
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORD = ROOT / "build" / "conformance.json"
PAGE = ROOT / "docs" / "api.md"
BEGIN = "<!-- conformance: written by tools/conformance.py, compared in CI -->\n"
END = "<!-- end of conformance -->\n"
HEAD = "| endpoint | feature | state | seen with |\n|---|---|---|---|\n"


def family(endpoint):
    """OpenAI's paths first, then Anthropic's, Ollama's, and the rest."""
    path = endpoint.split(" ", 1)[1]
    if path.startswith("/v1/messages"):
        return 1
    if path.startswith("/v1/"):
        return 0
    return 2 if path.startswith("/api/") else 3


def state_of(entries):
    """What a client was seen to do, by all tests of it; two that disagree are a failure to
    decide."""
    states = {entry["state"] for entry in entries}
    if "fails" in states:
        return "**fails**"
    if len(states) > 1:
        return "**fails**: said to be " + " and ".join(sorted(states))
    notes = sorted({entry["note"] for entry in entries if entry["note"]})
    return ": ".join([states.pop(), *notes])


def grouped(entries, key):
    groups = {}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return groups


def rows_of(entries):
    """{state: clients}, of one feature: clients that saw the same share a row."""
    rows = {}
    for client, seen in grouped(entries, lambda entry: entry["client"]).items():
        rows.setdefault(state_of(seen), []).append(client)
    return rows


def table(entries):
    features = grouped(entries, lambda entry: (entry["endpoint"], entry["feature"]))
    lines = []
    for endpoint, feature in sorted(features, key=lambda row: (family(row[0]), row)):
        for state, clients in sorted(rows_of(features[endpoint, feature]).items()):
            names = ", ".join(sorted(clients, key=str.lower))
            cells = (f"`{endpoint}`", feature, state, names)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return HEAD + "".join(lines)


def with_table(page, fresh):
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return before + BEGIN + fresh + END + after


def check(page, fresh):
    """What is wrong, in lines; none: the table is what the run showed, and nothing fails."""
    wrong = [line for line in fresh.splitlines() if "**fails**" in line]
    before, after = page.splitlines(), with_table(page, fresh).splitlines()
    wrong += [line for line in difflib.unified_diff(before, after, "docs/api.md", "this run",
                                                    lineterm="", n=0)]
    return wrong


def self_test():
    entry = {"endpoint": "POST /v1/x", "feature": "a", "client": "c", "state": "passes", "note": ""}
    fresh = table([entry, {**entry, "client": "B"}, {**entry, "endpoint": "GET /api/y"}])
    rows = fresh.splitlines()[2:]
    assert rows == ["| `POST /v1/x` | a | passes | B, c |", "| `GET /api/y` | a | passes | c |"]
    page = "x\n" + BEGIN + fresh + END + "y\n"
    assert check(page, fresh) == []
    assert check(page, table([entry])), "a row that no run shows any more"
    failed = table([entry, {**entry, "state": "fails", "client": "d"}])
    assert "| **fails** | d |" in failed and check(with_table(page, failed), failed)
    other = {**entry, "state": "differs", "note": "n"}
    assert "**fails**" in table([entry, other]), "one client, two states"
    apart = table([entry, {**other, "client": "d"}, {**entry, "client": "e"}]).splitlines()[2:]
    assert [row.split(" | ", 2)[2] for row in apart] == ["differs: n | d |", "passes | c, e |"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    if not RECORD.is_file():
        sys.exit(f"{RECORD} is not there: run `scripts/test.sh clients`")
    fresh = table(json.loads(RECORD.read_text(encoding="utf-8")))
    page = PAGE.read_text(encoding="utf-8")
    if not arguments.check:
        PAGE.write_text(with_table(page, fresh), encoding="utf-8")
    elif wrong := check(page, fresh):
        sys.exit("\n".join(["the table in docs/api.md is not what the clients showed:", *wrong,
                            "Where the change is meant: tools/conformance.py writes it anew."]))
    return None


if __name__ == "__main__":
    main()
