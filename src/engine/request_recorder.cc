#include "engine/request_recorder.h"

#include <utility>

namespace hf::engine {

void RequestRecorder::add(ModelId model, store::LoggedRequest row) {
  if (log_.requests.size() >= kMostRows) {
    ++dropped_;
    return;
  }
  row.model = index_of(model);
  log_.requests.push_back(row);
}

void RequestRecorder::add(ModelId model, store::LoggedLoad row) {
  if (log_.loads.size() >= kMostRows) {
    ++dropped_;
    return;
  }
  row.model = index_of(model);
  log_.loads.push_back(row);
}

std::uint32_t RequestRecorder::index_of(ModelId model) {
  const auto [entry, is_new] =
      index_.try_emplace(model, static_cast<std::uint32_t>(models_.size()));
  if (is_new) {
    models_.push_back(model);
  }
  return entry->second;
}

RequestRecorder::Batch RequestRecorder::take() {
  index_.clear();
  return {std::exchange(log_, {}), std::exchange(models_, {}), std::exchange(dropped_, 0)};
}

}  // namespace hf::engine
