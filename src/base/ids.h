#pragma once
// Identifiers with types of their own. A model keeps its id as long as the server runs; a
// generation numbers the children a model has had (1, 2, …), so that news of an old child cannot be
// mistaken for news of the present one. Value types, any thread.

#include <compare>
#include <cstdint>
#include <functional>

namespace hf {

template <class Tag, class Rep>
struct Id {
  Rep value{};
  constexpr Id() = default;
  constexpr explicit Id(Rep v) : value(v) {}
  constexpr auto operator<=>(const Id&) const = default;
};

using ModelId = Id<struct ModelTag, std::uint32_t>;    // dense: an index into the core's tables
using TicketId = Id<struct TicketTag, std::uint64_t>;  // one request, from its arrival to its end
using Generation = Id<struct GenerationTag, std::uint32_t>;
using UserId = Id<struct UserTag, std::uint32_t>;  // 0 = everybody without a key

}  // namespace hf

template <class Tag, class Rep>
struct std::hash<hf::Id<Tag, Rep>> {
  std::size_t operator()(const hf::Id<Tag, Rep>& id) const { return std::hash<Rep>{}(id.value); }
};
