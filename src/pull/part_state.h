#pragma once
// What is remembered beside a part of a download, and what follows from it: may the download go on
// where it ended, and does what the server now sends continue it? It exists apart from files and
// sockets because a wrong answer here builds a file out of two. Pure; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hf::pull {

// Kept as NAME.gguf.part.json. Nothing secret: addresses without user, key and query.
struct PartState {
  std::string source;         // where it comes from
  std::string etag;           // of the server; "": none, or a weak one
  std::string sha256;         // that the whole file should have; "": not known
  std::optional<Bytes> size;  // of the whole file
  std::string found_sha256;   // of the whole part, when it turned out to be another one

  bool operator==(const PartState&) const = default;
};
std::string to_json(const PartState& state);
std::optional<PartState> parse_state(std::string_view json);

// What is known of the file before anything is asked for.
struct Expected {
  std::string source;
  std::string sha256;
  std::optional<Bytes> size;
};

struct Start {
  Bytes from;                       // 0: anew
  std::string if_range;             // send it with the range; "": the checksum alone will tell
  std::string why_anew;             // for people, if there is a part that is of no use; else ""
  std::optional<Bytes> total = {};  // as the server said it then
};
// `there`: the part's length. Goes on only where a change of the file would show: by the server's
// ETag or by the checksum.
Start where_to_start(const std::optional<PartState>& state, Bytes there, const Expected& expected);

// What the server was asked for, and what its earlier answers and the hub said of the file.
struct Asked {
  Bytes from;
  std::string if_range;        // the tag of what is there, or ""
  bool sum_known = false;      // the checksum will tell whether the pieces belong together
  std::optional<Bytes> total;  // of the whole file
};
// What the server's answer to that is.
struct Offer {
  int status = 0;
  std::string etag;
  std::string content_range;
  std::optional<Bytes> content_length;
};
enum class Use {
  Continue,  // append
  Anew,      // the whole file from its start: empty the part first
  Complete,  // nothing is missing
  Restart,   // of no use: ask again, without a range
  Refused,   // it is no answer to a download at all
};
struct Judgement {
  Use use = Use::Refused;
  std::optional<Bytes> total;  // of the whole file
};
// Continues only what has the tag that was asked for, or a checksum, and the same length. Source:
// RFC 9110 §15.3.7.3 (parts are combined only if they share a strong validator).
Judgement judge(const Offer& offer, const Asked& asked);

// "" for a weak tag (W/"…"): it does not promise equal bytes (RFC 9110 §8.8.1).
std::string strong_etag(std::string_view etag);

}  // namespace hf::pull
