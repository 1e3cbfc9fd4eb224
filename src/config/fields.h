#pragma once
// How a TOML value becomes a field of a given C++ type, and how the type is called in messages and
// in the reference. One overload pair per type: `type_of` (its name) and `read` (the conversion
// with its limits). Internal to src/config; pure, any thread.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "config/config.h"
#include "config/settings.h"

namespace hf::config {

// The types a setting may have; T is only a tag here.
template <class T>
struct Tag {};

std::string_view type_of(Tag<bool>);
std::string_view type_of(Tag<int>);
std::string_view type_of(Tag<double>);
std::string_view type_of(Tag<Bytes>);
std::string_view type_of(Tag<Duration>);
std::string_view type_of(Tag<std::string>);
std::string_view type_of(Tag<std::filesystem::path>);
std::string_view type_of(Tag<std::vector<std::string>>);
std::string_view type_of(Tag<std::vector<SocketAddress>>);
std::string_view type_of(Tag<std::vector<int>>);
std::string_view type_of(Tag<std::vector<Bytes>>);
std::string_view type_of(Tag<GpuLayers>);
std::string_view type_of(Tag<Language>);
std::string_view type_of(Tag<LogFormat>);
std::string_view type_of(Tag<LogLevel>);
std::string_view type_of(Tag<Role>);
std::string_view type_of(Tag<LoadMode>);
std::string_view type_of(Tag<CacheType>);
std::string_view type_of(Tag<VictimPolicy>);
std::string_view type_of(Tag<Mechanisms>);
std::string_view type_of(Tag<Fence>);
template <class T>
std::string_view type_of(Tag<std::optional<T>>) {
  return type_of(Tag<T>{});
}

// Each sets `out` and returns nothing, or leaves it alone and returns what is wrong and was
// expected.
Problem read(const SettingInfo& info, const Value& value, bool& out);
Problem read(const SettingInfo& info, const Value& value, int& out);
Problem read(const SettingInfo& info, const Value& value, double& out);
Problem read(const SettingInfo& info, const Value& value, Bytes& out);
Problem read(const SettingInfo& info, const Value& value, Duration& out);
Problem read(const SettingInfo& info, const Value& value, std::string& out);
Problem read(const SettingInfo& info, const Value& value, std::filesystem::path& out);
Problem read(const SettingInfo& info, const Value& value, std::vector<std::string>& out);
Problem read(const SettingInfo& info, const Value& value, std::vector<SocketAddress>& out);
Problem read(const SettingInfo& info, const Value& value, std::vector<int>& out);
Problem read(const SettingInfo& info, const Value& value, std::vector<Bytes>& out);
Problem read(const SettingInfo& info, const Value& value, GpuLayers& out);
Problem read(const SettingInfo& info, const Value& value, Language& out);
Problem read(const SettingInfo& info, const Value& value, LogFormat& out);
Problem read(const SettingInfo& info, const Value& value, LogLevel& out);
Problem read(const SettingInfo& info, const Value& value, Role& out);
Problem read(const SettingInfo& info, const Value& value, LoadMode& out);
Problem read(const SettingInfo& info, const Value& value, CacheType& out);
Problem read(const SettingInfo& info, const Value& value, VictimPolicy& out);
Problem read(const SettingInfo& info, const Value& value, Mechanisms& out);
Problem read(const SettingInfo& info, const Value& value, Fence& out);

// True if the value is the word that stands for "nothing fixed" here: "off" or "auto".
bool is_word_for_none(const SettingInfo& info, const Value& value);

template <class T>
Problem read(const SettingInfo& info, const Value& value, std::optional<T>& out) {
  if (is_word_for_none(info, value)) {
    out.reset();
    return std::nullopt;
  }
  T parsed{};
  if (Problem problem = read(info, value, parsed)) {
    return problem;
  }
  out = std::move(parsed);
  return std::nullopt;
}

}  // namespace hf::config
