#pragma once
// The hub's interface: where its lists and files are, and what a list says. The answers come from
// outside and are only read. Pure; any thread. Source: the documentation of the Hub API ("tree",
// "resolve"), and its answers.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "pull/source.h"

namespace hf::pull {

struct HubFile {
  std::string path;           // in the repository
  std::optional<Bytes> size;  // nullopt: the hub does not say
  std::string sha256;  // lower case; "": the hub does not say (a file that is not in its LFS)
};

std::string list_address(std::string_view endpoint, const Source& source);
std::string file_address(std::string_view endpoint, const Source& source, std::string_view path);
// The page where people accept a licence.
std::string page_address(std::string_view endpoint, const Source& source);

// One page of a list; folders and files that are no models are left out, and so are those whose
// names are longer than any file's or would not be safe to show. Errors: Corrupt.
Result<std::vector<HubFile>> parse_list(std::string_view json);

// The address with rel="next" of a Link header (RFC 8288), or "".
std::string next_page(std::string_view link);

// 64 hexadecimal digits, in lower case; "" if it is none.
std::string normal_sha256(std::string_view text);

}  // namespace hf::pull
