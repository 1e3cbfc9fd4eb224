#include "config/fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/units.h"

namespace hf::config {
namespace {

template <class Enum>
struct Word {
  std::string_view text;
  Enum value;
};

constexpr std::array<Word<Language>, 2> kLanguages{
    {{"en", Language::English}, {"ru", Language::Russian}}};
constexpr std::array<Word<LogFormat>, 2> kFormats{
    {{"text", LogFormat::Text}, {"json", LogFormat::Json}}};
constexpr std::array<Word<LogLevel>, 4> kLevels{{{"debug", LogLevel::Debug},
                                                 {"info", LogLevel::Info},
                                                 {"warning", LogLevel::Warning},
                                                 {"error", LogLevel::Error}}};
constexpr std::array<Word<Role>, 3> kRoles{
    {{"user", Role::User}, {"operator", Role::Operator}, {"admin", Role::Admin}}};
constexpr std::array<Word<LoadMode>, 6> kLoadModes{{{"auto", LoadMode::Auto},
                                                    {"mmap", LoadMode::Mmap},
                                                    {"none", LoadMode::None},
                                                    {"mlock", LoadMode::Mlock},
                                                    {"mmap+mlock", LoadMode::MmapMlock},
                                                    {"dio", LoadMode::Dio}}};
constexpr std::array<Word<CacheType>, 9> kCacheTypes{{{"f32", CacheType::F32},
                                                      {"f16", CacheType::F16},
                                                      {"bf16", CacheType::Bf16},
                                                      {"q8_0", CacheType::Q8_0},
                                                      {"q4_0", CacheType::Q4_0},
                                                      {"q4_1", CacheType::Q4_1},
                                                      {"iq4_nl", CacheType::Iq4Nl},
                                                      {"q5_0", CacheType::Q5_0},
                                                      {"q5_1", CacheType::Q5_1}}};
constexpr std::array<Word<Fence>, 3> kFences{
    {{"off", Fence::Off}, {"data", Fence::Data}, {"cgroup", Fence::Cgroup}}};
constexpr std::array<Word<VictimPolicy>, 5> kPolicies{{{"holdfast", VictimPolicy::Holdfast},
                                                       {"lru", VictimPolicy::Lru},
                                                       {"lfu", VictimPolicy::Lfu},
                                                       {"gdsf", VictimPolicy::Gdsf},
                                                       {"largest", VictimPolicy::Largest}}};

std::string_view word_for_none(const SettingInfo& info) {
  if (info.may_be_off) {
    return "off";
  }
  for (const std::string_view word : {"off", "auto"}) {
    if (info.initial.starts_with('(') && info.initial.substr(1).starts_with(word)) {
      return word;
    }
  }
  return {};
}

// The end of every message: "expected a size from 1 MiB to 2 GiB, or \"auto\"".
std::string expected(const SettingInfo& info, std::string text) {
  text.insert(0, "expected ");
  if (const std::string_view word = word_for_none(info); !word.empty()) {
    text += ", or \"";
    text += word;
    text += '"';
  }
  return text;
}

Problem wrong_type(const SettingInfo& info, const Value& value, std::string what_fits) {
  return (info.secret ? "the value" : value.shown()) + " is not of the right type, " +
         expected(info, std::move(what_fits));
}

Problem out_of_range(const SettingInfo& info, const Value& value, std::string what_fits) {
  return value.shown() + " is out of range, " + expected(info, std::move(what_fits));
}

bool within(const Limits& limits, double number) {
  return number >= limits.least && number <= limits.most;
}

bool has_control_character(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return true;
    }
  }
  return false;
}

std::string plain(double number) {
  std::array<char, 32> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::fixed);
  return {buffer.data(), error == std::errc{} ? end : buffer.data()};
}

std::string range_text(std::string_view type, const Limits& limits) {
  return std::string(type) + " from " + plain(limits.least) + " to " + plain(limits.most);
}

std::string size_range(const Limits& limits) {
  return "a size from " + format_bytes(Bytes(static_cast<std::int64_t>(limits.least))) + " to " +
         format_bytes(Bytes(static_cast<std::int64_t>(limits.most))) +
         " such as \"5GiB\" or \"48GB\"; a bare number is bytes";
}

std::string duration_range(const Limits& limits) {
  return "a duration from " + format_duration(duration_of_seconds(limits.least)) + " to " +
         format_duration(duration_of_seconds(limits.most)) + " such as \"30s\" or \"500ms\"";
}

template <class Enum, std::size_t N>
Problem read_word(const SettingInfo& info, const Value& value,
                  const std::array<Word<Enum>, N>& words, Enum& out) {
  const auto* text = std::get_if<std::string>(&value.data);
  std::string choices = "one of";
  for (const Word<Enum>& word : words) {
    if (text != nullptr && *text == word.text) {
      out = word.value;
      return std::nullopt;
    }
    choices += choices.back() == '"' ? ", \"" : " \"";
    choices += word.text;
    choices += '"';
  }
  return value.shown() + " is not known here, " + expected(info, std::move(choices));
}

}  // namespace

std::string_view type_of(Tag<bool>) {
  return "true or false";
}
std::string_view type_of(Tag<int>) {
  return "whole number";
}
std::string_view type_of(Tag<double>) {
  return "percent";
}
std::string_view type_of(Tag<Bytes>) {
  return "size";
}
std::string_view type_of(Tag<Duration>) {
  return "duration";
}
std::string_view type_of(Tag<std::string>) {
  return "text";
}
std::string_view type_of(Tag<std::filesystem::path>) {
  return "path";
}
std::string_view type_of(Tag<std::vector<std::string>>) {
  return "list of texts";
}
std::string_view type_of(Tag<std::vector<SocketAddress>>) {
  return "address";
}
std::string_view type_of(Tag<std::vector<int>>) {
  return "list of whole numbers";
}
std::string_view type_of(Tag<std::vector<Bytes>>) {
  return "size or list of sizes";
}
std::string_view type_of(Tag<GpuLayers>) {
  return "whole number or `\"all\"`";
}
std::string_view type_of(Tag<Language>) {
  return "`\"en\"` or `\"ru\"`";
}
std::string_view type_of(Tag<LogFormat>) {
  return "`\"text\"` or `\"json\"`";
}
std::string_view type_of(Tag<LogLevel>) {
  return "`\"debug\"`, `\"info\"`, `\"warning\"`, `\"error\"`";
}
std::string_view type_of(Tag<Role>) {
  return "`\"user\"`, `\"operator\"`, `\"admin\"`";
}
std::string_view type_of(Tag<LoadMode>) {
  return "`\"auto\"`, `\"mmap\"`, `\"none\"`, `\"mlock\"`, `\"mmap+mlock\"`, `\"dio\"`";
}
std::string_view type_of(Tag<CacheType>) {
  return "`\"f32\"`, `\"f16\"`, `\"bf16\"`, `\"q8_0\"`, `\"q4_0\"`, `\"q4_1\"`, `\"iq4_nl\"`, "
         "`\"q5_0\"`, `\"q5_1\"`";
}
std::string_view type_of(Tag<VictimPolicy>) {
  return "`\"holdfast\"`, `\"lru\"`, `\"lfu\"`, `\"gdsf\"`, `\"largest\"`";
}
std::string_view type_of(Tag<Mechanisms>) {
  return "list of texts";
}
std::string_view type_of(Tag<Fence>) {
  return "`\"off\"`, `\"data\"`, `\"cgroup\"`";
}

Problem read(const SettingInfo& info, const Value& value, bool& out) {
  const auto* flag = std::get_if<bool>(&value.data);
  if (flag == nullptr) {
    return wrong_type(info, value, "true or false");
  }
  out = *flag;
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, int& out) {
  const std::string what_fits = range_text("a whole number", info.limits);
  const auto* number = std::get_if<std::int64_t>(&value.data);
  if (number == nullptr) {
    return wrong_type(info, value, what_fits);
  }
  if (!within(info.limits, static_cast<double>(*number))) {
    return out_of_range(info, value, what_fits);
  }
  out = static_cast<int>(*number);
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, double& out) {
  const std::string what_fits = range_text("a percentage", info.limits);
  double number = 0;
  if (const auto* whole = std::get_if<std::int64_t>(&value.data)) {
    number = static_cast<double>(*whole);
  } else if (const auto* real = std::get_if<double>(&value.data)) {
    number = *real;
  } else {
    return wrong_type(info, value, what_fits);
  }
  if (!within(info.limits, number)) {  // also false for nan
    return out_of_range(info, value, what_fits);
  }
  out = number;
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, Bytes& out) {
  const std::string what_fits = size_range(info.limits);
  Bytes bytes;
  if (const auto* number = std::get_if<std::int64_t>(&value.data)) {
    bytes = Bytes(*number);
  } else if (const auto* text = std::get_if<std::string>(&value.data)) {
    const auto parsed = parse_bytes(*text);
    if (!parsed) {
      return value.shown() + " is not a size, " + expected(info, what_fits);
    }
    bytes = *parsed;
  } else {
    return wrong_type(info, value, what_fits);
  }
  if (!within(info.limits, static_cast<double>(bytes.count))) {
    return out_of_range(info, value, what_fits);
  }
  out = bytes;
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, Duration& out) {
  const std::string what_fits = duration_range(info.limits);
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr) {
    return wrong_type(info, value, what_fits);  // a bare number would hide its unit
  }
  const auto parsed = parse_duration(*text);
  if (!parsed) {
    return value.shown() + " is not a duration, " + expected(info, what_fits);
  }
  if (!within(info.limits, seconds_of(*parsed))) {
    return out_of_range(info, value, what_fits);
  }
  out = *parsed;
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, std::string& out) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr) {
    return wrong_type(info, value, "a text in quotes");
  }
  if (text->empty() || has_control_character(*text)) {
    return value.shown() + " is empty or holds a control character, " +
           expected(info, "a text of one line");
  }
  out = *text;
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, std::filesystem::path& out) {
  std::string text;
  if (Problem problem = read(info, value, text)) {
    return problem;
  }
  out = text;
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, std::vector<std::string>& out) {
  const auto* list = std::get_if<std::vector<std::string>>(&value.data);
  if (list == nullptr) {
    return wrong_type(info, value, "a list of texts such as [\"a\", \"b\"]");
  }
  for (const std::string& item : *list) {
    if (item.find('\0') != std::string::npos) {
      return (info.secret ? "the value" : value.shown()) + " holds a NUL character, " +
             expected(info, "plain text");
    }
  }
  out = *list;
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, std::vector<SocketAddress>& out) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr) {
    return wrong_type(info, value, "an address such as \"127.0.0.1:11435\"");
  }
  auto parsed = parse_listen(*text);
  if (!parsed) {
    return parsed.error().message;
  }
  out = std::move(*parsed);
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, std::vector<int>& out) {
  const std::string what_fits = "a list of " + range_text("whole numbers", info.limits);
  const auto* texts = std::get_if<std::vector<std::string>>(&value.data);
  const auto* numbers = std::get_if<std::vector<std::int64_t>>(&value.data);
  const bool nothing = texts != nullptr && texts->empty();  // "[]" is a list of anything
  if (numbers == nullptr && !nothing) {
    return wrong_type(info, value, what_fits);
  }
  std::vector<int> result;
  for (const std::int64_t number : nothing ? std::vector<std::int64_t>{} : *numbers) {
    if (!within(info.limits, static_cast<double>(number))) {
      return std::to_string(number) + " is out of range, " + expected(info, what_fits);
    }
    const int small = static_cast<int>(number);
    if (std::find(result.begin(), result.end(), small) != result.end()) {
      return std::to_string(number) + " is there twice, " + expected(info, what_fits);
    }
    result.push_back(small);
  }
  out = std::move(result);
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, std::vector<Bytes>& out) {
  const auto* texts = std::get_if<std::vector<std::string>>(&value.data);
  const auto* numbers = std::get_if<std::vector<std::int64_t>>(&value.data);
  const std::size_t count = texts != nullptr     ? texts->size()
                            : numbers != nullptr ? numbers->size()
                                                 : 1;
  std::vector<Bytes> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    Value item = value;
    if (texts != nullptr) {
      item.data = (*texts)[i];
    } else if (numbers != nullptr) {
      item.data = (*numbers)[i];
    }
    if (Problem problem = read(info, item, result[i])) {
      return problem;
    }
  }
  out = std::move(result);
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, GpuLayers& out) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (text != nullptr && *text == "all") {
    out.count = GpuLayers::kAll;
    return std::nullopt;
  }
  const std::string what_fits = range_text("a whole number", info.limits) + " or \"all\"";
  const auto* number = std::get_if<std::int64_t>(&value.data);
  if (number == nullptr) {
    return wrong_type(info, value, what_fits);
  }
  if (!within(info.limits, static_cast<double>(*number))) {
    return out_of_range(info, value, what_fits);
  }
  out.count = static_cast<int>(*number);
  return std::nullopt;
}

Problem read(const SettingInfo& info, const Value& value, Language& out) {
  return read_word(info, value, kLanguages, out);
}
Problem read(const SettingInfo& info, const Value& value, LogFormat& out) {
  return read_word(info, value, kFormats, out);
}
Problem read(const SettingInfo& info, const Value& value, LogLevel& out) {
  return read_word(info, value, kLevels, out);
}
Problem read(const SettingInfo& info, const Value& value, Role& out) {
  return read_word(info, value, kRoles, out);
}
Problem read(const SettingInfo& info, const Value& value, LoadMode& out) {
  return read_word(info, value, kLoadModes, out);
}
Problem read(const SettingInfo& info, const Value& value, CacheType& out) {
  return read_word(info, value, kCacheTypes, out);
}
Problem read(const SettingInfo& info, const Value& value, VictimPolicy& out) {
  return read_word(info, value, kPolicies, out);
}
Problem read(const SettingInfo& info, const Value& value, Fence& out) {
  return read_word(info, value, kFences, out);
}

Problem read(const SettingInfo& info, const Value& value, Mechanisms& out) {
  std::string choices = "a list of some of";
  for (const MechanismWord& known : kMechanisms) {
    choices += choices.back() == '"' ? ", \"" : " \"";
    choices += known.word;
    choices += '"';
  }
  const auto* list = std::get_if<std::vector<std::string>>(&value.data);
  if (list == nullptr) {
    return wrong_type(info, value, std::move(choices));
  }
  Mechanisms mechanisms;
  for (const std::string& word : *list) {
    const auto mechanism = mechanism_named(word);
    if (!mechanism) {
      Value wrong;
      wrong.data = word;
      return wrong.shown() + " is not known here, " + expected(info, std::move(choices));
    }
    mechanisms.add(*mechanism);
  }
  out = mechanisms;
  return std::nullopt;
}

bool is_word_for_none(const SettingInfo& info, const Value& value) {
  const auto* text = std::get_if<std::string>(&value.data);
  const std::string_view word = word_for_none(info);
  return text != nullptr && !word.empty() && *text == word;
}

std::string_view to_text(Role role) {
  for (const Word<Role>& word : kRoles) {
    if (word.value == role) {
      return word.text;
    }
  }
  return "user";
}

std::string_view to_text(LoadMode mode) {
  for (const Word<LoadMode>& word : kLoadModes) {
    if (word.value == mode) {
      return word.text;
    }
  }
  return "auto";
}

std::string_view to_text(CacheType type) {
  for (const Word<CacheType>& word : kCacheTypes) {
    if (word.value == type) {
      return word.text;
    }
  }
  return "f16";
}

bool is_quantised(CacheType type) {
  return type != CacheType::F32 && type != CacheType::F16 && type != CacheType::Bf16;
}

}  // namespace hf::config
