#pragma once
// Gathers what becomes of requests and loads until the history is saved, so that the loop pays for
// a few stored numbers and nothing else. Bounded: when the disk does not keep up, the newest rows
// are dropped and counted. Loop thread only.

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "store/request_log.h"

namespace hf::engine {

class RequestRecorder {
 public:
  // Rows between two saves; beyond it they are dropped. 3 MB of memory, and 10,000 requests a
  // second at the usual period.
  static constexpr std::size_t kMostRows = 50'000;

  // `row.model` is set here, from the id.
  void add(ModelId model, store::LoggedRequest row);
  void add(ModelId model, store::LoggedLoad row);
  void add_start(std::int64_t at_ms) { log_.starts_ms.push_back(at_ms); }

  [[nodiscard]] bool empty() const { return log_.empty(); }

  struct Batch {
    store::RequestLog log;        // but for `models`, which follow the ids below, and `budget`
    std::vector<ModelId> models;  // of which there are rows
    std::uint64_t dropped = 0;
  };
  // What was gathered; begins anew.
  Batch take();

 private:
  std::uint32_t index_of(ModelId model);

  store::RequestLog log_;
  std::vector<ModelId> models_;
  std::unordered_map<ModelId, std::uint32_t> index_;
  std::uint64_t dropped_ = 0;
};

}  // namespace hf::engine
