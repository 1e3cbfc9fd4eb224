#pragma once
// What people type or paste for a model: a web address, or its name on Hugging Face in any of the
// forms in which it is passed around (as llama.cpp's -hf and Ollama write it, and as a page's
// address). Pure; any thread.

#include <string>
#include <string_view>

#include "base/result.h"

namespace hf::pull {

// The public hub, unless HF_ENDPOINT names a mirror.
inline constexpr std::string_view kHub = "https://huggingface.co";

struct Source {
  std::string url;                // not empty: this file and nothing else
  std::string repository;         // else "org/repo" on the hub,
  std::string revision = "main";  // a branch, a tag or a commit of it,
  std::string file;               // "": chosen by
  std::string tag;                // "Q4_K_M", or "": by our preference

  bool operator==(const Source&) const = default;
  [[nodiscard]] bool on_hub() const { return url.empty(); }
  // Without what is secret in an address: "https://example.org/a.gguf", "org/repo@v1/a.gguf".
  [[nodiscard]] std::string shown() const;
};

// "https://…/x.gguf", "org/repo", "org/repo:TAG", "org/repo/path/x.gguf", each of these behind
// "hf://", "hf.co/" or "huggingface.co/", and addresses of pages and files of the hub itself.
// `endpoint`: the hub in use, for example kHub. Errors: InvalidArgument that says what is expected.
Result<Source> parse_source(std::string_view text, std::string_view endpoint = kHub);

}  // namespace hf::pull
