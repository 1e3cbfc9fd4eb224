#pragma once
// Work for people's requests that would hold the loop: reading a body of many megabytes, describing
// a file. One after another, on a thread of its own: reloads, scans and measurements must not stand
// behind what people ask for. Why the line is kept here and not by the thread: whoever leaves is
// forgotten at once, with all that was held for them, users take turns, and nothing piles up. Loop
// thread, but for the work itself.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "engine/worker_thread.h"

namespace boost::asio {
class io_context;
}

namespace hf::engine {

using SideJobId = Id<struct SideJobTag, std::uint64_t>;

struct SideJob {
  UserId user{};
  std::size_t bytes = 0;         // of memory that is held for it
  std::function<void()> work{};  // on the thread; may throw; may borrow what `done` owns
  std::function<void()> done{};  // on the loop, when the work is over
};

class SideJobs {
 public:
  // Of what waits. One user has half of it at most, so that there is room for others.
  struct Limits {
    std::size_t jobs = 0;
    std::size_t bytes = 0;
  };

  SideJobs(boost::asio::io_context& io, Limits limits) : io_(io), limits_(limits) {}
  ~SideJobs();
  SideJobs(const SideJobs&) = delete;
  SideJobs& operator=(const SideJobs&) = delete;

  // nullopt: too much waits already, and nothing was taken over. What waits alone may be as large
  // as it likes.
  std::optional<SideJobId> add(SideJob job);
  // Its `done` will not be called. Both parts are destroyed: now, or when the work that runs is
  // over. For a job that is over nothing happens.
  void give_up(SideJobId id);

 private:
  struct Entry {
    SideJobId id;
    SideJob job;
  };
  struct Line {
    std::deque<Entry> entries;
    std::size_t bytes = 0;
  };

  using Lines = std::map<UserId, Line>;

  [[nodiscard]] bool has_room(const SideJob& job) const;
  Entry take(Lines::iterator line, std::size_t place);
  void start(Entry entry);
  void start_next(UserId last);
  void end_running();

  boost::asio::io_context& io_;
  const Limits limits_;
  Lines lines_;  // none of them empty
  std::size_t waiting_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::optional<Entry> running_;  // left alone while the thread has its work
  bool given_up_ = false;         // the one that runs
  std::uint64_t last_id_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  WorkerThread thread_;  // last: joined first
};

}  // namespace hf::engine
