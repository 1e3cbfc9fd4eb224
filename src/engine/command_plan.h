#pragma once
// How a model of kind command is started: any server that speaks the OpenAI API instead of the
// stock engine (docs/engines.md). Words with placeholders, as configured; they are filled in for
// each generation, because each has a socket or port of its own. Pure functions, any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/footprint.h"
#include "engine/cards.h"

namespace hf::engine {

struct CommandPlan {
  std::string program;                   // absolute, or as configured if it was not found
  std::vector<std::string> arguments;    // without the program
  std::vector<std::string> environment;  // the administrator's
  std::string ready;                     // the path that tells when it serves
  // Assignments that leave it the cards on which it reserves something; none where no card is
  // counted.
  std::vector<std::string> cards;
  core::Footprint declared;  // what is reserved for it

  // It listens on a port and not on a unix socket.
  [[nodiscard]] bool on_port() const;
};

struct Placeholders {
  std::string socket;      // {socket}
  std::uint16_t port = 0;  // {port}
  std::string model;       // {model}
  std::string name;        // {name}
};

// Every {socket}, {port}, {model} and {name} replaced; other braces stay (JSON is full of them).
std::string filled_in(std::string_view text, const Placeholders& values);
std::vector<std::string> filled_in(const std::vector<std::string>& words,
                                   const Placeholders& values);

// What of our own environment commands are given: scripts need PATH to find their interpreter, and
// programs HOME for their caches. Nothing else of it may reach them.
struct OwnVariables {
  std::optional<std::string> path;
  std::optional<std::string> home;
  std::optional<std::string> temporary;  // TMPDIR
};
OwnVariables own_variables();

// Ours, the language, the cards and the administrator's assignments; of one name the last counts.
std::vector<std::string> command_environment(const CommandPlan& plan, const OwnVariables& own,
                                             const Placeholders& values);

// What distinguishes this plan from another of the same program and file, for the history. Not the
// words themselves, which may hold secrets.
std::string fingerprint(const CommandPlan& plan);

// Assignments such as "CUDA_VISIBLE_DEVICES=2": only these of the counted cards are left, with
// those in mind that are hidden from ourselves. Cards whose names are not understood are left
// alone.
std::vector<std::string> only_cards(const std::vector<Card>& cards, const std::vector<bool>& wanted,
                                    const VisibleCards& visible);

// Takes the secrets of a command out of what it prints: the values of `env` (of 8 bytes and more;
// shorter ones if the name says that it is one), and of arguments whose flags say so. "***" stands
// in their place.
class SecretWords {
 public:
  SecretWords() = default;
  SecretWords(const std::vector<std::string>& arguments,
              const std::vector<std::string>& environment);
  [[nodiscard]] std::string hidden_in(std::string_view text) const;

 private:
  void add(std::string_view value, std::size_t least);
  std::vector<std::string> words_;  // longest first
};

}  // namespace hf::engine
