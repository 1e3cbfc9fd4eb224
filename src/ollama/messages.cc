#include "ollama/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ollama/images.h"
#include "ollama/json.h"
#include "ollama/plain_text.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

struct Message {
  std::string role;
  std::string content;
  std::vector<std::string> images;  // as data URIs
  std::string thinking;
  json::array tool_calls;
  std::string tool_name;
  std::string tool_call_id;
};

std::string place(std::size_t index, std::string_view field) {
  return fmt::format("messages[{}].{}", index, field);
}

// The member's text; nothing if there is one that is none.
std::optional<std::string_view> text_field(const json::object& object, std::string_view key) {
  const json::value* found = member(object, key);
  if (found == nullptr) {
    return std::string_view();
  }
  const json::string* text = found->if_string();
  return text != nullptr ? std::optional(view(*text)) : std::nullopt;
}

Checked<std::vector<std::string>> read_images(const json::array& images, const std::string& where) {
  std::vector<std::string> uris;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const json::string* text = images[i].if_string();
    std::optional<std::string> uri = text != nullptr ? image_uri(view(*text)) : std::nullopt;
    if (!uri) {
      return wrong(fmt::format("{}[{}] is not a picture in base64", where, i), where);
    }
    uris.push_back(std::move(*uri));
  }
  return uris;
}

// Numbers calls without an id, and finds for a result without one the call that it belongs to.
class CallIds {
 public:
  // Nine letters and digits: the templates of some models insist on it.
  std::string next() { return fmt::format("call{:05}", ++count_); }

  void asked(std::string id, std::string name) {
    by_id_[id].push_back(calls_.size());
    by_name_[std::move(name)].push_back(calls_.size());
    calls_.push_back(Call{std::move(id)});
  }
  // The oldest call of that name that has no result yet, else the oldest of all.
  std::string answered(std::string_view id, std::string_view name) {
    std::optional<std::size_t> found = id.empty() ? take(by_name_, name) : take(by_id_, id);
    if (id.empty() && !found) {
      while (oldest_ < calls_.size() && calls_[oldest_].has_result) {
        ++oldest_;
      }
      found = oldest_ < calls_.size() ? std::optional(oldest_) : std::nullopt;
    }
    if (!found) {
      return std::string(id);
    }
    calls_[*found].has_result = true;
    return calls_[*found].id;
  }

 private:
  struct Call {
    std::string id;
    bool has_result = false;
  };
  // Places of calls, oldest first. Those that got their result otherwise go when they are met, so
  // that many calls cost no more than each once.
  using Places = std::unordered_map<std::string, std::deque<std::size_t>>;

  std::optional<std::size_t> take(Places& places, std::string_view key) const {
    const auto found = places.find(std::string(key));
    if (found == places.end()) {
      return std::nullopt;
    }
    std::deque<std::size_t>& line = found->second;
    while (!line.empty() && calls_[line.front()].has_result) {
      line.pop_front();
    }
    return line.empty() ? std::nullopt : std::optional(line.front());
  }

  int count_ = 0;
  std::vector<Call> calls_;
  std::size_t oldest_ = 0;  // before it all have a result
  Places by_id_;
  Places by_name_;
};

// Arguments come as an object, from some clients as OpenAI's text.
Checked<json::object> read_call(const json::value& value, const std::string& where, CallIds& ids) {
  const json::object* call = value.if_object();
  const json::object* function = call != nullptr ? object_at(*call, "function") : nullptr;
  const std::string_view name = function != nullptr ? text_at(*function, "name") : "";
  if (name.empty()) {
    return wrong(where + " holds a call without a function's name", where);
  }
  const json::value* arguments = member(*function, "arguments");
  std::string text = "{}";
  if (arguments != nullptr && arguments->is_string()) {
    text = view(arguments->get_string());
  } else if (arguments != nullptr) {
    text = plain_text(*arguments);
  }
  const std::string_view given = text_at(*call, "id");
  std::string id = given.empty() ? ids.next() : std::string(given);
  json::object result{{"id", id}, {"type", "function"}};
  result["function"] = json::object{{"name", name}, {"arguments", text}};
  ids.asked(std::move(id), std::string(name));
  return result;
}

Checked<Message> read_message(const json::value& value, std::size_t index, CallIds& ids) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    return wrong(fmt::format("messages[{}] is not an object", index), "messages");
  }
  Message message;
  message.role = text_at(*object, "role");
  if (message.role.empty()) {
    return wrong(place(index, "role") + " is missing", "messages");
  }
  const auto content = text_field(*object, "content");
  const auto thinking = text_field(*object, "thinking");
  if (!content || !thinking) {
    return wrong(place(index, content ? "thinking" : "content") + " must be a string", "messages");
  }
  message.content = *content;
  message.thinking = *thinking;
  if (const json::value* images = member(*object, "images")) {
    const json::array* list = images->if_array();
    if (list == nullptr) {
      return wrong(place(index, "images") + " must be a list", "messages");
    }
    auto uris = read_images(*list, place(index, "images"));
    if (!uris) {
      return tl::unexpected(std::move(uris.error()));
    }
    message.images = std::move(*uris);
  }
  if (const json::value* calls = member(*object, "tool_calls")) {
    const json::array* list = calls->if_array();
    if (list == nullptr) {
      return wrong(place(index, "tool_calls") + " must be a list", "messages");
    }
    for (const json::value& each : *list) {
      auto call = read_call(each, place(index, "tool_calls"), ids);
      if (!call) {
        return tl::unexpected(std::move(call.error()));
      }
      message.tool_calls.push_back(std::move(*call));
    }
  }
  if (message.role == "tool") {
    const std::string_view name = text_at(*object, "tool_name");
    message.tool_name = name.empty() ? text_at(*object, "name") : name;
    message.tool_call_id = ids.answered(text_at(*object, "tool_call_id"), message.tool_name);
  }
  return message;
}

void append_text(std::string& text, std::string_view more) {
  if (!text.empty() && !more.empty()) {
    text += "\n\n";
  }
  text += more;
}

// True if `next` goes on with what `message` says.
bool continues(const Message& message, const Message& next) {
  return message.role == next.role && next.role != "tool";
}

void join(Message& message, Message next) {
  append_text(message.content, next.content);
  append_text(message.thinking, next.thinking);
  std::move(next.images.begin(), next.images.end(), std::back_inserter(message.images));
  for (json::value& call : next.tool_calls) {
    message.tool_calls.push_back(std::move(call));
  }
}

// Members are set one by one: an initializer list would copy the megabytes of a picture twice.
json::object image_part(const std::string& uri) {
  json::object url;
  url["url"] = uri;
  json::object part{{"type", "image_url"}};
  part["image_url"] = std::move(url);
  return part;
}

json::object to_openai(Message message) {
  json::object result{{"role", message.role}};
  if (message.images.empty()) {
    result["content"] = message.content;
  } else {
    json::array parts;  // pictures first, as Ollama puts them
    for (const std::string& uri : message.images) {
      parts.push_back(image_part(uri));
    }
    if (!message.content.empty()) {
      json::object text{{"type", "text"}};
      text["text"] = message.content;
      parts.push_back(std::move(text));
    }
    result["content"] = std::move(parts);
  }
  if (!message.thinking.empty()) {
    result["reasoning_content"] = message.thinking;
  }
  if (!message.tool_calls.empty()) {
    result["tool_calls"] = std::move(message.tool_calls);
  }
  if (!message.tool_name.empty()) {
    result["name"] = message.tool_name;
  }
  if (!message.tool_call_id.empty()) {
    result["tool_call_id"] = message.tool_call_id;
  }
  return result;
}

// Some clients send every field of their types, most of them null; the engine takes no null here.
json::object without_nulls(const json::object& object) {
  json::object result;
  for (const json::key_value_pair& pair : object) {
    if (!pair.value().is_null()) {
      result[pair.key()] = pair.value();
    }
  }
  return result;
}

}  // namespace

Checked<json::array> read_messages(const json::array& messages) {
  CallIds ids;
  std::vector<Message> joined;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Checked<Message> message = read_message(messages[i], i, ids);
    if (!message) {
      return tl::unexpected(std::move(message.error()));
    }
    if (!joined.empty() && continues(joined.back(), *message)) {
      join(joined.back(), std::move(*message));
    } else {
      joined.push_back(std::move(*message));
    }
  }
  json::array result;
  result.reserve(joined.size());
  for (Message& message : joined) {
    result.push_back(to_openai(std::move(message)));
  }
  return result;
}

Checked<json::array> prompt_messages(std::string_view system, std::string_view prompt,
                                     const json::array* images) {
  json::array result;
  if (!system.empty()) {
    result.push_back(json::object{{"role", "system"}, {"content", system}});
  }
  Message message;
  message.role = "user";
  message.content = prompt;
  if (images != nullptr) {
    auto uris = read_images(*images, "images");
    if (!uris) {
      return tl::unexpected(std::move(uris.error()));
    }
    message.images = std::move(*uris);
  }
  result.push_back(to_openai(std::move(message)));
  return result;
}

Checked<json::array> read_tools(const json::value& tools) {
  const json::array* list = tools.if_array();
  if (list == nullptr) {
    return wrong("tools must be a list", "tools");
  }
  json::array result;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json::object* tool = (*list)[i].if_object();
    const json::object* function = tool != nullptr ? object_at(*tool, "function") : nullptr;
    if (function == nullptr || text_at(*function, "name").empty()) {
      return wrong(fmt::format("tools[{}] has no function with a name", i), "tools");
    }
    json::object copy = without_nulls(*tool);
    copy["type"] = "function";
    copy["function"] = without_nulls(*function);
    result.push_back(std::move(copy));
  }
  return result;
}

}  // namespace hf::ollama
