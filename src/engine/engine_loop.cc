// Events in, actions out. The core is never called from inside itself: events that come up while
// actions are performed wait their turn.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/units.h"
#include "engine/impl.h"
#include "engine/words.h"

namespace hf::engine {

TimePoint Engine::Impl::now() const {
  // From the process's own start, a little above zero, so that "an hour ago" is a valid point too.
  return TimePoint(std::chrono::hours(24 * 365)) +
         std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started_);
}

void Engine::Impl::feed(core::Event event) {
  make_room_for(event);
  events_.push_back(std::move(event));
  if (!draining_events_) {
    drain_events();
  }
}

void Engine::Impl::drain_events() {
  draining_events_ = true;
  while (!events_.empty()) {
    const core::Event event = std::move(events_.front());
    events_.pop_front();
    const core::PressureLevel before = scheduler_->memory().level;
    scheduler_->handle(event, now());
    if (const auto* failed = std::get_if<core::event::LoadFailed>(&event)) {
      note_raise(*failed);
    }
    note_level(before);
    while (const auto action = scheduler_->poll_action()) {
      perform(*action);
    }
  }
  draining_events_ = false;
  arm_timer();
}

void Engine::Impl::arm_timer() {
  const auto deadline = scheduler_->next_deadline();
  if (!deadline || stopped_) {
    core_timer_.cancel();
    return;
  }
  core_timer_.expires_after(*deadline - now());
  core_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!error && *alive && !stopped_) {
      feed(core::event::Wake{});
    }
  });
}

void Engine::Impl::perform(const core::Action& action) {
  std::visit([this](const auto& a) { perform(a); }, action);
}

void Engine::Impl::perform(const core::action::Grant& a) {
  const auto found = waiting_.find(a.ticket);
  if (found == waiting_.end()) {
    if (a.kind == core::TicketKind::Request) {
      feed(core::event::Ended{a.ticket, core::EndKind::ClientGone});
    }
    return;
  }
  AcquireCallback callback = std::move(found->second.callback);
  auto granted = std::make_shared<Granted>();
  granted->promise = std::move(found->second.promise);
  Held held{a.model, a.generation,      {}, {}, found->second.user, found->second.asked,
            now(),   found->second.cold};
  const UserId user = found->second.user;
  waiting_.erase(found);
  granted->generation = a.generation;
  granted->waited = a.waited;
  if (const auto running = running_.find(a.model); running != running_.end()) {
    granted->socket_path = running->second.socket_path;
    granted->port = running->second.port;
  }
  if (a.kind == core::TicketKind::Request) {
    held_.emplace(a.ticket, std::move(held));
    granted->lease = Lease(self_, a.ticket);
    write(journal_line("grant", a.model)
              .generation(a.generation.value)
              .leases(++leases_of(a.model, a.generation))
              .request(std::to_string(a.ticket.value))
              .user(user_name(user))
              .text("why", core::name_of(a.reason.why))
              .reason(explain(a.reason)));
    set_oom_score(a.model);
  }
  boost::asio::post(
      io_, [callback = std::move(callback), granted] { callback(Outcome(std::move(*granted))); });
}

void Engine::Impl::perform(const core::action::Refuse& a) {
  const auto found = waiting_.find(a.ticket);
  write(journal_line("refuse", a.model)
            .request(std::to_string(a.ticket.value))
            .user(found == waiting_.end() ? std::string_view() : user_name(found->second.user))
            .text("why", core::name_of(a.reason.why))
            .reason(explain(a.reason)));
  remember(a.model, "refuse", a.reason);
  if (found == waiting_.end()) {
    return;
  }
  note_refused(found->second, a.reason.why);
  AcquireCallback callback = std::move(found->second.callback);
  Refusal refusal = refusal_of(a.model, a.reason, a.retry_after);
  refusal.waited = now() - found->second.asked;
  refusal.promise = std::move(found->second.promise);
  waiting_.erase(found);
  boost::asio::post(io_, [callback = std::move(callback), refusal = std::move(refusal)]() mutable {
    callback(tl::unexpected<Refusal>(std::move(refusal)));
  });
}

void Engine::Impl::perform(const core::action::CutLease& a) {
  remember(a.model, "cut", a.reason);
  const auto found = held_.find(a.ticket);
  if (found == held_.end()) {
    return;
  }
  const Generation generation = found->second.generation;
  int& leases = leases_of(a.model, generation);
  leases = std::max(0, leases - 1);
  write(journal_line("cut", a.model)
            .generation(generation.value)
            .leases(leases)
            .request(std::to_string(a.ticket.value))
            .user(user_name(found->second.user))
            .text("why", core::name_of(a.reason.why))
            .reason(explain(a.reason)));
  spdlog::info("request {} on {} was cut: {}", a.ticket.value, catalog_.name(a.model),
               explain(a.reason));
  note_served(found->second, store::Outcome::Cut);
  found->second.cut = a.reason;
  if (auto callback = std::move(found->second.on_cut)) {
    boost::asio::post(io_,
                      [callback = std::move(callback), reason = a.reason] { callback(reason); });
  }
}

void Engine::Impl::perform(const core::action::StopChild& a) {
  const auto found = running_.find(a.model);
  if (found == running_.end() || found->second.generation != a.generation) {
    return;  // it has just exited: that event is on its way
  }
  write(journal_line("stop_signal", a.model)
            .generation(a.generation.value)
            .pid(found->second.pid)
            .leases(found->second.leases)
            .text("why", core::name_of(a.reason.why))
            .reason(explain(a.reason)));
  remember(a.model, "stop", a.reason);
  found->second.stop_asked = now();
  spdlog::info("stopping {}: {}", catalog_.name(a.model), explain(a.reason));
  read_last_mark(found->second);
  if (a.kill) {
    found->second.child->kill();
  } else {
    found->second.child->stop();
  }
}

void Engine::Impl::perform(const core::action::GateMoved& a) {
  write(journal_line(a.shut ? "gate" : "ungate", a.model)
            .generation(a.generation.value)
            .leases(leases_of(a.model, a.generation))
            .text("why", core::name_of(a.reason.why))
            .reason(explain(a.reason)));
  remember(a.model, a.shut ? "gate" : "ungate", a.reason);
  spdlog::info("gate of {} {}: {}", catalog_.name(a.model), a.shut ? "shut" : "open",
               explain(a.reason));
}

void Engine::Impl::perform(const core::action::Notice& a) {
  using core::action::NoticeKind;
  if (a.kind == NoticeKind::AllInUseLong) {
    warn_relief(a);
    return;
  }
  const std::string line =
      notice_line(config_->log.language, a,
                  {names_of(a.names), names_of(a.protected_names), names_of(a.pinned_names)});
  const bool warning = a.kind == NoticeKind::AllInUse || a.kind == NoticeKind::CriticalMemory ||
                       a.kind == NoticeKind::EmergencyCleanup ||
                       a.kind == NoticeKind::MemoryStall || a.kind == NoticeKind::StallGivenUp;
  if (a.kind == NoticeKind::EmergencyCleanup) {
    store::JournalLine cleanup(monotonic_ms(), "cleanup");
    write(cleanup.text("level", "emergency"));
  }
  spdlog::log(warning ? spdlog::level::warn : spdlog::level::info, "{}", line);
}

void Engine::Impl::perform(const core::action::Answer& a) {
  auto found = commands_.find(a.command);
  if (found == commands_.end()) {
    return;
  }
  CommandCallback callback = std::move(found->second);
  commands_.erase(found);
  CommandResult result{a.code, names_of(a.unloading), names_of(a.kept),
                       names_of(a.protected_models), on_domain(gpu_.get(), a.domain)};
  boost::asio::post(io_, [callback = std::move(callback), result = std::move(result)]() mutable {
    callback(std::move(result));
  });
}

void Engine::Impl::perform(const core::action::Finished&) {
  stopped_ = true;
  save_history();
  for (boost::asio::steady_timer* timer :
       {&core_timer_, &memory_timer_, &measure_timer_, &others_timer_, &rescan_timer_, &save_timer_,
        &page_cache_timer_}) {
    timer->cancel();
  }
  if (gpu_) {
    gpu_->timer.cancel();
  }
  if (on_finished_) {
    boost::asio::post(io_, std::move(on_finished_));
  }
}

void Engine::Impl::shutdown(std::function<void()> done) {
  if (done) {
    on_finished_ = std::move(done);
  }
  write(store::JournalLine(monotonic_ms(), "shutdown"));
  feed(core::event::Shutdown{});
}

}  // namespace hf::engine
