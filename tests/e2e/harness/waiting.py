"""Waiting on a state with a deadline: the only kind of waiting there is in these tests."""

import time

# Long beside anything that should happen, because two cores may be shared with a build.
PATIENT_S = 60
_STEP_S = 0.005


def wait_until(predicate, what, timeout=PATIENT_S):
    """The first true value of predicate(); AssertionError with `what` if none comes in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what} (last: {value!r})")
        time.sleep(_STEP_S)  # tidy: allow(test-sleep) the interval of the one poller
