#include "ollama/tool_calls.h"

#include <boost/json/parse.hpp>

#include "ollama/json.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

// More calls at once, or more text in them, is no answer but a loop.
constexpr std::size_t kCallsMax = 1'000;
constexpr std::size_t kBytesMax = 16U * 1024 * 1024;
constexpr std::size_t kDepthMax = 512;

}  // namespace

bool ToolCalls::add(const json::array& pieces) {
  for (const json::value& value : pieces) {
    const json::object* piece = value.if_object();
    if (piece == nullptr) {
      continue;
    }
    // Whole calls have no index.
    const json::value* index = member(*piece, "index");
    const std::int64_t* number = index != nullptr ? index->if_int64() : nullptr;
    const std::size_t place =
        number != nullptr && *number >= 0 ? static_cast<std::size_t>(*number) : calls_.size();
    if (place >= kCallsMax) {
      return false;
    }
    if (place >= calls_.size()) {
      calls_.resize(place + 1);
    }
    Call& call = calls_[place];
    const json::object* function = object_at(*piece, "function");
    call.id += text_at(*piece, "id");
    if (function != nullptr) {
      call.name += text_at(*function, "name");
      call.arguments += text_at(*function, "arguments");
      bytes_ += text_at(*function, "name").size() + text_at(*function, "arguments").size();
    }
    bytes_ += text_at(*piece, "id").size();
    if (bytes_ > kBytesMax) {
      return false;
    }
  }
  return true;
}

json::array ToolCalls::whole() const {
  json::array result;
  json::parse_options options;
  options.max_depth = kDepthMax;
  for (const Call& call : calls_) {
    boost::system::error_code ec;
    json::value arguments = json::object();
    if (!call.arguments.empty()) {
      arguments = json::parse(call.arguments, ec, {}, options);
    }
    if (ec || !arguments.is_object() || call.name.empty()) {
      continue;
    }
    json::object function{{"index", result.size()}, {"name", call.name}};
    function["arguments"] = std::move(arguments);
    json::object object;
    if (!call.id.empty()) {
      object["id"] = call.id;
    }
    object["function"] = std::move(function);
    result.push_back(std::move(object));
  }
  return result;
}

}  // namespace hf::ollama
