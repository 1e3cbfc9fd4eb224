#pragma once
// How long the engine will work on the JSON schemas and grammars of one body, in about nanoseconds,
// told from the body alone. Why: it makes a grammar of each schema before anything is generated,
// with costs that grow with the cube of an object's properties, the square of a list's choices and
// some hundred bytes for each repetition, and goes on when the client has left. 160 kB took a core
// for ten seconds and 1.4 GB. An upper bound, roughly: where schemas stand is not asked, each key
// of that name counts, but for conversations, which may speak of schemas. Events come in the order
// of the document. Any thread.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hf::net {

class SchemaWeight {
 public:
  // What a key means in a schema.
  enum class Word {
    None,
    Properties,
    Choices,  // anyOf, oneOf
    AllOf,
    Enum,
    Type,
    Definitions,
    Reference,
    Repetition,  // minLength and its like
    Pattern,     // of a text; a whole grammar as well
    Limit,       // minimum and its like: of numbers
    Tools,       // a list, each of whose objects has a schema of its own
  };
  static Word word_of(std::string_view key);
  // Does it matter what the text is that stands there? Else "" may be told.
  [[nodiscard]] bool wants_text(std::string_view key) const;

  // `key`: of the value that begins or stands there; "" in lists.
  void begin_object(std::string_view key);
  void begin_list(std::string_view key);
  void end();  // of the latest of them
  void text(std::string_view key, std::string_view text);
  void number(std::string_view key, double number);
  void other(std::string_view key);  // true, false, null

  // Once the document has ended.
  [[nodiscard]] double total();

 private:
  // A definition that others refer to, or all that is in none.
  struct Node {
    struct AllOf {
      double members = 0;
      std::vector<std::string> references{};
    };
    double steps = 0;
    double largest = 0;  // members of one object
    // What the engine puts in the place of a reference, each time anew.
    std::vector<std::string> merged{};
    std::vector<AllOf> all_ofs{};
    enum class Mark { New, Open, Done } mark = Mark::New;
    double total = 0;
  };
  // What the engine reads as one schema; names of definitions mean something in it only.
  struct Schema {
    std::map<std::string, Node, std::less<>> nodes{};
    std::set<std::string, std::less<>> odd_references{};  // to anything but a definition
    double largest = 0;

    double total();
    double resolve(Node& node);
  };
  struct Frame {
    bool is_list = false;
    bool is_tool = false;
    Word word = Word::None;
    Node* node = nullptr;
    double path = 0;  // bytes of the keys down to here
    double members = 0;
    double key_bytes = 0;
    std::set<std::string, std::less<>> types{};  // of a list of them
    Node::AllOf all_of{};
  };

  void begin(bool is_list, std::string_view key);
  void count(std::string_view key);
  Schema& schema() { return tool_ ? *tool_ : body_; }
  // The list allOf that the innermost object is a part of.
  Frame* merging();
  void take_reference(std::string_view pointer);
  [[nodiscard]] bool talks() const { return !frames_.empty() && frames_.back().node == &talk_; }

  Schema body_{};
  std::optional<Schema> tool_{};  // within one
  double tools_ = 0;              // of those that have ended
  Node talk_{};                   // a conversation: what stands there is no schema
  std::vector<Frame> frames_{};
};

// What is refused: some 0.3 s. An object of 600 properties, 10,000 choices.
constexpr double kSchemaWeightMax = 2.5e8;

}  // namespace hf::net
