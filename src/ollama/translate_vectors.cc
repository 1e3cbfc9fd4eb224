#include "ollama/translate_vectors.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/json_any_size.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 32;

void append_number(std::string& out, double number) {
  char buffer[32];
  const auto [end, error] = std::to_chars(std::begin(buffer), std::end(buffer), number);
  out.append(buffer, end);
}

// Follows {"data": [{"embedding": [numbers], "index": N}, …], "usage": {"prompt_tokens": N}} and
// writes the vectors to `out`. Everything else is passed over.
struct VectorHandler : net::JsonOfAnySize {
  using Ec = boost::system::error_code;
  using Text = json::string_view;

  // Depths: 1 the answer, 2 its data or usage, 3 an entry, 4 its numbers.
  static constexpr int kTop = 1;
  static constexpr int kMember = 2;
  static constexpr int kEntry = 3;
  static constexpr int kNumbers = 4;

  explicit VectorHandler(const AnswerPlan& plan)
      : one_vector(plan.endpoint == Endpoint::Embeddings), dimensions(plan.dimensions) {}

  bool one_vector;
  std::optional<int> dimensions;
  std::string out;
  int depth = 0;
  std::string key;  // being read
  bool key_done = false;
  std::string top_key;  // of the answer's member that is being read
  bool in_data = false;
  bool in_vector = false;
  std::size_t entries = 0;            // ended
  std::size_t vectors = 0;            // begun
  std::optional<std::int64_t> index;  // of the present entry
  std::size_t numbers = 0;            // of the present one
  std::string digits;                 // of a number that came in pieces
  std::vector<double> kept;           // of a vector that will be cut
  std::optional<std::int64_t> prompt_tokens;
  bool failed = false;  // it is not the answer that it should be

  // Of one vector only the first is written.
  bool writes() const { return in_vector && (!one_vector || vectors == 1); }

  void number(Text text, double value) {
    if (!in_vector || depth != kNumbers) {
      digits.clear();
      return;
    }
    ++numbers;
    if (writes() && dimensions) {
      kept.push_back(value);
    } else if (writes()) {
      out.append(numbers > 1 ? "," : "").append(digits).append(text.data(), text.size());
    }
    digits.clear();
  }

  void write_kept() {
    const auto wanted = static_cast<std::size_t>(*dimensions);
    double scale = 1;
    if (wanted < kept.size()) {
      kept.resize(wanted);
      double sum = 0;
      for (const double value : kept) {
        sum += value * value;
      }
      constexpr double kLeastLength = 1e-12;
      scale = 1 / std::max(std::sqrt(sum), kLeastLength);
    }
    for (std::size_t i = 0; i < kept.size(); ++i) {
      out += i > 0 ? "," : "";
      append_number(out, kept[i] * scale);
    }
    kept.clear();
  }

  bool on_document_begin(Ec&) { return true; }
  bool on_document_end(Ec&) { return true; }
  bool on_object_begin(Ec&) {
    failed = failed || in_vector;
    ++depth;
    return true;
  }
  bool on_object_end(std::size_t, Ec&) {
    --depth;
    if (in_data && depth == kMember) {
      // Who asks for several gets them in the order of the texts, one each.
      failed = failed || (index && *index != static_cast<std::int64_t>(entries));
      failed = failed || vectors != ++entries;
      index.reset();
    }
    return true;
  }
  bool on_array_begin(Ec&) {
    failed = failed || in_vector;
    if (depth == kTop && top_key == "data") {
      in_data = true;
    } else if (in_data && depth == kEntry && key == "embedding") {
      in_vector = true;
      numbers = 0;
      ++vectors;
      if (writes() && !one_vector) {
        out += vectors > 1 ? ",[" : "[";
      }
    }
    ++depth;
    return true;
  }
  bool on_array_end(std::size_t, Ec&) {
    --depth;
    if (in_vector && depth == kEntry) {
      if (writes() && dimensions) {
        write_kept();
      }
      if (writes() && !one_vector) {
        out += ']';
      }
      in_vector = false;
    } else if (depth == kTop) {
      in_data = false;
    }
    return true;
  }
  bool on_key_part(Text piece, std::size_t, Ec&) {
    constexpr std::size_t kKeyMax = 64;  // none that matters is longer
    if (key_done) {
      key.clear();
      key_done = false;
    }
    key.append(piece.data(), key.size() < kKeyMax ? piece.size() : 0);
    return true;
  }
  bool on_key(Text piece, std::size_t size, Ec& ec) {
    on_key_part(piece, size, ec);
    key_done = true;
    if (depth == kTop) {
      top_key = key;
    }
    return true;
  }
  bool on_string_part(Text, std::size_t, Ec&) { return true; }
  bool on_string(Text, std::size_t, Ec&) {
    // Base64 was not asked for.
    failed = failed || in_vector || (in_data && depth == kEntry && key == "embedding");
    return true;
  }
  bool on_number_part(Text piece, Ec&) {
    constexpr std::size_t kDigitsMax = 1'000;
    failed = failed || digits.size() > kDigitsMax;
    digits.append(piece.data(), failed ? 0 : piece.size());
    return true;
  }
  bool on_int64(std::int64_t value, Text text, Ec&) {
    if (depth == kMember && top_key == "usage" && key == "prompt_tokens" && value >= 0) {
      prompt_tokens = value;
    } else if (in_data && depth == kEntry && key == "index") {
      index = value;
    }
    number(text, static_cast<double>(value));
    return true;
  }
  bool on_uint64(std::uint64_t value, Text text, Ec&) {
    number(text, static_cast<double>(value));
    return true;
  }
  bool on_double(double value, Text text, Ec&) {
    number(text, value);
    return true;
  }
  bool on_bool(bool, Ec&) {
    failed = failed || in_vector;
    return true;
  }
  bool on_null(Ec&) {
    failed = failed || in_vector;
    return true;
  }
  bool on_comment_part(Text, Ec&) { return true; }
  bool on_comment(Text, Ec&) { return true; }
};

json::parse_options parse_options() {
  json::parse_options options;
  options.max_depth = kDepthMax;
  return options;
}

class VectorTranslator final : public net::Translator {
 public:
  VectorTranslator(const AnswerPlan& plan, Begun begun, const Clock& clock)
      : plan_(plan), writer_(plan, begun, clock), parser_(parse_options(), plan) {}

  std::string content_type(int /*status*/, std::string_view /*upstream_type*/) override {
    return "application/json; charset=utf-8";
  }

  std::string translate(std::string_view piece) override {
    if (failed_ || parser_.done()) {
      failed_ = failed_ || piece.find_first_not_of(" \r\n\t") != std::string_view::npos;
      return {};
    }
    boost::system::error_code ec;
    const std::size_t used = parser_.write_some(true, piece.data(), piece.size(), ec);
    failed_ = ec || parser_.handler().failed;
    std::string out = std::move(parser_.handler().out);
    parser_.handler().out.clear();
    if (failed_) {
      return {};
    }
    if (parser_.done() && used < piece.size()) {
      translate(piece.substr(used));  // only white space may follow
    }
    return out.empty() ? out : with_head(std::move(out));
  }

  bool failed() const override { return failed_; }

  std::optional<std::string> finish() override {
    boost::system::error_code ec;
    if (!failed_ && !parser_.done()) {
      parser_.write_some(false, "", 0, ec);
    }
    const VectorHandler& found = parser_.handler();
    if (ec || failed_ || !parser_.done() || found.vectors == 0) {
      return std::nullopt;
    }
    std::string end = with_head("]");
    if (plan_.endpoint == Endpoint::Embed) {
      end += ",\"total_duration\":" + std::to_string(writer_.total_ns());
      end += ",\"load_duration\":" + std::to_string(writer_.load_ns());
      end += ",\"prompt_eval_count\":" + std::to_string(found.prompt_tokens.value_or(0));
    }
    if (!plan_.warning.empty()) {
      end += ",\"warning\":" + json::serialize(json::string(plan_.warning));
    }
    return end + "}";
  }

 private:
  std::string with_head(std::string text) {
    if (std::exchange(head_written_, true)) {
      return text;
    }
    if (plan_.endpoint == Endpoint::Embeddings) {
      return R"({"embedding":[)" + text;
    }
    return "{\"model\":" + json::serialize(json::string(plan_.model)) + ",\"embeddings\":[" + text;
  }

  AnswerPlan plan_;
  AnswerWriter writer_;
  json::basic_parser<VectorHandler> parser_;
  bool head_written_ = false;
  bool failed_ = false;
};

}  // namespace

std::shared_ptr<net::Translator> translate_vectors(const AnswerPlan& plan, Begun begun,
                                                   const Clock& clock) {
  return std::make_shared<VectorTranslator>(plan, begun, clock);
}

}  // namespace hf::ollama
