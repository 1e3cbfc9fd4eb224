#include "net/multipart.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "net/exchange.h"
#include "net/schema_weight.h"

namespace hf::net {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kBoundaryBytesMax = 70;  // RFC 2046, section 5.1.1

BodyResult fault(BodyFault what, std::string_view detail) {
  BodyResult result;
  result.fault = what;
  result.detail = detail;
  return result;
}

BodyResult no_form(std::string_view why) {
  return fault(BodyFault::NotForm, "the body is not a valid form: " + std::string(why));
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
}

std::string_view trimmed(std::string_view text) {
  skip_blanks(text);
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

// Nothing is left but what some clients write behind the last parameter.
bool is_end(std::string_view text) {
  const std::string_view rest = trimmed(text);
  return rest.empty() || rest == ";";
}

struct Parameter {
  std::string_view name;
  std::string value;
};

// A quoted string at the beginning of `text`, which is shortened by it. Old browsers write paths
// with single backslashes into it; only before a quote or another backslash one is an escape.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    const bool escape =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    value += text[escape ? ++i : i];
  }
  return std::nullopt;  // it never ends
}

// The next "; name=value" at the beginning of `text`, which is shortened by it. nullopt: nothing
// that is one.
std::optional<Parameter> take_parameter(std::string_view& text) {
  skip_blanks(text);
  if (!text.starts_with(';')) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  skip_blanks(text);
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return std::nullopt;
  }
  Parameter parameter;
  parameter.name = trimmed(text.substr(0, equals));
  if (parameter.name.empty() || parameter.name.find_first_of(";\" \t") != std::string_view::npos) {
    return std::nullopt;
  }
  text.remove_prefix(equals + 1);
  skip_blanks(text);
  if (text.starts_with('"')) {
    std::optional<std::string> value = take_quoted(text);
    if (!value) {
      return std::nullopt;
    }
    parameter.value = std::move(*value);
    return parameter;
  }
  const std::string_view value = text.substr(0, text.find(';'));
  parameter.value = trimmed(value);
  text.remove_prefix(value.size());
  return parameter;
}

// What comes before the first parameter: a media type, or how a part is to be used.
std::string_view take_kind(std::string_view& text) {
  const std::string_view kind = text.substr(0, text.find(';'));
  text.remove_prefix(kind.size());
  return trimmed(kind);
}

bool is_boundary_character(char c) {
  constexpr std::string_view kMarks = "'()+_,-./:=? ";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

// nullopt: there is none, or more than one, or none that may be.
std::optional<std::string> boundary_of(std::string_view content_type) {
  take_kind(content_type);
  std::optional<std::string> boundary;
  while (!is_end(content_type)) {
    std::optional<Parameter> parameter = take_parameter(content_type);
    if (!parameter) {
      return std::nullopt;
    }
    if (header_equals(parameter->name, "boundary")) {
      if (boundary) {
        return std::nullopt;
      }
      boundary = std::move(parameter->value);
    }
  }
  const bool good = boundary && !boundary->empty() && boundary->size() <= kBoundaryBytesMax &&
                    boundary->back() != ' ' &&
                    std::all_of(boundary->begin(), boundary->end(), is_boundary_character);
  return good ? boundary : std::nullopt;
}

struct PartHead {
  std::string name;
  bool is_file = false;
  bool encoded = false;  // its content is written in another way than as it is
};

// From the value of a Content-Disposition. nullopt: not one of a form.
std::optional<PartHead> read_disposition(std::string_view value) {
  if (!header_equals(take_kind(value), "form-data")) {
    return std::nullopt;
  }
  PartHead head;
  bool named = false;
  while (!is_end(value)) {
    std::optional<Parameter> parameter = take_parameter(value);
    if (!parameter) {
      return std::nullopt;
    }
    if (header_equals(parameter->name, "name")) {
      if (std::exchange(named, true)) {
        return std::nullopt;
      }
      head.name = std::move(parameter->value);
    }
    head.is_file = head.is_file || header_equals(parameter->name, "filename") ||
                   header_equals(parameter->name, "filename*");
  }
  return named ? std::optional(std::move(head)) : std::nullopt;
}

// The header lines of a part, without the blank one. nullopt: bad ones, or none that names it.
std::optional<PartHead> read_part_head(std::string_view lines) {
  std::optional<PartHead> head;
  bool encoded = false;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find(kLineEnd), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + kLineEnd.size(), lines.size()));
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos || is_blank(line.front())) {
      return std::nullopt;
    }
    const std::string_view name = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (header_equals(name, "content-disposition")) {
      if (head) {
        return std::nullopt;
      }
      head = read_disposition(value);
      if (!head) {
        return std::nullopt;
      }
    } else if (header_equals(name, "content-transfer-encoding")) {
      encoded = !header_equals(value, "7bit") && !header_equals(value, "8bit") &&
                !header_equals(value, "binary");
    }
  }
  if (head) {
    head->encoded = encoded;
  }
  return head;
}

class FormReader {
 public:
  FormReader(std::string_view boundary, std::string_view body, bool model_required)
      : delimiter_("\r\n--" + std::string(boundary)), rest_(body), required_(model_required) {
    weight_.begin_object({});
  }

  BodyResult read() {
    if (!skip_preamble()) {
      return no_form("its boundary does not occur");
    }
    for (;;) {
      const Line line = take_rest_of_delimiter();
      if (line == Line::Bad) {
        return no_form("a boundary has something behind it, or the body ends there");
      }
      if (line == Line::Last) {
        return verdict();
      }
      if (++parts_ > kFormPartsMax) {
        return fault(BodyFault::TooManyParts,
                     "the form has more than " + std::to_string(kFormPartsMax) + " parts");
      }
      if (const char* why = read_part()) {
        return no_form(why);
      }
    }
  }

 private:
  enum class Line { Part, Last, Bad };

  bool skip_preamble() {
    const std::string_view at_begin = std::string_view(delimiter_).substr(kLineEnd.size());
    if (rest_.starts_with(at_begin)) {
      rest_.remove_prefix(at_begin.size());
      return true;
    }
    const std::size_t at = rest_.find(delimiter_);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + delimiter_.size());
    return at != std::string_view::npos;
  }

  // Behind a boundary: "--" for the last one, blanks that a transport may have added, a line end.
  Line take_rest_of_delimiter() {
    const bool last = rest_.starts_with("--");
    rest_.remove_prefix(last ? 2 : 0);
    skip_blanks(rest_);
    if (last) {
      return rest_.empty() || rest_.starts_with(kLineEnd) ? Line::Last : Line::Bad;
    }
    if (!rest_.starts_with(kLineEnd)) {
      return Line::Bad;
    }
    rest_.remove_prefix(kLineEnd.size());
    return Line::Part;
  }

  // Up to and with the boundary that ends it. What is wrong, or null.
  const char* read_part() {
    constexpr std::string_view kHeadEnd = "\r\n\r\n";
    const std::size_t head_end = rest_.substr(0, kPartHeaderBytesMax).find(kHeadEnd);
    if (head_end == std::string_view::npos) {
      return "a part has no end of its header, or too long a one";
    }
    const std::optional<PartHead> head = read_part_head(rest_.substr(0, head_end));
    if (!head) {
      return "a part has a bad header, or no name";
    }
    // The line end before the boundary may be that of the header: then the content is empty.
    rest_.remove_prefix(head_end + kLineEnd.size());
    const std::size_t end = rest_.find(delimiter_);
    if (end == std::string_view::npos) {
      return "it ends within a part";
    }
    const std::string_view content =
        end == 0 ? std::string_view() : rest_.substr(kLineEnd.size(), end - kLineEnd.size());
    rest_.remove_prefix(end + delimiter_.size());
    if (!head->is_file && head->name == "model") {
      ++models_;
      fields_.model = content;
      return head->encoded ? "its model is written in an encoding" : nullptr;
    }
    if (!head->is_file && head->name == "stream") {
      fields_.stream = content == "true" || content == "True" || content == "1";
    }
    if (!head->is_file && head->name == "grammar") {
      weight_.text(head->name, content);
    }
    return nullptr;
  }

  BodyResult verdict() {
    if (models_ > 1) {
      return fault(BodyFault::TwoModels, "the field 'model' appears more than once");
    }
    if (models_ == 0 && required_) {
      return fault(BodyFault::NoModel, "the form has no field 'model'");
    }
    if (models_ == 1 && fields_.model.empty()) {
      return fault(BodyFault::EmptyModel, "the field 'model' is empty");
    }
    if (weight_.total() > kSchemaWeightMax) {
      return fault(BodyFault::SchemaTooLarge, "the field 'grammar' is too complex");
    }
    BodyResult result;
    result.fields = std::move(fields_);
    return result;
  }

  const std::string delimiter_;
  std::string_view rest_;
  const bool required_;
  int parts_ = 0;
  int models_ = 0;
  SchemaWeight weight_;
  BodyFields fields_;
};

}  // namespace

bool is_form(std::string_view content_type) {
  return header_equals(take_kind(content_type), "multipart/form-data");
}

BodyResult read_form_fields(std::string_view content_type, std::string_view body,
                            bool model_required) {
  if (!is_form(content_type)) {
    return no_form("its Content-Type is not multipart/form-data");
  }
  const std::optional<std::string> boundary = boundary_of(content_type);
  if (!boundary) {
    return no_form("its Content-Type has no usable boundary");
  }
  return FormReader(*boundary, body, model_required).read();
}

}  // namespace hf::net
