#pragma once
// The bodies of the stub's answers, in the form of the stock server: token N of every answer is
// "tokN ".

#include <boost/json/object.hpp>
#include <string>

namespace hf::stub {

struct Completion {
  bool chat = true;
  bool stream = false;
  bool include_usage = false;
  std::string id;
  std::string model;  // the alias
  int prompt_tokens = 0;
  int cached_tokens = 0;
  int max_tokens = 0;  // how many it will say
};

std::string token_text(int number);  // 1 → "tok1 "

// One `data: …` event each, with its blank line.
std::string role_event(const Completion& completion);  // empty where the API has no such event
std::string token_event(const Completion& completion, int number);
std::string final_events(const Completion& completion, int said);  // finish, usage if asked, [DONE]
// The whole answer of a request without "stream".
std::string whole_answer(const Completion& completion, int said);

}  // namespace hf::stub
