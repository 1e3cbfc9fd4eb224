#include "engine/side_jobs.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace hf::engine {

SideJobs::~SideJobs() {
  *alive_ = false;
}

std::optional<SideJobId> SideJobs::add(SideJob job) {
  const SideJobId id(last_id_ + 1);
  if (!running_) {
    ++last_id_;
    start({id, std::move(job)});
    return id;
  }
  if (!has_room(job)) {
    return std::nullopt;
  }
  ++last_id_;
  ++waiting_;
  waiting_bytes_ += job.bytes;
  Line& line = lines_[job.user];
  line.bytes += job.bytes;
  line.entries.push_back({id, std::move(job)});
  return id;
}

bool SideJobs::has_room(const SideJob& job) const {
  const auto fits = [&job](std::size_t jobs, std::size_t bytes, Limits limits) {
    return jobs == 0 || (jobs < limits.jobs && bytes + job.bytes <= limits.bytes);
  };
  const auto line = lines_.find(job.user);
  return fits(waiting_, waiting_bytes_, limits_) &&
         (line == lines_.end() || fits(line->second.entries.size(), line->second.bytes,
                                       {limits_.jobs / 2, limits_.bytes / 2}));
}

void SideJobs::give_up(SideJobId id) {
  if (running_ && running_->id == id) {
    given_up_ = true;
    return;
  }
  for (auto line = lines_.begin(); line != lines_.end(); ++line) {
    const std::deque<Entry>& entries = line->second.entries;
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [id](const Entry& entry) { return entry.id == id; });
    if (found != entries.end()) {
      const Entry unused = take(line, static_cast<std::size_t>(found - entries.begin()));
      return;
    }
  }
}

SideJobs::Entry SideJobs::take(Lines::iterator line, std::size_t place) {
  std::deque<Entry>& entries = line->second.entries;
  Entry entry = std::move(entries[place]);
  entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(place));
  --waiting_;
  waiting_bytes_ -= entry.job.bytes;
  line->second.bytes -= entry.job.bytes;
  if (entries.empty()) {
    lines_.erase(line);
  }
  return entry;
}

void SideJobs::start(Entry entry) {
  given_up_ = false;
  running_ = std::move(entry);
  thread_.run([this, alive = alive_] {
    attempt([this] {
      running_->job.work();
      return true;
    });
    boost::asio::post(io_, [this, alive] {
      if (*alive) {
        end_running();
      }
    });
  });
}

void SideJobs::end_running() {
  const Entry ended = std::move(*running_);
  running_.reset();
  const bool wanted = !given_up_;
  start_next(ended.job.user);
  if (wanted) {
    ended.job.done();
  }
}

// The user whose turn it is after `last`.
void SideJobs::start_next(UserId last) {
  if (!lines_.empty()) {
    const auto line = lines_.upper_bound(last);
    start(take(line == lines_.end() ? lines_.begin() : line, 0));
  }
}

}  // namespace hf::engine
