#pragma once
// What net has to know of media types: which answers are streams of events or lines, so that an
// error has a place in them, and where its place begins. Pure, any thread.

#include <string_view>

namespace hf::net {

// "text/event-stream; charset=utf-8" → "text/event-stream". Compare with header_equals().
std::string_view media_type(std::string_view content_type);

bool is_event_stream(std::string_view content_type);
// Events or JSON lines.
bool is_stream(std::string_view content_type);

// What must follow a body that ends with `tail` so that a new event or line can begin.
std::string_view missing_end(std::string_view content_type, std::string_view tail);

}  // namespace hf::net
