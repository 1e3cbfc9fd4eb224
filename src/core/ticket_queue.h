#pragma once
// The queue of one model: tickets in the order in which they will be granted, fair between users,
// with the places of departed clients kept for a while. Why tags: a ticket's place is fixed when it
// arrives (start-time fair queueing), so a newcomer can delay it by a bounded amount only, and a
// user with two hundred requests shares the model evenly with a user who has one. A tag is a round:
// each user is granted at most one ticket of a round. Who has nothing else here joins the round
// that is being granted, or was served in it and takes the place in the next one that the order of
// service gives: so nobody else is granted twice before it, however many wait. Single thread, no
// clock.

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "core/event.h"
#include "core/view.h"

namespace hf::core {

struct WaitingTicket {
  TicketId id;
  UserId user;
  TicketKind kind = TicketKind::Request;
  TimePoint arrived;      // age counts from here, also across a client's return
  TimePoint asked;        // when this very request came
  std::uint64_t tag = 0;  // its round
  std::uint64_t sequence = 0;
  std::optional<TimePoint> placeholder_until;  // set: its client has gone
  std::optional<TimePoint> deadline;           // published bound; nullopt: unknown
  BoundTerms terms;

  [[nodiscard]] bool live() const { return !placeholder_until.has_value(); }
};

class TicketQueue {
 public:
  [[nodiscard]] bool empty() const { return tickets_.empty(); }  // counts placeholders
  [[nodiscard]] int live() const { return live_; }
  [[nodiscard]] int size() const { return static_cast<int>(tickets_.size()); }
  [[nodiscard]] const std::vector<WaitingTicket>& tickets() const { return tickets_; }
  // As find() below.
  [[nodiscard]] std::vector<WaitingTicket>& tickets_to_publish() { return tickets_; }

  // Adds a ticket; takes over the oldest placeholder of the same user if there is one (then the
  // place and the age are those of the placeholder; a deadline must be published anew). Returns it;
  // valid until the next change.
  WaitingTicket& add(TicketId id, UserId user, TicketKind kind, TimePoint now);

  // The live ticket to be granted next, or nullptr. `slots_free` false: only Load tickets qualify.
  [[nodiscard]] const WaitingTicket* next(bool slots_free) const;
  // Removes and returns it; a request moves the rounds on.
  WaitingTicket take(TicketId id);
  // Turns a live ticket into a placeholder; false if it is not here.
  bool leave_placeholder(TicketId id, TimePoint until);
  // Removes a ticket or placeholder without granting it.
  bool remove(TicketId id);
  // Removes placeholders whose time is over; returns how many.
  int expire(TimePoint now);
  std::vector<WaitingTicket> take_all();
  // Published deadlines move by the time between `from` and `to` that their tickets waited: it did
  // not count.
  void postpone_deadlines(TimePoint from, TimePoint to);

  // Arrival of the oldest ticket, placeholders included / live only. Requires: not empty / live() >
  // 0.
  [[nodiscard]] TimePoint oldest() const { return oldest_; }
  [[nodiscard]] TimePoint oldest_live() const;
  [[nodiscard]] int live_users() const;
  // The newest ticket of the user who has the most (ties: `favoured` first).
  [[nodiscard]] const WaitingTicket* newest_of_largest_user(UserId favoured) const;
  // Others wait, and that user has more live tickets than each of them.
  [[nodiscard]] bool has_more_than_others(UserId user) const;
  // j of the bound: how many grants, this one included, may come first at most: everybody in front
  // who can no longer be joined there by a newcomer, those of its own user, and one request of each
  // other user for every round up to its own that may still be joined before it.
  [[nodiscard]] int place_of(const WaitingTicket& ticket, int users) const;
  // The same for all tickets(), in one pass.
  [[nodiscard]] std::vector<int> places(int users) const;
  [[nodiscard]] const WaitingTicket* find(TicketId id) const;
  // For a new deadline: nothing else may be changed.
  [[nodiscard]] WaitingTicket* find(TicketId id);

 private:
  void refresh_oldest();
  [[nodiscard]] bool was_served(UserId user) const;
  // Where a new ticket of that user goes in its round.
  [[nodiscard]] std::vector<WaitingTicket>::iterator spot_of(UserId user, std::uint64_t round);
  // Tickets that stand before another one.
  struct InFront {
    int left_behind = 0;  // of rounds that nobody can join any more
    int own = 0;          // of the same user, in rounds that can be joined
    int of_round = 0;     // in the same round
  };
  [[nodiscard]] int place_at(std::size_t at, const InFront& front, int others) const;
  [[nodiscard]] int ahead_in_round(std::size_t at, int in_front, int others) const;

  std::vector<WaitingTicket> tickets_;  // in the order of their grants: by tag
  int live_ = 0;
  TimePoint oldest_;
  mutable std::optional<TimePoint> oldest_live_;  // nullopt: to be looked for
  std::uint64_t round_ = 0;                       // the latest one of which a ticket was granted
  std::vector<UserId> served_;                    // in that round, in this order
  std::uint64_t sequence_ = 0;
};

}  // namespace hf::core
