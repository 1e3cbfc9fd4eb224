#pragma once
// What a request that waits or is refused is told. Plain values, any thread.

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/reason.h"
#include "core/view.h"

namespace hf::engine {

// What a request was told when it had to wait: for its answer's headers.
struct Promise {
  core::TicketView ticket;
  core::WaitingFor waiting_for = core::WaitingFor::Memory;
  std::vector<std::string> blockers;  // names of the models it waited for
};

// How it stands with a request that waits.
struct WaitNow {
  Promise promise;
  std::optional<double> load_progress;  // 0…1 while its model loads
};

// Why a ticket was not granted. `message` is for the client, without the model's name: no paths, no
// arguments.
struct Refusal {
  core::Reason reason;
  Duration retry_after{};  // zero: retrying will not help
  std::string message;
  std::string hint;  // the next step; "": none
  Duration waited{};
  std::optional<Promise> promise;  // nullopt: it did not wait
};

}  // namespace hf::engine
