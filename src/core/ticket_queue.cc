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
  std::uint64_t round = was_served(user) ? round_ + 1 : round_;
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
  return *tickets_.insert(spot_of(user, round), ticket);
}

bool TicketQueue::was_served(UserId user) const {
  return std::find(served_.begin(), served_.end(), user) != served_.end();
}

std::vector<WaitingTicket>::iterator TicketQueue::spot_of(UserId user, std::uint64_t round) {
  const auto first = std::lower_bound(
      tickets_.begin(), tickets_.end(), round,
      [](const WaitingTicket& ticket, std::uint64_t sought) { return ticket.tag < sought; });
  const auto own = std::find(served_.begin(), served_.end(), user);
  const bool by_service = round == round_ + 1 && own != served_.end();
  // Behind all of its round; or, where it was served in the one before it, behind those who were so
  // earlier and ask again. The others had, or will have, that turn later than it.
  auto spot = first;
  for (auto it = first; it != tickets_.end() && it->tag == round; ++it) {
    if (!by_service || std::find(served_.begin(), own, it->user) != own) {
      spot = it + 1;
    }
  }
  return spot;
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
    if (ticket.tag == round_ && !was_served(ticket.user)) {
      served_.push_back(ticket.user);
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

bool TicketQueue::has_more_than_others(UserId user) const {
  std::unordered_map<UserId, int> counts;  // no order of it decides anything
  for (const WaitingTicket& ticket : tickets_) {
    if (ticket.live()) {
      ++counts[ticket.user];
    }
  }
  const int own = counts[user];
  return counts.size() > 1 && std::all_of(counts.begin(), counts.end(), [&](const auto& count) {
           return count.first == user || count.second < own;
         });
}

int TicketQueue::place_of(const WaitingTicket& ticket, int users) const {
  InFront front;
  std::size_t at = 0;
  while (tickets_[at].id != ticket.id) {
    const WaitingTicket& other = tickets_[at++];
    front.left_behind += other.tag < round_ ? 1 : 0;
    front.own += other.tag >= round_ && other.user == ticket.user ? 1 : 0;
    front.of_round += other.tag == ticket.tag ? 1 : 0;
  }
  return place_at(at, front, std::max(users, live_users()) - 1);
}

std::vector<int> TicketQueue::places(int users) const {
  const int others = std::max(users, live_users()) - 1;
  std::unordered_map<UserId, int> own;  // of rounds that can still be joined; look-up only
  std::vector<int> places;
  places.reserve(tickets_.size());
  InFront front;
  for (std::size_t at = 0; at < tickets_.size(); ++at) {
    const WaitingTicket& ticket = tickets_[at];
    const bool same_round = at > 0 && tickets_[at - 1].tag == ticket.tag;
    front.of_round = same_round ? front.of_round + 1 : 0;
    front.own = own[ticket.user];
    places.push_back(place_at(at, front, others));
    front.left_behind += ticket.tag < round_ ? 1 : 0;
    own[ticket.user] += ticket.tag >= round_ ? 1 : 0;
  }
  return places;
}

int TicketQueue::place_at(std::size_t at, const InFront& front, int others) const {
  const WaitingTicket& ticket = tickets_[at];
  if (ticket.tag <= round_) {
    return static_cast<int>(at) + 1;  // whoever comes now is behind it
  }
  // Nobody is served twice in a round. What is left of the present one is for those who were not;
  // in each round between it and the ticket's own every other user may be served.
  const int served = static_cast<int>(served_.size()) - (was_served(ticket.user) ? 1 : 0);
  const auto rounds_between = static_cast<int>(ticket.tag - round_ - 1);
  return front.left_behind + front.own + std::max(0, others - served) + rounds_between * others +
         ahead_in_round(at, front.of_round, others) + 1;
}

// Of the ticket's own round, which is not the present one: those in front and those who may still
// get there.
int TicketQueue::ahead_in_round(std::size_t at, int in_front, int others) const {
  const WaitingTicket& ticket = tickets_[at];
  const auto own = std::find(served_.begin(), served_.end(), ticket.user);
  if (ticket.tag != round_ + 1 || own == served_.end()) {
    return others;  // nobody knows yet in which order the round before it will be served
  }
  auto ahead = static_cast<int>(own - served_.begin());
  for (std::size_t i = at - static_cast<std::size_t>(in_front); i < at; ++i) {
    ahead += std::find(served_.begin(), own, tickets_[i].user) == own ? 1 : 0;
  }
  return ahead;
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
