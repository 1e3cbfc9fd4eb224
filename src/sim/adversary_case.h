#pragma once
// A case of the adversary: a small world and a script of everything that people, children and
// administrators do in it, made to keep somebody waiting for as long as the published bound allows.
// Every number is a gene: `draw_case` invents a case, `mutate` changes a few genes. A case says
// nothing about what the core decides; `adversary_run.h` plays it. Value types, any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "core/limits.h"
#include "sim/plan.h"
#include "sim/random.h"

namespace hf::sim {

// When something of the script happens: so long after the start, or after the n-th time that
// something happened to a model. Why not only times: an attack that reacts to the core keeps its
// sense while the genes around it change.
enum class Anchor : std::uint8_t { Start, LoadStarted, Ready, GateShut, Reaped };
constexpr std::size_t kAnchors = 5;

struct When {
  Anchor anchor = Anchor::Start;
  std::uint32_t model = 0;  // of the anchor
  int nth = 1;
  Duration delay{};
};

// A client with a request, or a row of them.
struct Visit {
  When when;
  int times = 1;     // this often …
  Duration every{};  // … so far apart
  std::uint32_t model = 0;
  std::uint32_t user = 0;
  bool load_only = false;           // asks for the model, not for an answer
  std::optional<Duration> answer;   // nullopt: it ends only when it is cut
  std::optional<Duration> leaves;   // after its arrival, if it still waits or is answered
  std::optional<Duration> returns;  // after it left
  std::optional<Duration> stalls;   // after its grant, its reader stops reading for good
};

// What administrators, the machine and bad luck do.
enum class Blow : std::uint8_t {
  Crash,       // of a ready child
  UnloadIdle,  // and cleanups: a model that nobody uses goes
  Cleanup,
  Preload,
  Drain,
  Restart,   // the model's options changed: drain, then the next generation
  Pressure,  // memory above the high mark for `lasts`
  Slower,    // its load was measured: `lasts`
  Settings,  // patience, turn and request limit become `lasts`
};
constexpr std::size_t kBlows = 9;

struct Strike {
  When when;
  Blow blow = Blow::Crash;
  std::uint32_t model = 0;
  Duration lasts{};
};

enum class LoadEnd : std::uint8_t { Ready, Crashed, OutOfMemory, TimedOut };

// One attempt. A child that runs into its deadline is stopped first, and then it has failed.
struct Attempt {
  LoadEnd end = LoadEnd::Ready;
  double share = 1;  // of the load deadline
};

struct ModelGenes {
  Bytes size, gpu_size;  // gpu_size 0: lives in host memory alone
  int slots = 1;
  int priority = 0;
  bool pinned = false;
  Duration load_deadline{};
  Duration reload{};              // measured
  std::vector<Attempt> attempts;  // one after the other, then from the first; empty: all the worst
  std::vector<double> stops;      // share of the stop deadline; as attempts
};

struct Case {
  core::Limits limits;
  Duration longest_answer{};  // what answers are limited by if there is no request_limit
  std::vector<ModelGenes> models;
  std::vector<Visit> visits;
  std::vector<Strike> strikes;
};

Case draw_case(Random& random);
// Changes one to three genes. The result is as legal as the case was.
void mutate(Case& c, Random& random);
// The world of the case, as the checker wants to know it.
Plan plan_of(const Case& c);
// Settings, models, visits and strikes, one line each.
std::string in_words(const Case& c);

}  // namespace hf::sim
