#pragma once
// How a wait is told: in /health, in explain, and in the headers of the answer that ended it. Two
// figures: the bound, a deadline that never moves later, with its terms, because one of them
// (the longest answer) usually dominates and can be lowered; and the ETA, an estimate. Pure, any
// thread.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/view.h"
#include "engine/engine.h"
#include "net/exchange.h"

namespace hf::api {

// One model that somebody waits for.
boost::json::object wait_object(const engine::WaitStatus& wait);
// Those who wait for one model, first to be granted first.
boost::json::array tickets_array(const std::vector<core::TicketView>& tickets);
// Adds whose each is, where that is known, to what tickets_array() made of them.
void name_users(boost::json::array& array, const std::vector<core::TicketView>& tickets,
                const std::map<UserId, std::string>& names);

// x-holdfast-position, -eta-ms, -bound-ms, -bound-terms, -waiting-for: as it was told when the
// request came. Only for requests that had to wait.
void add_promise_headers(const engine::Promise& promise, std::vector<net::Header>& headers);

// What every answer about a model says: its canonical name, and how long it waited.
void add_served_headers(std::string_view model, Duration waited, std::vector<net::Header>& headers);

}  // namespace hf::api
