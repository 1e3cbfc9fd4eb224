"""Calls that run beside a test."""

import threading

from harness.waiting import PATIENT_S


class InBackground(threading.Thread):
    """A call whose result somebody asks for later."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self._call = call
        self._outcome = None
        self.start()

    @property
    def is_over(self):
        return self._outcome is not None

    def run(self):
        try:
            self._outcome = (self._call(), None)
        except BaseException as error:  # told by result()
            self._outcome = (None, error)

    def result(self):
        self.join(PATIENT_S)
        assert self._outcome, "it did not end"
        value, error = self._outcome
        if error:
            raise error
        return value
