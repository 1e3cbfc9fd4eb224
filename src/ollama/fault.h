#pragma once
// What is wrong with a request, for its client. It never repeats a piece of the request but the
// names of its fields.

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace hf::ollama {

struct Fault {
  std::string message;  // a whole sentence
  std::string param{};  // the field it is about; "": none
  std::string hint{};   // the next step; "": none
};

template <class T>
using Checked = tl::expected<T, Fault>;

inline tl::unexpected<Fault> wrong(std::string message, std::string param = {},
                                   std::string hint = {}) {
  return tl::unexpected<Fault>(Fault{std::move(message), std::move(param), std::move(hint)});
}

}  // namespace hf::ollama
