#pragma once
// Reading small kernel files whole, and the few ways their lines are built. It exists so that every
// parser takes text and only this file touches the file system. Any thread; /proc and /sys answer
// from memory, so a read does not block on a disk.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hf::readers {

// Errors: NotFound, PermissionDenied, Io; Corrupt above 1 MiB, which no file read here ever is.
Result<std::string> read_small_file(const std::filesystem::path& path);

// The lines without their ends; an empty last line is left out.
std::vector<std::string_view> lines_of(std::string_view text);
// The words between blanks and tabs.
std::vector<std::string_view> words_of(std::string_view line);
// Digits only, nothing else, within 63 bits.
std::optional<std::int64_t> parse_number(std::string_view word);

// The number that a file's first line is, and nothing else: "max" is none, nor is a missing file.
std::optional<std::int64_t> read_number_file(const std::filesystem::path& path);

// "KEY:   123 kB", the form of /proc/meminfo, /proc/PID/status and smaps_rollup; the kernel's kB is
// 1024 bytes. None if the key is missing or its line is not of that form.
std::optional<Bytes> find_kib(std::string_view text, std::string_view key);
// "KEY 123", the form of a cgroup's memory.stat; bytes.
std::optional<Bytes> find_stat(std::string_view text, std::string_view key);

}  // namespace hf::readers
