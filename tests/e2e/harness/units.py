"""Sizes as Holdfast writes them in its log, in bytes."""

_FACTORS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}


def bytes_of_text(text):
    """"5.02 GiB" → its bytes, as exact as the text."""
    number, unit = text.split()
    return round(float(number) * _FACTORS[unit])
