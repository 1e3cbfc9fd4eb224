#pragma once
// Whose a listening port of 127.0.0.1 is. Why: nothing keeps a port free for a command until it
// binds it, and whoever was faster would be sent its prompts. Any thread; all of /proc is looked
// through.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace hf::readers {

// The inodes of the sockets that accept connections to that port of 127.0.0.1. From the text of
// /proc/net/tcp or tcp6; lines that cannot be read are left out. Source: proc_net_tcp(5), kernel
// Documentation/networking/proc_net_tcp.rst.
std::vector<std::string> parse_listeners(std::string_view text, std::uint16_t port);

enum class Listener {
  OfTree,   // a process of the tree holds the socket
  Other,    // none of them does, and what they hold could be seen
  Unknown,  // nobody listens, or it cannot be told
};

// Of the process `root` and all below it.
Listener listener_of(int root, std::uint16_t port, const std::filesystem::path& proc = "/proc");

}  // namespace hf::readers
