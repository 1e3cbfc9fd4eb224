#include "readers/port_listener.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstdio>
#include <system_error>

#include "readers/proc_file.h"
#include "readers/process_tree.h"

namespace hf::readers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";

std::string hex(std::uint32_t number, int digits) {
  char text[9];
  std::snprintf(text, sizeof text, "%0*X", digits, number);
  return text;
}

// The kernel prints an address as the words of memory that it is.
bool takes_loopback(std::string_view address) {
  const std::string loopback = hex(htonl(INADDR_LOOPBACK), 8);
  const bool any = address.find_first_not_of('0') == std::string_view::npos;
  const bool v6 = address.size() > loopback.size();
  const std::string mapped = std::string(16, '0') + hex(htonl(0xffff), 8) + loopback;
  return any || address == (v6 ? mapped : loopback);
}

enum class Holds { Yes, No, CannotTell };

Holds holds_one_of(const fs::path& process, const std::vector<std::string>& inodes) {
  std::error_code error;
  fs::directory_iterator entry(process / "fd", error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry->path(), gone).string();
    if (!gone && std::any_of(inodes.begin(), inodes.end(), [&target](const std::string& inode) {
          return target == "socket:[" + inode + "]";
        })) {
      return Holds::Yes;
    }
  }
  return error == std::errc::permission_denied ? Holds::CannotTell : Holds::No;
}

}  // namespace

std::vector<std::string> parse_listeners(std::string_view text, std::uint16_t port) {
  // "  0: 0100007F:2CAB 00000000:0000 0A queue timer retransmits uid timeout inode …"
  constexpr std::size_t kLocal = 1;
  constexpr std::size_t kState = 3;
  constexpr std::size_t kInode = 9;
  const std::string wanted = hex(port, 4);
  std::vector<std::string> inodes;
  for (const std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.size() <= kInode || words[kState] != kListening) {
      continue;
    }
    const std::string_view local = words[kLocal];
    const std::size_t colon = local.find(':');
    if (colon != std::string_view::npos && local.substr(colon + 1) == wanted &&
        takes_loopback(local.substr(0, colon))) {
      inodes.emplace_back(words[kInode]);
    }
  }
  return inodes;
}

Listener listener_of(int root, std::uint16_t port, const fs::path& proc) {
  std::vector<std::string> inodes;
  for (const char* table : {"net/tcp", "net/tcp6"}) {
    if (const auto text = read_small_file(proc / table)) {
      const std::vector<std::string> found = parse_listeners(*text, port);
      inodes.insert(inodes.end(), found.begin(), found.end());
    }
  }
  if (inodes.empty()) {
    return Listener::Unknown;
  }
  bool all_seen = true;
  for (const int pid : process_tree(root, proc)) {
    const Holds holds = holds_one_of(proc / std::to_string(pid), inodes);
    if (holds == Holds::Yes) {
      return Listener::OfTree;
    }
    all_seen = all_seen && holds == Holds::No;
  }
  return all_seen ? Listener::Other : Listener::Unknown;
}

}  // namespace hf::readers
