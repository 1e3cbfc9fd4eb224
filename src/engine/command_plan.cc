#include "engine/command_plan.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "config/placeholders.h"

namespace hf::engine {
namespace {

using config::any_holds;
using config::kPlaceholders;

// Shorter ones are ports, switches and numbers: taking them out would make a log unreadable.
constexpr std::size_t kLeastValue = 8;
constexpr std::size_t kLeastSecret = 4;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string_view name_of(std::string_view text) {
  return text.substr(0, text.find('='));
}

std::string assignment(std::string_view name, std::string_view value) {
  std::string text(name);
  return text.append("=").append(value);
}

void assign(std::vector<std::string>& environment, std::string fresh) {
  const std::string_view name = name_of(fresh);
  const auto known = std::find_if(environment.begin(), environment.end(),
                                  [name](const std::string& one) { return name_of(one) == name; });
  if (known == environment.end()) {
    environment.push_back(std::move(fresh));
  } else {
    *known = std::move(fresh);
  }
}

// "--api-key", "HF_TOKEN": one of their words says what it is. "--max-tokens" and "--tokenizer" do
// not.
bool names_a_secret(std::string_view name) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"key", "apikey", "token", "secret", "password", "passwd", "passphrase", "auth",
       "authorization", "credential", "credentials"});
  std::string word;
  const auto is_one = [&] { return std::find(kWords.begin(), kWords.end(), word) != kWords.end(); };
  for (const char c : name) {
    if (c == '-' || c == '_' || c == '.') {
      if (is_one()) {
        return true;
      }
      word.clear();
    } else {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return is_one();
}

// Programs print their environment as JSON, too, and credentials are often JSON themselves.
std::string as_in_json(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    escaped.append(c == '"' || c == '\\' ? "\\" : "").push_back(c);
  }
  return escaped;
}

// FNV-1a: the same in every version of this program, and enough to tell two plans apart.
class Fingerprint {
 public:
  void add(std::string_view text) {
    for (const char c : text) {
      mix(static_cast<unsigned char>(c));
    }
    mix(0x100);  // no byte: the end of a word
  }
  void add(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      add(word);
    }
    mix(0x101);
  }
  [[nodiscard]] std::string text() const {
    std::array<char, 17> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash_, 16).ptr;
    return {digits.data(), end};
  }

 private:
  void mix(std::uint64_t value) {
    hash_ ^= value;
    hash_ *= 0x100000001b3;
  }
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

// "cuda12" is number 12 of the family "cuda".
std::optional<std::size_t> number_in(std::string_view name, std::string_view family) {
  if (!name.starts_with(family)) {
    return std::nullopt;
  }
  std::size_t number = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + family.size(), end, number);
  return error == std::errc{} && stop == end ? std::optional(number) : std::nullopt;
}

// The n-th of those that are visible to us, as their variable calls it.
std::string device_word(std::size_t number, const std::optional<std::string>& visible) {
  if (!visible) {
    return std::to_string(number);
  }
  std::string_view rest = *visible;
  for (; number > 0; --number) {
    rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
  }
  return std::string(rest.substr(0, rest.find(',')));
}

std::optional<std::string> only_of(std::string_view family, const std::vector<Card>& cards,
                                   const std::vector<bool>& wanted,
                                   const std::optional<std::string>& visible) {
  bool any = false;
  std::string list;
  for (std::size_t i = 0; i < cards.size(); ++i) {
    const auto number = number_in(cards[i].name, family);
    any = any || number;
    if (number && wanted[i]) {
      list.append(list.empty() ? "" : ",").append(device_word(*number, visible));
    }
  }
  return any ? std::optional(list) : std::nullopt;
}

}  // namespace

bool CommandPlan::on_port() const {
  return any_holds(arguments, "{port}") || any_holds(environment, "{port}");
}

std::string filled_in(std::string_view text, const Placeholders& values) {
  const std::string port = std::to_string(values.port);
  const std::array<std::pair<std::string_view, std::string_view>, 4> known{{
      {"{socket}", values.socket},
      {"{port}", port},
      {"{model}", values.model},
      {"{name}", values.name},
  }};
  std::string result;
  while (!text.empty()) {
    const auto here = std::find_if(known.begin(), known.end(),
                                   [text](const auto& one) { return text.starts_with(one.first); });
    if (here != known.end()) {
      result += here->second;
      text.remove_prefix(here->first.size());
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

std::vector<std::string> filled_in(const std::vector<std::string>& words,
                                   const Placeholders& values) {
  std::vector<std::string> result;
  result.reserve(words.size());
  for (const std::string& word : words) {
    result.push_back(filled_in(word, values));
  }
  return result;
}

OwnVariables own_variables() {
  return {variable("PATH"), variable("HOME"), variable("TMPDIR")};
}

std::vector<std::string> command_environment(const CommandPlan& plan, const OwnVariables& own,
                                             const Placeholders& values) {
  std::vector<std::string> environment{"LANG=C.UTF-8"};
  const auto hand_on = [&environment](const char* name, const std::optional<std::string>& value) {
    if (value) {
      environment.push_back(assignment(name, *value));
    }
  };
  hand_on("PATH", own.path);
  hand_on("HOME", own.home);
  hand_on("TMPDIR", own.temporary);
  for (const std::string& one : plan.cards) {
    assign(environment, one);
  }
  for (const std::string& one : plan.environment) {
    assign(environment, filled_in(one, values));
  }
  return environment;
}

std::string fingerprint(const CommandPlan& plan) {
  Fingerprint print;
  print.add(plan.arguments);
  print.add(plan.environment);
  print.add(plan.cards);
  print.add(plan.ready);
  for (const Bytes bytes : plan.declared.in) {
    print.add(std::to_string(bytes.count));
  }
  return print.text();
}

std::vector<std::string> only_cards(const std::vector<Card>& cards, const std::vector<bool>& wanted,
                                    const VisibleCards& visible) {
  std::vector<std::string> assignments;
  if (const auto list = only_of("cuda", cards, wanted, visible.cuda)) {
    assignments.emplace_back("CUDA_DEVICE_ORDER=PCI_BUS_ID");
    assignments.push_back(assignment("CUDA_VISIBLE_DEVICES", *list));
  }
  if (const auto list = only_of("rocm", cards, wanted, visible.hip)) {
    // No card at all has no number; an empty list would mean all of them.
    assignments.push_back(assignment("HIP_VISIBLE_DEVICES", list->empty() ? "-1" : *list));
    if (visible.rocr) {
      assignments.push_back(assignment("ROCR_VISIBLE_DEVICES", *visible.rocr));
    }
  }
  return assignments;
}

SecretWords::SecretWords(const std::vector<std::string>& arguments,
                         const std::vector<std::string>& environment) {
  for (const std::string& one : environment) {
    const std::string_view name = name_of(one);
    add(std::string_view(one).substr(std::min(name.size() + 1, one.size())),
        names_a_secret(name) ? kLeastSecret : kLeastValue);
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const std::string_view flag = name_of(argument);
    if (!flag.starts_with('-') || !names_a_secret(flag)) {
      continue;
    }
    if (flag.size() < argument.size()) {
      add(argument.substr(flag.size() + 1), kLeastSecret);
    } else if (i + 1 < arguments.size()) {
      add(arguments[i + 1], kLeastSecret);
    }
  }
  std::sort(words_.begin(), words_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
}

// What stands for a placeholder is told anyway, and is no secret; what stands around it may be.
void SecretWords::add(std::string_view value, std::size_t least) {
  std::size_t begin = 0;
  const auto end_stretch = [&](std::size_t end) {
    if (end - begin >= least) {
      words_.emplace_back(value.substr(begin, end - begin));
      words_.push_back(as_in_json(words_.back()));
    }
  };
  for (std::size_t at = 0; at < value.size();) {
    const auto here =
        std::find_if(kPlaceholders.begin(), kPlaceholders.end(),
                     [&](std::string_view one) { return value.substr(at).starts_with(one); });
    if (here == kPlaceholders.end()) {
      ++at;
      continue;
    }
    end_stretch(at);
    begin = at += here->size();
  }
  end_stretch(value.size());
}

std::string SecretWords::hidden_in(std::string_view text) const {
  std::string result(text);
  for (const std::string& word : words_) {
    for (std::size_t at = result.find(word); at != std::string::npos; at = result.find(word, at)) {
      result.replace(at, word.size(), "***");
      at += 3;
    }
  }
  return result;
}

}  // namespace hf::engine
