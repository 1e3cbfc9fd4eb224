#include "core/ticket_queue.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/assert.h"

namespace hf::core {

WaitingTicket& TicketQueue::add(TicketId id, UserId user, TicketKind kind, TimePoint now) {
  HF_ASSERT(find(id) == nullptr, "a ticket id is used once");
  WaitingTicket* kept = nullptr;
  std::uint64_t round = served_.contains(user) ? round_ + 1 : round_;
  for (WaitingTicket& ticket : tickets_) {
    if (ticket.user != user) {
      continue;
    }
    round = std::max(round, ticket.tag + 1);
    if (!ticket.live() && ticket.kind == kind &&
        (kept == nullptr || ticket.arrived < kept->arrived)) {
      kept = &ticket;
    }
  }
  ++live_;
  if (kept != nullptr) {
    kept->id = id;
    kept->asked = now;
    kept->placeholder_until.reset();
    oldest_live_.reset();
    kept->deadline.reset();  // its model may have come and gone without it meanwhile
    return *kept;
  }
  WaitingTicket ticket;
  ticket.id = id;
  ticket.user = user;
  ticket.kind = kind;
  ticket.arrived = now;
  ticket.asked = now;
  ticket.tag = round;
  ticket.sequence = ++sequence_;
  if (tickets_.empty() || now < oldest_) {
    oldest_ = now;
  }
  const auto place = std::upper_bound(
      tickets_.begin(), tickets_.end(), ticket,
      [](const WaitingTicket& a, const WaitingTicket& b) { return a.tag < b.tag; });
  return *tickets_.insert(place, ticket);
}

const WaitingTicket* TicketQueue::next(bool slots_free) const {
  for (const WaitingTicket& ticket : tickets_) {
    if (ticket.live() && (slots_free || ticket.kind == TicketKind::Load)) {
      return &ticket;
    }
  }
  return nullptr;
}

WaitingTicket TicketQueue::take(TicketId id) {
  const WaitingTicket* found = find(id);
  HF_ASSERT(found != nullptr && found->live(), "only a waiting ticket can be granted");
  WaitingTicket ticket = *found;
  if (ticket.kind == TicketKind::Request) {
    if (ticket.tag > round_) {
      round_ = ticket.tag;
      served_.clear();
    }
    if (ticket.tag == round_) {
      served_.insert(ticket.user);
    }
  }
  remove(id);
  return ticket;
}

bool TicketQueue::leave_placeholder(TicketId id, TimePoint until) {
  for (WaitingTicket& ticket : tickets_) {
    if (ticket.id == id && ticket.live()) {
      ticket.placeholder_until = until;
      --live_;
      oldest_live_.reset();
      return true;
    }
  }
  return false;
}

bool TicketQueue::remove(TicketId id) {
  for (auto it = tickets_.begin(); it != tickets_.end(); ++it) {
    if (it->id == id) {
      live_ -= it->live() ? 1 : 0;
      if (it->live() && oldest_live_ == it->arrived) {
        oldest_live_.reset();
      }
      const bool was_oldest = it->arrived == oldest_;
      tickets_.erase(it);
      if (was_oldest) {
        refresh_oldest();
      }
      return true;
    }
  }
  return false;
}

int TicketQueue::expire(TimePoint now) {
  const auto expired = std::erase_if(tickets_, [now](const WaitingTicket& ticket) {
    return !ticket.live() && *ticket.placeholder_until <= now;
  });
  if (expired > 0) {
    refresh_oldest();
  }
  return static_cast<int>(expired);
}

std::vector<WaitingTicket> TicketQueue::take_all() {
  live_ = 0;
  oldest_live_.reset();
  return std::exchange(tickets_, {});
}

void TicketQueue::postpone_deadlines(TimePoint from, TimePoint to) {
  for (WaitingTicket& ticket : tickets_) {
    if (ticket.deadline) {
      *ticket.deadline += to - std::max(from, ticket.asked);
    }
  }
}

TimePoint TicketQueue::oldest_live() const {
  HF_ASSERT(live_ > 0, "somebody waits");
  if (!oldest_live_) {
    oldest_live_ = TimePoint::max();
    for (const WaitingTicket& ticket : tickets_) {
      if (ticket.live()) {
        oldest_live_ = std::min(*oldest_live_, ticket.arrived);
      }
    }
  }
  return *oldest_live_;
}

int TicketQueue::live_users() const {
  std::unordered_set<UserId> users;
  for (const WaitingTicket& ticket : tickets_) {
    if (ticket.live()) {
      users.insert(ticket.user);
    }
  }
  return static_cast<int>(users.size());
}

const WaitingTicket* TicketQueue::newest_of_largest_user(UserId favoured) const {
  std::unordered_map<UserId, int> counts;  // look-up only
  for (const WaitingTicket& ticket : tickets_) {
    counts[ticket.user] += ticket.live() ? 1 : 0;
  }
  const WaitingTicket* chosen = nullptr;
  int most = counts[favoured];
  UserId largest = favoured;
  for (const WaitingTicket& ticket : tickets_) {
    if (counts[ticket.user] > most) {
      most = counts[ticket.user];
      largest = ticket.user;
    }
  }
  for (const WaitingTicket& ticket : tickets_) {
    if (ticket.live() && ticket.user == largest &&
        (chosen == nullptr || ticket.sequence > chosen->sequence)) {
      chosen = &ticket;
    }
  }
  return chosen;
}

int TicketQueue::place_of(const WaitingTicket& ticket, int users) const {
  // A newcomer joins the present round at the earliest, behind those who are in it, and nobody is
  // served twice in one round. So in each round from there to this ticket's own every other user
  // may still be served once; for the rest those in front are all that there will be.
  int in_front = 0;
  for (const WaitingTicket& other : tickets_) {
    if (other.id == ticket.id) {
      break;
    }
    const bool may_be_joined = other.tag >= round_ && other.tag < ticket.tag;
    in_front += !may_be_joined || other.user == ticket.user ? 1 : 0;
  }
  return in_front + may_join_before(ticket, std::max(users, live_users()) - 1) + 1;
}

int TicketQueue::may_join_before(const WaitingTicket& ticket, int others) const {
  if (ticket.tag <= round_) {
    return 0;
  }
  const int served = static_cast<int>(served_.size()) - (served_.contains(ticket.user) ? 1 : 0);
  const auto later_rounds = static_cast<int>(ticket.tag - round_ - 1);
  return std::max(0, others - served) + later_rounds * others;
}

std::vector<int> TicketQueue::places(int users) const {
  const int others = std::max(users, live_users()) - 1;
  std::unordered_map<UserId, int> own_between;  // in rounds before the one looked at; look-up only
  std::vector<int> places;
  places.reserve(tickets_.size());
  std::size_t first = 0;  // of the round looked at
  int left_behind = 0;    // of rounds that nobody can join any more
  for (std::size_t i = 0; i < tickets_.size(); ++i) {
    const WaitingTicket& ticket = tickets_[i];
    if (ticket.tag < round_) {
      places.push_back(static_cast<int>(i) + 1);
      ++left_behind;
      first = i + 1;
      continue;
    }
    if (tickets_[first].tag != ticket.tag) {
      for (; first < i; ++first) {
        ++own_between[tickets_[first].user];
      }
    }
    const int in_front = left_behind + static_cast<int>(i - first) + own_between[ticket.user];
    places.push_back(in_front + may_join_before(ticket, others) + 1);
  }
  return places;
}

const WaitingTicket* TicketQueue::find(TicketId id) const {
  for (const WaitingTicket& ticket : tickets_) {
    if (ticket.id == id) {
      return &ticket;
    }
  }
  return nullptr;
}

WaitingTicket* TicketQueue::find(TicketId id) {
  return const_cast<WaitingTicket*>(std::as_const(*this).find(id));
}

void TicketQueue::refresh_oldest() {
  oldest_ = TimePoint::max();
  for (const WaitingTicket& ticket : tickets_) {
    oldest_ = std::min(oldest_, ticket.arrived);
  }
}

}  // namespace hf::core
