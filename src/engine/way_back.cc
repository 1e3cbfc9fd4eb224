#include "engine/way_back.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace hf::engine {

void WayBack::post(std::function<void()> reply) {
  const std::lock_guard lock(mutex_);  // held over the post: close() waits for its end
  if (io_ != nullptr) {
    boost::asio::post(*io_, std::move(reply));
  }
}

void WayBack::close() {
  const std::lock_guard lock(mutex_);
  io_ = nullptr;
}

}  // namespace hf::engine
