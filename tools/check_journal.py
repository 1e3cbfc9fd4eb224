#!/usr/bin/env python3
"""Audits a journal ([store] journal = "FILE") against the promise, without any of Holdfast's code.

  tools/check_journal.py JOURNAL          exit status 1 when a rule is broken
  tools/check_journal.py JOURNAL --open   requests and children may still be there at the end
                                          (the server runs, or it was killed)

The journal is one JSON object a line; a server that starts again appends to it, with generations
and request numbers that begin anew. What is checked:
  no-signal-in-use      a child was told to stop while a request held it (force and the drain
                        deadline excepted: they cut its requests first)
  no-signal-loading     a child was told to stop while it loaded (force and shutdown excepted)
  one-child             two living children of one model, or a generation used twice
  grant-when-ready      a request was granted a child that was not ready, or told to stop
  one-outcome           a grant without exactly one release or cut
  lease-count           the `leases` of a line is not what the lines before it add up to
  order                 time went back, a line out of place, or a line that is no JSON
"""

import argparse
import collections
import json
import pathlib
import sys
from typing import NamedTuple, Optional

# `why` of a stop_signal that may reach a child which is in use or loading.
FORCED = {"forced", "forced_by_hand", "drain_deadline"}
MAY_STOP_LOADING = FORCED | {"shutdown"}

MOST_SHOWN = 20  # one fault repeats itself; their number says the rest

LOADING, READY, STOPPING, GONE = "loading", "ready", "stopping", "gone"


class Finding(NamedTuple):
    """One broken rule."""

    line: int
    rule: str
    text: str

    def __str__(self):
        return f"line {self.line}: {self.rule}: {self.text}"


class Child:
    """One generation of one model."""

    def __init__(self, model, generation, pid, line):
        self.model = model
        self.generation = generation
        self.pid = pid
        self.line = line
        self.state = LOADING
        self.holders = {}  # request -> line of its grant

    def __str__(self):
        return f"{self.model} generation {self.generation}"


class Audit:
    """Reads line after line; `findings` holds what was wrong, `counts` the events by name."""

    def __init__(self):
        self.findings = []
        self.counts = collections.Counter()
        self.most_leases = 0
        self.crashes = 0  # exits that nobody asked for
        self._line = 0
        self._time = None
        self._shutting_down = False
        self._children = {}  # model -> its newest child
        self._holding = {}  # request -> the child it holds
        self._ended = {}  # request -> line of its release or cut

    def read(self, text):
        self._line += 1
        try:
            event = json.loads(text)
        except ValueError:
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            self._wrong("order", "not a JSON object with an event")
            return
        if event["event"] == "start" or (event["event"] == "spawn" and self._has_ended()):
            self._forget()
        time = event.get("t_ms")
        if not isinstance(time, (int, float)):
            self._wrong("order", "no t_ms")
        else:
            if self._time is not None and time < self._time:
                self._wrong("order", f"t_ms went back from {self._time} to {time}")
            self._time = time
        self.counts[event["event"]] += 1
        handler = getattr(self, "_on_" + event["event"], None)
        if handler:
            handler(event)

    def end(self, open_ended=False):
        """After the last line. `open_ended`: what still runs is no fault."""
        if open_ended:
            return
        for child in self._children.values():
            for request, line in child.holders.items():
                self._wrong("one-outcome",
                            f"request {request} (granted in line {line}) never ended")
            if child.state != GONE:
                self._wrong("order", f"{child} (spawned in line {child.line}) never exited")

    def _wrong(self, rule, text):
        self.findings.append(Finding(self._line, rule, text))

    def _child_of(self, event) -> Optional[Child]:
        """The child that the line is about, if it is the model's newest."""
        child = self._children.get(event.get("model"))
        if child is None or event.get("generation", child.generation) != child.generation:
            self._wrong("order", f"{event['event']} of {event.get('model')} generation "
                                 f"{event.get('generation')}, which was not spawned last")
            return None
        if "pid" in event and event["pid"] != child.pid:
            self._wrong("order", f"{child} has pid {child.pid}, the line says {event['pid']}")
        return child

    def _check_leases(self, event, child):
        if "leases" in event and event["leases"] != len(child.holders):
            self._wrong("lease-count",
                        f"{event['event']} of {child} says {event['leases']} leases, "
                        f"the lines before it add up to {len(child.holders)}")

    def _on_shutdown(self, _event):
        self._shutting_down = True

    def _has_ended(self):
        """The server was shut down and nothing is left of it."""
        return (self._shutting_down and not self._holding
                and all(child.state == GONE for child in self._children.values()))

    def _forget(self):
        """Another server begins. What a killed one left died with it."""
        self._children, self._holding, self._ended = {}, {}, {}
        self._time = None
        self._shutting_down = False

    def _on_spawn(self, event):
        model, generation = event.get("model"), event.get("generation")
        before = self._children.get(model)
        if before is not None:
            if before.state != GONE:
                self._wrong("one-child", f"{before} (pid {before.pid}) still lives")
            if generation <= before.generation:
                self._wrong("one-child", f"generation {generation} of {model} after "
                                         f"{before.generation}")
        self._children[model] = Child(model, generation, event.get("pid"), self._line)

    def _on_respawn(self, event):
        """The same generation once more, as another process: nobody was told of the first one."""
        child = self._children.get(event.get("model"))
        if child is None or event.get("generation") != child.generation:
            self._wrong("order", f"respawn of {event.get('model')} generation "
                                 f"{event.get('generation')}, which was not spawned last")
            return
        if child.state != LOADING:
            self._wrong("order", f"{child} was spawned again while {child.state}")
        child.pid = event.get("pid")

    def _on_ready(self, event):
        child = self._child_of(event)
        if child is None:
            return
        if child.state == LOADING:
            child.state = READY
        elif child.state != STOPPING:  # it may have become ready before it saw the signal
            self._wrong("order", f"{child} became ready while {child.state}")

    def _on_grant(self, event):
        child = self._child_of(event)
        request = event.get("request")
        if child is None:
            return
        if child.state != READY:
            self._wrong("grant-when-ready", f"request {request} was granted {child}, which is "
                                            f"{child.state}")
        if request in self._holding or request in self._ended:
            self._wrong("one-outcome", f"request {request} was granted twice")
        child.holders[request] = self._line
        self._holding[request] = child
        self.most_leases = max(self.most_leases, len(self._holding))
        self._check_leases(event, child)

    def _on_release(self, event):
        self._end_of_lease(event)

    def _on_cut(self, event):
        self._end_of_lease(event)

    def _end_of_lease(self, event):
        request = event.get("request")
        child = self._holding.pop(request, None)
        if child is None:
            what = f"ended in line {self._ended[request]}" if request in self._ended \
                else "was never granted"
            self._wrong("one-outcome", f"{event['event']} of request {request}, which {what}")
            return
        self._ended[request] = self._line
        del child.holders[request]
        if child.model != event.get("model"):
            self._wrong("order", f"request {request} held {child}, not {event.get('model')}")
        if child.state != GONE:
            self._check_leases(event, child)

    def _on_stop_signal(self, event):
        child = self._child_of(event)
        if child is None:
            return
        why = event.get("why", event.get("reason"))
        if child.holders and why not in FORCED:
            self._wrong("no-signal-in-use", f"{child} was told to stop ({why}) while held by "
                                            f"{', '.join(map(str, child.holders))}")
        if child.state == LOADING and why not in MAY_STOP_LOADING:
            self._wrong("no-signal-loading", f"{child} was told to stop ({why}) while it loaded")
        if child.state == GONE:
            self._wrong("order", f"{child} was told to stop after its exit")
            return
        self._check_leases(event, child)
        child.state = STOPPING

    def _on_exit(self, event):
        child = self._child_of(event)
        if child is None:
            return
        if child.state == GONE:
            self._wrong("order", f"{child} exited twice")
        if child.state == READY or child.state == LOADING:
            self.crashes += 1
        child.state = GONE


def audit(lines, open_ended=False):
    """The Audit of a journal's lines."""
    result = Audit()
    for line in lines:
        result.read(line)
    result.end(open_ended)
    return result


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("journal", type=pathlib.Path, metavar="JOURNAL")
    parser.add_argument("--open", action="store_true", dest="open_ended",
                        help="requests and children may still be there at the end")
    options = parser.parse_args(arguments)
    try:
        with options.journal.open(encoding="utf-8") as lines:
            result = audit(lines, options.open_ended)
    except (OSError, UnicodeDecodeError) as error:
        print(f"error: {options.journal}: {error}", file=sys.stderr)
        return 1
    for finding in result.findings[:MOST_SHOWN]:
        print(f"{options.journal}: {finding}")
    by_rule = collections.Counter(finding.rule for finding in result.findings)
    for rule, count in sorted(by_rule.items()):
        print(f"{options.journal}: {rule}: {count} times")
    events = ", ".join(f"{count} {name}" for name, count in sorted(result.counts.items()))
    print(f"{sum(result.counts.values())} lines ({events or 'none'}); "
          f"at most {result.most_leases} leases at once; {result.crashes} crashes; "
          f"{len(result.findings)} rules broken")
    # No line at all proves nothing: the wrong file, or a journal that is not written.
    return 1 if result.findings or not result.counts else 0


if __name__ == "__main__":
    sys.exit(main())
