#pragma once
// Which share of a file is in the page cache now: the second tier of memory, from which an evicted
// model comes back in a fraction of the time that the disk takes. Any thread, but off the event
// loop: opening may wait for a disk or a network.
//
// Source: cachestat(2) (Linux 6.5), whose cost grows with the cached pages (0.2 ms for 8 GiB in
// large folios); else mincore(2) on a mapping, which faults nothing in, but costs 20 ns a page
// whether cached or not, so that of a large file only evenly spaced windows are looked at.

#include <filesystem>

#include "base/bytes.h"
#include "base/mechanism.h"
#include "base/result.h"

namespace hf::readers {

struct CachedBytes {
  Bytes cached;  // ≤ size
  Bytes size;
};

// By cachestat, else by mincore, without what is switched off. Errors: NotFound, PermissionDenied
// (also where the kernel tells only a file's owner or those who may write it), Unsupported (both
// are off), Io.
Result<CachedBytes> read_cached_bytes(const std::filesystem::path& path,
                                      const Mechanisms& without = {});

// The two ways by themselves. Errors of the first: Unsupported where the kernel does not have it.
Result<CachedBytes> cached_bytes_by_cachestat(const std::filesystem::path& path);
Result<CachedBytes> cached_bytes_by_mincore(const std::filesystem::path& path);

}  // namespace hf::readers
