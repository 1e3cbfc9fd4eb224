#include "engine/find_engine.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace hf::engine {
namespace {

namespace fs = std::filesystem;

fs::path cache_home() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return cache;
  }
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/root" : home) / ".cache";
}

// The newest engine that `make build` left in the cache.
std::string cached_engine() {
  std::error_code error;
  std::string newest;
  fs::file_time_type newest_time{};
  for (const auto& entry : fs::directory_iterator(cache_home() / "holdfast" / "engine", error)) {
    const fs::path program = entry.path() / "llama-server";
    if (::access(program.c_str(), X_OK) != 0) {
      continue;
    }
    const auto time = fs::last_write_time(program, error);
    if (newest.empty() || time > newest_time) {
      newest = program.string();
      newest_time = time;
    }
  }
  return newest;
}

}  // namespace

std::string search_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const auto end = rest.find(':');
    const fs::path candidate = fs::path(rest.substr(0, end)) / program;
    if (::access(candidate.c_str(), X_OK) == 0) {
      return candidate.string();
    }
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return {};
}

Result<std::string> find_engine_program(const config::EngineConfig& config) {
  if (config.llama_server) {
    const std::string given = config.llama_server->string();
    const std::string program = given.find('/') == std::string::npos ? search_path(given) : given;
    if (program.empty()) {
      return fail(Errc::NotFound, "engine.llama_server: " + given + " is not on PATH");
    }
    return program;
  }
  std::array<char, 4096> self{};
  const auto length = ::readlink("/proc/self/exe", self.data(), self.size() - 1);
  if (length > 0) {
    const fs::path beside = fs::path(self.data()).parent_path() / "llama-server";
    if (::access(beside.c_str(), X_OK) == 0) {
      return beside.string();
    }
  }
  for (std::string program : {cached_engine(), search_path("llama-server")}) {
    if (!program.empty()) {
      return program;
    }
  }
  return fail(Errc::NotFound,
              "no llama-server found beside this program, in the cache or on PATH; run `make "
              "build`, or name one: [engine] llama_server = \"/path/to/llama-server\"");
}

}  // namespace hf::engine
