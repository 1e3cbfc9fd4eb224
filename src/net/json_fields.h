#pragma once
// What both JSON readers of a body (the fast one and the one for unusual numbers) collect, and the
// verdict they share. Internal to json_model; pure, any thread.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/json_model.h"
#include "net/schema_weight.h"

namespace hf::net {

struct CollectedFields {
  bool is_object = false;
  int models = 0;
  bool model_is_string = false;
  std::string model;
  bool stream = false;
  std::optional<std::int64_t> max_tokens;
  double probabilities = 0;  // the most of n_probs, logprobs and top_logprobs
  bool unlimited = false;    // a negative limit: the engine's way to say "without end"
  std::int64_t prompts = 0;  // in lists of them
  std::int64_t rest = 0;     // bytes that the engine keeps of what is not in such a list
  std::int64_t parts = 0;    // strings, keys, arrays and objects, in all depths
  MediaFacts media;
  std::string window;       // which of repeat_last_n and dry_penalty_last_n is the larger,
  double window_size = 0;   // and how large
  double schema_steps = 0;  // see SchemaWeight

  static bool is_token_limit(std::string_view key) {
    return key == "max_tokens" || key == "max_completion_tokens" || key == "n_predict" ||
           key == "max_output_tokens";
  }
  static bool is_probability_count(std::string_view key) {
    return key == "n_probs" || key == "logprobs" || key == "top_logprobs";
  }
  static bool is_window(std::string_view key) {
    return key == "repeat_last_n" || key == "dry_penalty_last_n";
  }
  static bool is_prompt_list(std::string_view key) {
    return key == "prompt" || key == "input" || key == "content" || key == "documents" ||
           key == "texts";
  }
  // What an object is if it holds a picture or a sound: OpenAI's two APIs, Anthropic's.
  static bool is_medium(std::string_view type) {
    return type == "image_url" || type == "input_image" || type == "input_audio" ||
           type == "input_video" || type == "video_url" || type == "image";
  }
  // Where in such an object it stands: the text itself, or an object with it as `url` or `data`.
  static bool holds_medium(std::string_view key) {
    return key == "image_url" || key == "input_audio" || key == "input_video" ||
           key == "video_url" || key == "source";
  }
  static bool is_medium_text(std::string_view key) { return key == "url" || key == "data"; }
  // llama.cpp's own, in a prompt: a list of them.
  static constexpr std::string_view kMediaList = "multimodal_data";
  // A list of prompts has ended.
  void add_prompts(std::int64_t elements, bool has_number) { prompts += has_number ? 1 : elements; }
  void add_probabilities(double count) { probabilities = std::max(probabilities, count); }
  void add_window(std::string_view key, double size) {
    if (size > window_size) {
      window = key;
      window_size = size;
    }
  }
  // Several limits: the largest counts, because the number is used as an upper bound.
  void add_token_limit(std::int64_t limit) {
    unlimited = unlimited || limit < 0;
    max_tokens = std::max(max_tokens.value_or(limit), limit);
  }
};

// What the engine keeps of one value or key besides its letters.
inline constexpr std::int64_t kBytesPerValue = 32;

BodyResult verdict(CollectedFields found, BodyRules rules);
BodyResult not_json(std::string_view why);

// Reads with Boost.JSON's event parser, which takes numbers of any size. About twelve times slower
// than simdjson, so it reads only what simdjson refuses because of a number.
BodyResult read_body_fields_by_events(std::string_view body, BodyRules rules);

// Nesting deeper than this is refused: nothing honest comes near it, and the engine's own templates
// walk such bodies recursively.
inline constexpr std::size_t kJsonDepthMax = 512;

}  // namespace hf::net
