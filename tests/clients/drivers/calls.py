"""Which clients were called: a row of the conformance table may name no other.

A driver notes its name wherever it opens its library's client or starts its program.
"""

_called = set()


def note(name):
    _called.add(name)


def begin():
    """Of a test: nothing was called yet."""
    _called.clear()


def made_by(name):
    return name in _called
