#include "net/schema_weight.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace hf::net {
namespace {

using Word = SchemaWeight::Word;

constexpr double kEndless = std::numeric_limits<double>::infinity();
// Measured with v0.5.0. A repetition of up to so many is written out; more are refused at once, or
// taken for any number, which costs nothing.
constexpr double kRepetitionsMax = 2000;
constexpr double kStepsPerRepetition = 740;
// Of choices: each is compared for each, and later each token with each of them; 3,000 are some 10
// s a token.
constexpr double kStepsPerPair = 27;
constexpr double kStepsPerDigitPair = 1600;  // of a number that is a limit: a rule for each prefix
constexpr int kGroupsMax = 1000;             // one in another: the engine's stack ends at 20,000
// Rules are named by the keys down to them; up to here that costs nothing worth counting.
constexpr double kPathFree = 64;
constexpr double kStepsPerPathByte = 10;
// Texts are copied along; so many bytes cost as much as the copy itself.
constexpr double kBytesPerStep = 32;
// `type` as a list: the schema is copied for each. There are seven types, and data may have more.
constexpr double kTypesMax = 64;
// Honest schemas refer to few places of their own.
constexpr std::size_t kOddReferencesMax = 1000;

constexpr std::array<std::pair<std::string_view, Word>, 22> kWords{{
    {"properties", Word::Properties},
    {"anyOf", Word::Choices},
    {"oneOf", Word::Choices},
    {"allOf", Word::AllOf},
    {"enum", Word::Enum},
    {"type", Word::Type},
    {"$defs", Word::Definitions},
    {"definitions", Word::Definitions},
    {"schemas", Word::Definitions},  // OpenAPI's components
    {"$ref", Word::Reference},
    {"minLength", Word::Repetition},
    {"maxLength", Word::Repetition},
    {"minItems", Word::Repetition},
    {"maxItems", Word::Repetition},
    {"minimum", Word::Limit},
    {"maximum", Word::Limit},
    {"exclusiveMinimum", Word::Limit},
    {"exclusiveMaximum", Word::Limit},
    {"pattern", Word::Pattern},
    {"grammar", Word::Pattern},
    {"tools", Word::Tools},
    {"functions", Word::Tools},
}};

double square(double number) {
  return number * number;
}

double written_out(double times) {
  return times > kRepetitionsMax ? 0 : std::max(times, 0.0);
}

// Of what stands in braces: {7}, {1,64}. The more is repeated, the more it costs. One pass: this is
// done on the loop.
double pattern_steps(std::string_view text) {
  double steps = 0;
  std::size_t begin = 0;
  for (std::size_t open = text.find('{'); open != std::string_view::npos;
       open = text.find('{', begin)) {
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      break;
    }
    double most = 0;
    for (std::size_t at = open + 1; at < close; ++at) {
      std::uint64_t number = 0;
      const auto [end, error] = std::from_chars(text.data() + at, text.data() + close, number);
      if (end != text.data() + at) {
        most = std::max(most, error == std::errc() ? written_out(static_cast<double>(number)) : 0);
        at = static_cast<std::size_t>(end - text.data());
      }
    }
    const auto repeated = static_cast<double>(text.rfind('{', close) - begin);
    steps += most * kStepsPerRepetition * (1 + repeated / kBytesPerStep);
    begin = close;
  }
  return steps;
}

// Alternatives and groups of a grammar or pattern, quoted ones as well: honest ones have few.
double structure_steps(std::string_view text) {
  double alternatives = 0;
  int depth = 0;
  int deepest = 0;
  for (const char c : text) {
    alternatives += c == '|' ? 1 : 0;
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    deepest = std::max(deepest, depth);
  }
  return deepest > kGroupsMax ? kEndless : kStepsPerPair * square(alternatives);
}

double digits_of(double number) {
  return 1 + std::floor(std::log10(std::max(1.0, std::abs(number))));
}

}  // namespace

Word SchemaWeight::word_of(std::string_view key) {
  const auto* const found = std::find_if(kWords.begin(), kWords.end(),
                                         [key](const auto& each) { return each.first == key; });
  return found != kWords.end() ? found->second : Word::None;
}

bool SchemaWeight::wants_text(std::string_view key) const {
  if (talks()) {
    return false;
  }
  const Word word = word_of(key);
  return word == Word::Reference || word == Word::Pattern ||
         (!frames_.empty() && frames_.back().is_list && frames_.back().word == Word::Type);
}

void SchemaWeight::count(std::string_view key) {
  if (!frames_.empty()) {
    frames_.back().members += 1;
    frames_.back().key_bytes += static_cast<double>(key.size());
  }
}

void SchemaWeight::begin(bool is_list, std::string_view key) {
  count(key);
  Frame frame;
  frame.is_list = is_list;
  frame.word = word_of(key);
  if (frames_.empty()) {
    frame.node = &body_.nodes[""];
    frames_.push_back(std::move(frame));
    return;
  }
  const Frame& outer = frames_.back();
  if (outer.word == Word::Properties && !outer.is_list && frame.word == Word::Definitions) {
    frame.word = Word::None;  // a property of that name
  }
  if (outer.is_list && outer.word == Word::Type) {
    outer.node->steps = kEndless;  // no type, and the engine would take it for any, see text()
  }
  const bool begins_talk = frames_.size() == 1 && (key == "messages" || key == "input");
  const bool defines = outer.word == Word::Definitions && !outer.is_list;
  if (begins_talk || talks()) {
    frame.node = &talk_;
  } else if (!is_list && outer.is_list && outer.word == Word::Tools && frames_.size() == 2) {
    frame.is_tool = true;
    tool_ = Schema{};
    frame.node = &tool_->nodes[""];
  } else {
    frame.node = defines ? &schema().nodes["/" + std::string(key)] : outer.node;
  }
  frame.path = outer.path + static_cast<double>(key.size()) + 1;
  frame.node->steps += std::max(0.0, frame.path - kPathFree) * kStepsPerPathByte;
  frames_.push_back(std::move(frame));
}

void SchemaWeight::begin_object(std::string_view key) {
  begin(false, key);
}

void SchemaWeight::begin_list(std::string_view key) {
  begin(true, key);
}

void SchemaWeight::end() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  Node& node = *frame.node;
  if (&node == &talk_) {
    return;
  }
  if (!frame.is_list && frame.word == Word::Properties) {
    node.largest = std::max(node.largest, frame.members);
    schema().largest = std::max(schema().largest, frame.members);
    node.steps +=
        square(frame.members) * (frame.members + (frame.key_bytes + frame.path) / kBytesPerStep);
    if (Frame* const list = merging()) {
      list->all_of.members += frame.members;
    }
  } else if (frame.is_list && frame.word == Word::AllOf) {
    node.all_ofs.push_back(std::move(frame.all_of));
  } else if (frame.is_list && frame.word == Word::Type && frame.members > kTypesMax) {
    node.steps = kEndless;
  }
  if (frame.is_list && (frame.word == Word::Choices || frame.word == Word::Enum)) {
    node.steps += kStepsPerPair * square(frame.members);
  }
  if (frame.is_tool) {
    tools_ += tool_->total();
    tool_.reset();
  }
}

SchemaWeight::Frame* SchemaWeight::merging() {
  // From the innermost: the object, its list; if those are choices, the next object and its list.
  const std::size_t depth = frames_.size();
  const auto list_at = [this, depth](std::size_t up, Word word) {
    const Frame* const frame = depth > up ? &frames_[depth - 1 - up] : nullptr;
    return frame != nullptr && frame->is_list && frame->word == word;
  };
  if (list_at(1, Word::AllOf)) {
    return &frames_[depth - 2];
  }
  return list_at(1, Word::Choices) && list_at(3, Word::AllOf) ? &frames_[depth - 4] : nullptr;
}

void SchemaWeight::take_reference(std::string_view pointer) {
  std::string_view name;
  for (const std::string_view place : {"#/$defs/", "#/definitions/", "#/components/schemas/"}) {
    if (pointer.starts_with(place)) {
      name = pointer.substr(place.size());
    }
  }
  const bool plain = !name.empty() && name.find('/') == std::string_view::npos;
  if (!plain && schema().odd_references.size() <= kOddReferencesMax) {
    schema().odd_references.emplace(pointer);
  }
  Frame* const list = merging();
  const std::size_t depth = frames_.size();
  const bool is_definition = depth > 1 && frames_[depth - 2].word == Word::Definitions;
  if (list == nullptr && !is_definition) {
    return;  // made once, whoever refers to it
  }
  Node& node = *frames_.back().node;
  if (!plain) {
    node.steps = kEndless;
    return;
  }
  node.merged.push_back("/" + std::string(name));
  if (list != nullptr) {
    list->all_of.references.push_back(node.merged.back());
  }
}

void SchemaWeight::text(std::string_view key, std::string_view text) {
  count(key);
  if (frames_.empty() || talks()) {
    return;  // the document is no more than this, or it is what somebody says
  }
  Frame& frame = frames_.back();
  if (frame.is_list && frame.word == Word::Type) {
    // {"type":["object","object"],…} within the like doubles at each step.
    if (!frame.types.emplace(text).second) {
      frame.node->steps = kEndless;
    }
    return;
  }
  const Word word = word_of(key);
  if (word == Word::Reference) {
    take_reference(text);
  } else if (word == Word::Pattern) {
    frame.node->steps += pattern_steps(text) + structure_steps(text);
  }
}

void SchemaWeight::number(std::string_view key, double number) {
  count(key);
  if (frames_.empty() || talks()) {
    return;
  }
  const Word word = word_of(key);
  double& steps = frames_.back().node->steps;
  if (word == Word::Repetition) {
    steps += written_out(number) * kStepsPerRepetition;
  } else if (word == Word::Limit) {
    steps += square(digits_of(number)) * kStepsPerDigitPair;
  } else if (frames_.back().is_list && frames_.back().word == Word::Type) {
    steps = kEndless;
  }
}

void SchemaWeight::other(std::string_view key) {
  count(key);
  if (!frames_.empty() && frames_.back().is_list && frames_.back().word == Word::Type) {
    frames_.back().node->steps = kEndless;
  }
}

// Recursion: as deep as definitions follow one another; see total(). Makes `largest` of the node
// count what is merged into it.
double SchemaWeight::Schema::resolve(Node& node) {
  if (node.mark == Node::Mark::Open) {
    return kEndless;  // a definition that is a part of itself ends the engine
  }
  if (node.mark == Node::Mark::Done) {
    return node.total;
  }
  node.mark = Node::Mark::Open;
  node.total = node.steps;
  for (const std::string& name : node.merged) {
    if (const auto found = nodes.find(name); found != nodes.end()) {
      node.total += resolve(found->second);
    }
  }
  for (const Node::AllOf& all_of : node.all_ofs) {
    double members = all_of.members;
    for (const std::string& name : all_of.references) {
      const auto found = nodes.find(name);
      members += found != nodes.end() ? found->second.largest : largest;
    }
    node.total += square(members) * members;
    node.largest = std::max(node.largest, members);
  }
  node.mark = Node::Mark::Done;
  return node.total;
}

double SchemaWeight::Schema::total() {
  // Longer chains of definitions than honest ones could be too deep for the stack.
  constexpr std::size_t kNodesMax = 10'000;
  if (odd_references.size() > kOddReferencesMax) {
    return kEndless;
  }
  double sum = 0;
  for (auto& [name, node] : nodes) {
    sum += nodes.size() > kNodesMax && !node.merged.empty() ? kEndless : resolve(node);
  }
  return sum * (1 + static_cast<double>(odd_references.size()));
}

double SchemaWeight::total() {
  return tools_ + body_.total();
}

}  // namespace hf::net
