#pragma once
// The advice in words, English and Russian: a verdict that can be acted on, then what it rests on.
// Pure functions, any thread.

#include <string>
#include <string_view>
#include <vector>

#include "advise/advice.h"

namespace hf::advise {

enum class Language { English, Russian };

// One sentence each: more memory, less memory, pins, quantisation, policy.
std::vector<std::string> verdict(const Case& history, const Advice& advice, Language language);
// What was replayed, and how far it may be trusted.
std::string basis(const Case& history, Language language);
std::string trust_line(const Case& history, const Advice& advice, Language language);
// What the figures assume.
std::vector<std::string> notes(const Case& history, Language language);
// Instead of advice: how much history there is, and how much is needed.
std::string too_little(const Case& history, Language language);

// "×1.5", "pin 'a'", "'a' as q4_k_m", "lru": what a scenario changes.
std::string name_of(const Case& history, const Scenario& scenario, Language language);

// Table headings: scenario, budget, cold loads, waiting, mean, p95, not served.
std::vector<std::string> headings(Language language);

// "1,840", in Russian "1 840".
std::string count_text(std::uint64_t count, Language language);

}  // namespace hf::advise
