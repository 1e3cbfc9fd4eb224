#include "ollama/options.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "ollama/json.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

// What an option is for us.
enum class Use {
  Number,       // passed on
  Whole,        // passed on
  Seed,         // passed on, its low 32 bits
  Predict,      // a limit; zero and less: none
  Keep,         // less than zero: all
  RepeatLast,   // less than zero: the whole context
  Stop,         // a text or a list of them
  Context,      // a whole number that the load has decided
  Load,         // another one
  LoadFlag,     // a switch of the load; clients send them without a thought
  Ignored,      // has no effect in Ollama either
  IgnoredFlag,  // nor has this
};

struct Option {
  std::string_view name;
  std::string_view engine;
  Use use;
};

constexpr std::array<Option, 32> kOptions{{
    {"temperature", "temperature", Use::Number},
    {"top_k", "top_k", Use::Whole},
    {"top_p", "top_p", Use::Number},
    {"min_p", "min_p", Use::Number},
    {"typical_p", "typical_p", Use::Number},
    {"seed", "seed", Use::Seed},
    {"num_predict", "max_tokens", Use::Predict},
    {"num_keep", "n_keep", Use::Keep},
    {"stop", "stop", Use::Stop},
    {"repeat_penalty", "repeat_penalty", Use::Number},
    {"repeat_last_n", "repeat_last_n", Use::RepeatLast},
    {"presence_penalty", "presence_penalty", Use::Number},
    {"frequency_penalty", "frequency_penalty", Use::Number},
    {"mirostat", "mirostat", Use::Whole},
    {"mirostat_tau", "mirostat_tau", Use::Number},
    {"mirostat_eta", "mirostat_eta", Use::Number},
    {"num_ctx", "", Use::Context},
    {"num_gpu", "", Use::Load},
    {"num_batch", "", Use::Load},
    {"num_thread", "", Use::Load},
    {"main_gpu", "", Use::Load},
    {"numa", "", Use::LoadFlag},
    {"low_vram", "", Use::LoadFlag},
    {"f16_kv", "", Use::LoadFlag},
    {"logits_all", "", Use::LoadFlag},
    {"vocab_only", "", Use::LoadFlag},
    {"use_mmap", "", Use::LoadFlag},
    {"use_mlock", "", Use::LoadFlag},
    {"embedding_only", "", Use::LoadFlag},
    {"tfs_z", "", Use::Ignored},
    {"penalize_newline", "", Use::IgnoredFlag},
    {"use_imagegen_runner", "", Use::IgnoredFlag},
}};

// What the first look at a body allows (net/json_model.h).
constexpr std::int64_t kWindowMax = 262'144;

// Names of unknown options are repeated in a header: only what looks like a name is.
constexpr std::size_t kNameMax = 40;
constexpr std::size_t kNamesMax = 5;

bool looks_like_a_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

tl::unexpected<Fault> wrong_type(std::string_view name, std::string_view type) {
  return wrong("option " + quoted(name) + " must be of type " + std::string(type),
               "options." + std::string(name));
}

tl::unexpected<Fault> out_of_range(std::string_view name) {
  return wrong("option " + quoted(name) + " is out of range", "options." + std::string(name));
}

// A whole number; a fraction is cut off, as many clients send 8192.0 and Ollama takes it.
std::optional<std::int64_t> whole(const json::value& value) {
  constexpr double kMost = 9e18;
  if (const std::int64_t* number = value.if_int64()) {
    return *number;
  }
  if (const std::uint64_t* number = value.if_uint64()) {
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(*number, std::numeric_limits<std::int64_t>::max()));
  }
  const double* number = value.if_double();
  if (number == nullptr || !(std::abs(*number) < kMost)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*number);
}

class OptionReader {
 public:
  explicit OptionReader(std::int64_t context) : context_(context) {}

  Checked<Options> read(const json::object& object) {
    for (const json::key_value_pair& pair : object) {
      const std::string_view name = view(pair.key());
      const auto known = std::find_if(kOptions.begin(), kOptions.end(),
                                      [name](const Option& option) { return option.name == name; });
      if (pair.value().is_null()) {
        continue;
      }
      if (known == kOptions.end()) {
        unknown_.push_back(looks_like_a_name(name) ? std::string(name) : "...");
        continue;
      }
      if (const Checked<void> taken = take(*known, pair.value()); !taken) {
        return tl::unexpected(taken.error());
      }
    }
    options_.warning = warning();
    return std::move(options_);
  }

 private:
  Checked<void> take(const Option& option, const json::value& value) {
    switch (option.use) {
      case Use::Number:
        return take_number(option, value);
      case Use::Stop:
        return take_stop(option, value);
      case Use::Ignored:
        return value.is_number() ? Checked<void>() : wrong_type(option.name, "float32");
      case Use::LoadFlag:
      case Use::IgnoredFlag:
        return value.is_bool() ? Checked<void>() : wrong_type(option.name, "boolean");
      case Use::Whole:
      case Use::Seed:
      case Use::Predict:
      case Use::Keep:
      case Use::RepeatLast:
      case Use::Context:
      case Use::Load:
        break;
    }
    const std::optional<std::int64_t> number = whole(value);
    if (!number) {
      return value.is_number() ? out_of_range(option.name) : wrong_type(option.name, "integer");
    }
    return take_whole(option, *number);
  }

  Checked<void> take_number(const Option& option, const json::value& value) {
    if (!value.is_number()) {
      return wrong_type(option.name, "float32");
    }
    if (!(std::abs(value.to_number<double>()) <= std::numeric_limits<float>::max())) {
      return out_of_range(option.name);
    }
    options_.fields[option.engine] = value;
    return {};
  }

  Checked<void> take_whole(const Option& option, std::int64_t number) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (option.use == Use::Seed) {
      // The engine counts seeds in 32 bits; -1 is any.
      set(option, static_cast<std::int64_t>(static_cast<std::uint32_t>(number)));
      return {};
    }
    if (option.use == Use::Predict) {
      if (number > 0) {  // else the engine's own end counts: the context
        set(option, std::min(number, kMost));
      }
      return {};
    }
    if (number > kMost || number < -kMost) {
      return out_of_range(option.name);
    }
    if (option.use == Use::Context) {
      context_asked_ = number;
    } else if (option.use == Use::Load) {
      not_applied_.emplace_back(option.name);
    } else if (option.use == Use::RepeatLast) {
      set(option, window(number));
    } else {
      set(option, option.use == Use::Keep ? std::max<std::int64_t>(number, -1) : number);
    }
    return {};
  }

  Checked<void> take_stop(const Option& option, const json::value& value) {
    json::array words;
    const auto add = [&words](const json::value& word) {
      const json::string* text = word.if_string();
      if (text != nullptr && !text->empty()) {
        words.push_back(word);
      }
      return text != nullptr;
    };
    bool good = true;
    if (const json::array* list = value.if_array()) {
      good = std::all_of(list->begin(), list->end(), add);
    } else {
      good = add(value);
    }
    if (!good) {
      return wrong_type(option.name, "array of strings");
    }
    if (!words.empty()) {
      options_.fields[option.engine] = std::move(words);
    }
    return {};
  }

  // More than the context has no effect, and costs 4 bytes for each.
  std::int64_t window(std::int64_t number) const {
    const std::int64_t most = context_ > 0 ? std::min(context_, kWindowMax) : kWindowMax;
    if (number < 0) {
      return context_ > 0 ? most : 0;
    }
    return std::min(number, most);
  }

  void set(const Option& option, std::int64_t number) { options_.fields[option.engine] = number; }

  std::string warning() const {
    std::string text;
    const auto add = [&text](const std::string& sentence) {
      text += (text.empty() ? "" : "; ") + sentence;
    };
    if (context_asked_ && context_ > 0 && *context_asked_ != context_) {
      add("num_ctx " + std::to_string(*context_asked_) +
          " is not applied: the model is shared and runs with a context of " +
          std::to_string(context_) + " tokens");
    }
    if (!not_applied_.empty()) {
      add(listed(not_applied_) + (not_applied_.size() == 1 ? " is" : " are") +
          " not applied: the model is shared, and its administrator has set how it is loaded");
    }
    if (!unknown_.empty()) {
      add("unknown options are ignored: " + listed(unknown_));
    }
    return text;
  }

  static std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < kNamesMax; ++i) {
      text += (i == 0 ? "" : ", ") + names[i];
    }
    return names.size() > kNamesMax ? text + ", ..." : text;
  }

  std::int64_t context_;
  Options options_;
  std::optional<std::int64_t> context_asked_;
  std::vector<std::string> not_applied_;
  std::vector<std::string> unknown_;
};

}  // namespace

Checked<Options> read_options(const boost::json::value* options, std::int64_t context) {
  if (options == nullptr || options->is_null()) {
    return Options{};
  }
  const json::object* object = options->if_object();
  if (object == nullptr) {
    return wrong("options must be an object", "options");
  }
  return OptionReader(context).read(*object);
}

}  // namespace hf::ollama
