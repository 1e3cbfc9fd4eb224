"""The wait bounds that /health publishes while a test runs."""

import collections
import threading
import time

_EVERY_S = 0.05


class PublishedBounds:
    """Looks at /health again and again while its block runs. Only of use for models with a single
    waiting request: of several, /health shows the latest deadline."""

    def __init__(self, server):
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        # model → [(before the question, after the answer, bound_s)], monotonic seconds
        self._samples = collections.defaultdict(list)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def first(self, model):
        """The first published bound in seconds; None while none was seen."""
        samples = self._samples[model]
        return samples[0][2] if samples else None

    def moved_later_s(self, model):
        """By how much its deadline moved later at most: for certain, whenever the answers were
        made between question and arrival. Not more than 0 for an honest server. A figure that is
        the same as in the answer before is of an older moment and says nothing new."""
        worst, earliest, last = 0.0, float("inf"), None
        for before, after, bound in self._samples[model]:
            if bound is None:
                return float("inf")
            if bound != last:
                worst = max(worst, before + bound - earliest)
                earliest = min(earliest, after + bound)
            last = bound
        return worst

    def _look(self):
        while not self._over.wait(_EVERY_S):
            before = time.monotonic()
            waiting = self._server.health()["waiting"]
            after = time.monotonic()
            for wait in waiting:
                self._samples[wait["model"]].append((before, after, wait["bound_s"]))
