#include "ollama/request.h"

#include <algorithm>
#include <boost/json/serializer.hpp>
#include <utility>

#include "ollama/json.h"
#include "ollama/keep_alive.h"
#include "ollama/messages.h"
#include "ollama/options.h"
#include "ollama/parse.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

// Ollama's own limit.
constexpr std::int64_t kTopLogprobsMax = 20;

// The member's truth; nothing if there is one that is none.
std::optional<bool> flag(const json::object& object, std::string_view key, bool otherwise) {
  const json::value* found = member(object, key);
  if (found == nullptr) {
    return otherwise;
  }
  const bool* value = found->if_bool();
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

// json::serialize() doubles its text while it grows, and copies it each time. `about`: its size.
std::string serialized(const json::object& object, std::size_t about) {
  constexpr std::size_t kMore = 4096;
  json::serializer serializer;
  serializer.reset(&object);
  std::string text(about + kMore, '\0');
  std::size_t size = 0;
  while (!serializer.done()) {
    if (text.size() - size < kMore) {
      text.resize(text.size() + text.size() / 4 + kMore);
    }
    size += serializer.read(text.data() + size, text.size() - size).size();
  }
  text.resize(size);
  return text;
}

void add_warning(std::string& warning, std::string_view sentence) {
  warning.append(warning.empty() ? "" : "; ").append(sentence);
}

class RequestReader {
 public:
  // `size`: of the body, and about that of the engine's.
  RequestReader(Endpoint endpoint, const ModelFacts& facts, json::object asked, std::size_t size)
      : facts_(facts), asked_(std::move(asked)), size_(size) {
    request_.plan.endpoint = endpoint;
  }

  Checked<Request> read() {
    const bool embeds =
        plan().endpoint == Endpoint::Embed || plan().endpoint == Endpoint::Embeddings;
    if (const Checked<void> read = read_common(); !read) {
      return tl::unexpected(read.error());
    }
    const Checked<void> read = embeds                              ? read_embedding()
                               : plan().endpoint == Endpoint::Chat ? read_chat()
                                                                   : read_generate();
    if (!read) {
      return tl::unexpected(read.error());
    }
    if (request_.work == Work::Answer) {
      body_["model"] = facts_.name;
      request_.body = serialized(body_, size_);
    } else if (request_.zero_keep_alive) {
      request_.work = Work::Unload;
    }
    return std::move(request_);
  }

 private:
  AnswerPlan& plan() { return request_.plan; }

  Checked<void> read_common() {
    const Checked<KeepAlive> keep_alive = read_keep_alive(member(asked_, "keep_alive"));
    if (!keep_alive) {
      return tl::unexpected(keep_alive.error());
    }
    request_.zero_keep_alive = *keep_alive == KeepAlive::Zero;
    Checked<Options> options = read_options(member(asked_, "options"), facts_.context);
    if (!options) {
      return tl::unexpected(options.error());
    }
    plan().warning = std::move(options->warning);
    options_ = std::move(options->fields);
    const std::optional<bool> streams = flag(asked_, "stream", true);
    if (!streams) {
      return wrong("stream must be true or false", "stream");
    }
    plan().streams = *streams;
    return {};
  }

  Checked<void> read_chat() {
    const json::value* messages = member(asked_, "messages");
    if (messages != nullptr && !messages->is_array()) {
      return wrong("messages must be a list", "messages");
    }
    if (messages == nullptr || messages->get_array().empty()) {
      request_.work = Work::Load;
      return {};
    }
    Checked<json::array> translated = read_messages(messages->get_array());
    if (!translated) {
      return tl::unexpected(translated.error());
    }
    if (const json::value* tools = member(asked_, "tools")) {
      Checked<json::array> list = read_tools(*tools);
      if (!list) {
        return tl::unexpected(list.error());
      }
      if (!list->empty()) {
        body_["tools"] = std::move(*list);
      }
    }
    return use_chat(std::move(*translated));
  }

  Checked<void> read_generate() {
    for (const char* key : {"prompt", "suffix", "system", "template"}) {
      if (const json::value* found = member(asked_, key); found != nullptr && !found->is_string()) {
        return wrong(std::string(key) + " must be a string", key);
      }
    }
    const json::array* images = array_at(asked_, "images");
    if (images == nullptr && member(asked_, "images") != nullptr) {
      return wrong("images must be a list", "images");
    }
    const bool has_images = images != nullptr && !images->empty();
    const std::string_view prompt = text_at(asked_, "prompt");
    const std::string_view suffix = text_at(asked_, "suffix");
    if (prompt.empty() && suffix.empty() && !has_images) {
      request_.work = Work::Load;
      return {};
    }
    const std::optional<bool> raw = flag(asked_, "raw", false);
    if (!raw) {
      return wrong("raw must be true or false", "raw");
    }
    if (const Checked<void> fits = check_prompt_fields(*raw, has_images); !fits) {
      return fits;
    }
    if (*raw) {
      return use_text(prompt);
    }
    if (!suffix.empty()) {
      return use_infill(prompt, suffix);
    }
    const std::string_view system = text_at(asked_, "system");
    if (!facts_.has_chat_template && !has_images) {
      return use_text(system.empty() ? std::string(prompt)
                                     : std::string(system) + "\n\n" + std::string(prompt));
    }
    Checked<json::array> messages = prompt_messages(system, prompt, images);
    if (!messages) {
      return tl::unexpected(messages.error());
    }
    return use_chat(std::move(*messages));
  }

  // What cannot be done together, or not here.
  Checked<void> check_prompt_fields(bool raw, bool has_images) {
    if (!text_at(asked_, "template").empty()) {
      return wrong("template is not supported: a model is asked with its own template", "template",
                   "put the whole prompt into \"prompt\" and set \"raw\": true");
    }
    if (raw && !text_at(asked_, "system").empty()) {
      return wrong("raw does not go together with system", "raw");
    }
    if (has_images && (raw || !text_at(asked_, "suffix").empty())) {
      return wrong("images go neither together with raw nor with suffix", "images");
    }
    if (const json::array* context = array_at(asked_, "context");
        context != nullptr && !context->empty()) {
      add_warning(plan().warning,
                  "context is not applied: send the whole conversation to /api/chat");
    }
    return {};
  }

  Checked<void> use_chat(json::array messages) {
    request_.target = "/v1/chat/completions";
    plan().source = Source::Chat;
    body_["messages"] = std::move(messages);
    if (const Checked<void> think = add_think(); !think) {
      return think;
    }
    if (const json::value* format = member(asked_, "format")) {
      if (format->is_object()) {
        body_["response_format"] =
            json::object{{"type", "json_schema"},
                         {"json_schema", json::object{{"name", "answer"}, {"schema", *format}}}};
      } else if (const Checked<bool> wanted = wants_json(*format); !wanted) {
        return tl::unexpected(wanted.error());
      } else if (*wanted) {
        body_["response_format"] = json::object{{"type", "json_object"}};
      }
    }
    if (const Checked<void> logprobs = read_logprobs(); !logprobs) {
      return logprobs;
    }
    if (plan().logprobs) {
      if (plan().streams && body_.contains("tools")) {
        return wrong("logprobs of an answer with tools come only with \"stream\": false",
                     "logprobs");
      }
      body_["logprobs"] = true;
      body_["top_logprobs"] = std::max(1, plan().top_logprobs);
    }
    add_stream();
    add_options();
    return {};
  }

  Checked<void> use_text(std::string_view prompt) {
    request_.target = "/v1/completions";
    request_.lists_are_tasks = true;
    plan().source = Source::Text;
    body_["prompt"] = prompt;
    return finish_text();
  }

  Checked<void> use_infill(std::string_view prefix, std::string_view suffix) {
    request_.target = "/infill";
    request_.lists_are_tasks = true;
    plan().source = Source::Infill;
    body_["input_prefix"] = prefix;
    body_["input_suffix"] = suffix;
    return finish_text();
  }

  Checked<void> finish_text() {
    if (const json::value* format = member(asked_, "format")) {
      if (format->is_object()) {
        body_["json_schema"] = *format;
      } else if (const Checked<bool> wanted = wants_json(*format); !wanted) {
        return tl::unexpected(wanted.error());
      } else if (*wanted) {
        body_["json_schema"] = json::object{{"type", "object"}};
      }
    }
    if (const Checked<void> logprobs = read_logprobs(); !logprobs) {
      return logprobs;
    }
    if (plan().logprobs) {
      body_["n_probs"] = std::max(1, plan().top_logprobs);
    }
    add_stream();
    add_options();
    return {};
  }

  // "" wants nothing, "json" any object.
  static Checked<bool> wants_json(const json::value& format) {
    const json::string* text = format.if_string();
    if (text == nullptr || (!text->empty() && *text != "json")) {
      return wrong("format must be \"json\" or a JSON schema", "format");
    }
    return !text->empty();
  }

  Checked<void> read_logprobs() {
    const std::optional<bool> wanted = flag(asked_, "logprobs", false);
    if (!wanted) {
      return wrong("logprobs must be true or false", "logprobs");
    }
    plan().logprobs = *wanted;
    if (const json::value* top = member(asked_, "top_logprobs")) {
      const std::int64_t* count = top->if_int64();
      if (count == nullptr || *count < 0 || *count > kTopLogprobsMax) {
        return wrong("top_logprobs must be between 0 and 20", "top_logprobs");
      }
      plan().top_logprobs = static_cast<int>(*count);
    }
    return {};
  }

  // Templates know a switch; some models know levels, too.
  Checked<void> add_think() {
    const json::value* think = member(asked_, "think");
    if (think == nullptr) {
      return {};
    }
    if (const bool* on = think->if_bool()) {
      body_["chat_template_kwargs"] = json::object{{"enable_thinking", *on}};
      return {};
    }
    const json::string* level = think->if_string();
    if (level == nullptr || (*level != "low" && *level != "medium" && *level != "high")) {
      return wrong("think must be true, false, \"low\", \"medium\" or \"high\"", "think");
    }
    body_["chat_template_kwargs"] = json::object{{"enable_thinking", true}};
    body_["reasoning_effort"] = *level;
    return {};
  }

  void add_stream() {
    body_["stream"] = plan().streams;
    if (plan().streams) {
      body_["stream_options"] = json::object{{"include_usage", true}};
    }
  }

  void add_options() {
    for (json::key_value_pair& pair : options_) {
      body_[pair.key()] = std::move(pair.value());
    }
  }

  Checked<void> read_embedding() {
    request_.target = "/v1/embeddings";
    request_.lists_are_tasks = true;
    plan().source = Source::Vectors;
    plan().streams = false;
    const std::optional<bool> truncate = flag(asked_, "truncate", true);
    if (!truncate) {
      return wrong("truncate must be true or false", "truncate");
    }
    request_.truncate = *truncate;
    if (const json::value* dimensions = member(asked_, "dimensions")) {
      const std::int64_t* count = dimensions->if_int64();
      constexpr std::int64_t kMost = 1'000'000;
      if (count == nullptr || *count < 0 || *count > kMost) {
        return wrong("dimensions must be a whole number", "dimensions");
      }
      if (*count > 0) {
        plan().dimensions = static_cast<int>(*count);
      }
    }
    body_["encoding_format"] = "float";
    return plan().endpoint == Endpoint::Embed ? read_input() : read_embedding_prompt();
  }

  Checked<void> read_input() {
    const json::value* input = member(asked_, "input");
    json::array texts;
    if (input != nullptr && input->is_string()) {
      if (!input->get_string().empty()) {
        texts.push_back(*input);
      }
    } else if (input != nullptr) {
      const json::array* list = input->if_array();
      if (list == nullptr || !std::all_of(list->begin(), list->end(), [](const json::value& each) {
            return each.is_string();
          })) {
        return wrong("input must be a string or a list of strings", "input");
      }
      texts = *list;
    }
    return use_texts(std::move(texts));
  }

  Checked<void> read_embedding_prompt() {
    const json::value* prompt = member(asked_, "prompt");
    if (prompt != nullptr && !prompt->is_string()) {
      return wrong("prompt must be a string", "prompt");
    }
    json::array texts;
    if (prompt != nullptr && !prompt->get_string().empty()) {
      texts.push_back(*prompt);
    }
    return use_texts(std::move(texts));
  }

  Checked<void> use_texts(json::array texts) {
    if (texts.empty()) {
      request_.work = Work::Load;
    } else {
      const auto* const empty = std::find_if(
          texts.begin(), texts.end(), [](const auto& text) { return text.get_string().empty(); });
      if (empty != texts.end()) {
        request_.empty_text = static_cast<std::size_t>(empty - texts.begin());
      }
      body_["input"] = std::move(texts);
    }
    return {};
  }

  const ModelFacts& facts_;
  json::object asked_;
  std::size_t size_;
  Request request_;
  json::object options_;
  json::object body_;
};

}  // namespace

Checked<Request> read_request(Endpoint endpoint, std::string_view body, std::string_view asked,
                              const ModelFacts& facts) {
  Checked<json::object> object = parse_object(body);
  if (!object) {
    return tl::unexpected(std::move(object.error()));
  }
  Checked<Request> request = RequestReader(endpoint, facts, std::move(*object), body.size()).read();
  if (request) {
    request->plan.model = asked;
  }
  return request;
}

}  // namespace hf::ollama
