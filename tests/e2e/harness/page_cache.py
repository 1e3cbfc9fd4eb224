"""The page cache: who first touches a file pays for its pages, so a test says who that is."""

import os


def forget(path):
    """Takes the file out of the page cache, but for pages that somebody maps."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # dirty pages would stay
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)

