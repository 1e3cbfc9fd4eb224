#include "net/media_type.h"

#include "net/exchange.h"

namespace hf::net {

std::string_view media_type(std::string_view content_type) {
  return content_type.substr(0, content_type.find_first_of("; \t"));
}

bool is_event_stream(std::string_view content_type) {
  return header_equals(media_type(content_type), "text/event-stream");
}

bool is_stream(std::string_view content_type) {
  const std::string_view media = media_type(content_type);
  return is_event_stream(content_type) || header_equals(media, "application/x-ndjson") ||
         header_equals(media, "application/jsonl") ||
         header_equals(media, "application/json-lines") ||
         header_equals(media, "application/x-jsonlines");
}

// A body in which every line ends with CRLF gets one more blank line than it needs, which means
// nothing.
std::string_view missing_end(std::string_view content_type, std::string_view tail) {
  const std::string_view end = is_event_stream(content_type) ? "\n\n" : "\n";
  if (tail.empty() || tail.ends_with(end)) {
    return {};
  }
  return tail.ends_with('\n') ? "\n" : end;
}

}  // namespace hf::net
