// The public face: forwards to Impl. Asking for a lease begins here.
#include "engine/engine.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "engine/card_plan.h"
#include "engine/impl.h"

namespace hf::engine {

Lease::Lease(Lease&& other) noexcept
    : engine_(std::exchange(other.engine_, nullptr)), ticket_(other.ticket_) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    engine_ = std::exchange(other.engine_, nullptr);
    ticket_ = other.ticket_;
  }
  return *this;
}

void Lease::release(LeaseEnd end) {
  if (Engine* engine = std::exchange(engine_, nullptr)) {
    engine->impl_->release(ticket_, end);
  }
}

void Lease::open_ended() {
  if (engine_ != nullptr) {
    engine_->impl_->open_ended(ticket_);
  }
}

void Lease::on_cut(std::function<void(const core::Reason&)> callback) {
  if (engine_ != nullptr) {
    engine_->impl_->on_cut(ticket_, std::move(callback));
  }
}

void Lease::reader_stalled(bool stalled) {
  if (engine_ != nullptr) {
    engine_->impl_->reader_stalled(ticket_, stalled);
  }
}

Engine::Engine(boost::asio::io_context& io, std::shared_ptr<const config::Config> config)
    : impl_(std::make_unique<Impl>(*this, io, std::move(config))) {}

Engine::~Engine() = default;

Result<void> Engine::start() {
  return impl_->start();
}
void Engine::shutdown(std::function<void()> done) {
  impl_->shutdown(std::move(done));
}

bool Engine::end_threads() {
  return impl_->end_threads();
}

tl::expected<ModelId, NotFound> Engine::resolve(std::string_view name) const {
  if (const auto model = impl_->catalog().find(name)) {
    return *model;
  }
  NotFound missing{std::string(name.substr(0, 200)), impl_->catalog().near(name)};
  return tl::unexpected<NotFound>(std::move(missing));
}

std::string Engine::name_of(ModelId model) const {
  return impl_->catalog().name(model);
}

void Engine::name_user(UserId user, std::string name) {
  impl_->name_user(user, std::move(name));
}

Abilities Engine::abilities_of(ModelId model) const {
  return engine::abilities_of(impl_->catalog().at(model).file);
}

TicketId Engine::acquire(ModelId model, UserId user, AcquireCallback callback) {
  return impl_->acquire(model, user, core::TicketKind::Request, std::move(callback));
}

TicketId Engine::load(ModelId model, UserId user, const std::string& who,
                      AcquireCallback callback) {
  if (!who.empty()) {
    impl_->note_command("load", model, who, false);
  }
  return impl_->acquire(model, user, core::TicketKind::Load, std::move(callback));
}

void Engine::cancel(TicketId ticket) {
  impl_->cancel(ticket);
}

void Engine::unload(ModelId model, core::UnloadMode mode, std::string who,
                    CommandCallback callback) {
  const std::uint64_t number = impl_->next_command();
  impl_->note_command("unload", model, who, mode == core::UnloadMode::Force);
  impl_->command(core::event::Unload{number, model, mode}, number, std::move(callback));
}

void Engine::cleanup(core::CleanupLevel level, std::string who, CommandCallback callback) {
  const std::uint64_t number = impl_->next_command();
  impl_->note_cleanup(level, who);
  impl_->command(core::event::Cleanup{number, level}, number, std::move(callback));
}

void Engine::pin(ModelId model, bool pinned, std::string who, CommandCallback callback) {
  impl_->note_command(pinned ? "pin" : "unpin", model, who, false);
  impl_->pin_by_hand(model, pinned, std::move(callback));
}

void Engine::reload(ConfigReader reader, ReloadCallback callback) {
  impl_->reload(std::move(reader), std::move(callback));
}

Status Engine::status() const {
  return impl_->status();
}

std::vector<core::TicketView> Engine::tickets_of(ModelId model) const {
  return impl_->tickets_of(model);
}

std::optional<WaitNow> Engine::wait_of(TicketId ticket) const {
  return impl_->wait_of(ticket);
}

std::vector<Decision> Engine::decisions_about(ModelId model) const {
  return impl_->decisions_about(model);
}

Engine::Impl::Impl(Engine& self, boost::asio::io_context& io,
                   std::shared_ptr<const config::Config> config)
    : EngineState(self, io, std::move(config)) {}

Engine::Impl::~Impl() {
  *alive_ = false;
  stopped_ = true;
  for (auto& [model, running] : running_) {
    if (running.child) {
      running.child->kill();
    }  // only after a start that failed half-way, or a loop that was abandoned
  }
}

TicketId Engine::Impl::acquire(ModelId model, UserId user, core::TicketKind kind,
                               AcquireCallback callback) {
  const TicketId ticket(++last_ticket_);
  waiting_.emplace(ticket, Waiting{std::move(callback), model, user, kind, now()});
  const core::State state = scheduler_->view(model).state;
  const bool child_serves = state != core::State::Absent && state != core::State::Failed;
  if (child_serves || !has_changed(catalog_.at(model).file)) {
    boost::asio::post(io_, [this, ticket, alive = alive_] {
      if (*alive) {
        arrive(ticket);
      }
    });
  } else {
    refresh_then_arrive(ticket, model);
  }
  return ticket;
}

// The request becomes a ticket; from here on the core knows it.
void Engine::Impl::arrive(TicketId ticket) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) {
    return;  // its client left meanwhile
  }
  Waiting& waiting = found->second;
  waiting.arrived = true;
  waiting.cold = scheduler_->view(waiting.model).state != core::State::Ready;
  feed(core::event::Arrived{ticket, waiting.model, waiting.user, waiting.kind});
  note_promise(ticket);
}

void Engine::Impl::note_promise(TicketId ticket) {
  const auto found = waiting_.find(ticket);
  std::optional<WaitNow> wait = wait_of(ticket);
  if (found != waiting_.end() && wait) {
    found->second.promise = std::move(wait->promise);
  }  // else answered at once
}

std::optional<WaitNow> Engine::Impl::wait_of(TicketId ticket) {
  scheduler_->tell_time(now());  // its own load may have started at once
  const auto view = scheduler_->waiting_ticket(ticket);
  if (!view) {
    return std::nullopt;
  }
  const auto wait = scheduler_->wait_of(view->model);
  WaitNow result{Promise{*view, wait->waiting_for, names_of(wait->blockers)}, {}};
  if (scheduler_->view(view->model).state == core::State::Loading) {
    const auto running = running_.find(view->model);
    result.load_progress = running == running_.end() ? 0 : running->second.progress;
  }
  return result;
}

// The file was replaced since it was costed: look at it again before anybody is asked to leave for
// it.
void Engine::Impl::refresh_then_arrive(TicketId ticket, ModelId model) {
  const ModelFile& before = catalog_.at(model).file;
  CardRoom cards = card_room(gpu_.get(), *config_);
  for (const auto& [name, file] : known_files()) {
    count_in(cards, file, name == before.source.settings.name ? 0 : 1);
  }
  worker_.run([this, ticket, model, before, cards, budget = budget_, alive = alive_] {
    const auto file = attempt([&] { return inspect(before.source, budget, cards, &before); });
    boost::asio::post(io_, [this, ticket, model, budget, file, alive] {
      if (!*alive) {
        return;
      }
      const Catalog::Entry& entry = catalog_.at(model);
      if (file && entry.listed && (entry.file.source != file->source || budget != budget_)) {
        return refresh_then_arrive(ticket, model);  // a reload came between
      }
      if (file && entry.listed) {
        put_model(std::move(*file));
        follow_wishes();
      }
      arrive(ticket);
    });
  });
}

void Engine::Impl::cancel(TicketId ticket) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) {
    return;  // answered: the lease's owner releases it
  }
  const bool arrived = found->second.arrived;
  note_ungranted(found->second, store::Outcome::LeftQueue);
  waiting_.erase(found);
  if (arrived) {
    feed(core::event::Ended{ticket, core::EndKind::ClientGone});
  }
}

void Engine::Impl::release(TicketId ticket, LeaseEnd end) {
  const auto found = held_.find(ticket);
  if (found == held_.end()) {
    return;  // cut before
  }
  const Held held = std::move(found->second);
  held_.erase(found);
  if (held.cut) {
    return;
  }
  // Before the event: a stop that it makes possible must come after it in the journal.
  int& leases = leases_of(held.model, held.generation);
  leases = std::max(0, leases - 1);
  write(journal_line("release", held.model)
            .generation(held.generation.value)
            .leases(leases)
            .request(std::to_string(ticket.value)));
  const bool complete = end != LeaseEnd::BrokenOff;
  note_served(held, complete ? store::Outcome::Done : store::Outcome::BrokenOff);
  if (end == LeaseEnd::Answered) {
    learn_answer(held);
  }
  if (complete) {
    failed_.erase(held.model);  // it works
  }
  feed(core::event::Ended{ticket, complete ? core::EndKind::Done : core::EndKind::ClientGone});
  set_oom_score(held.model);
}

void Engine::Impl::on_cut(TicketId ticket, std::function<void(const core::Reason&)> callback) {
  const auto found = held_.find(ticket);
  if (found == held_.end()) {
    return;
  }
  if (found->second.cut) {
    boost::asio::post(
        io_, [callback = std::move(callback), reason = *found->second.cut] { callback(reason); });
    return;
  }
  found->second.on_cut = std::move(callback);
}

void Engine::Impl::open_ended(TicketId ticket) {
  feed(core::event::OpenEnded{ticket});
}

void Engine::Impl::reader_stalled(TicketId ticket, bool stalled) {
  if (stalled) {
    feed(core::event::ReaderStalled{ticket});
  } else {
    feed(core::event::ReaderResumed{ticket});
  }
}

void Engine::Impl::command(core::Event event, std::uint64_t number, CommandCallback callback) {
  commands_.emplace(number, std::move(callback));
  boost::asio::post(io_, [this, event = std::move(event), alive = alive_]() mutable {
    if (*alive) {
      feed(std::move(event));
    }
  });
}

}  // namespace hf::engine
