#include "pull/source.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "pull/url.h"

namespace hf::pull {
namespace {

constexpr std::string_view kForms =
    "expected org/repo, org/repo:Q4_K_M or org/repo/file.gguf of Hugging Face, or the https:// "
    "address of a .gguf file";

Error wrong(std::string what) {
  return {Errc::InvalidArgument, std::move(what)};
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    segments.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return segments;
}

std::string joined(const std::vector<std::string>& segments, std::size_t from) {
  std::string result;
  for (std::size_t i = from; i < segments.size(); ++i) {
    result += (result.empty() ? "" : "/") + segments[i];
  }
  return result;
}

// As the hub has them: letters, digits and "-._"; never "." or "..".
bool is_word(std::string_view text) {
  constexpr std::string_view kMarks = "-._";
  const auto good = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 96 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), good);
}

bool is_good_path(const std::vector<std::string>& segments, std::size_t from) {
  return std::none_of(segments.begin() + static_cast<std::ptrdiff_t>(from), segments.end(),
                      [](const std::string& each) {
                        return each.empty() || each == "." || each == ".." ||
                               each.find('\\') != std::string::npos || !is_printable(each);
                      });
}

bool ends_in_gguf(std::string_view text) {
  return text.size() > 5 && text.ends_with(".gguf");
}

Result<Source> of_repository(const std::vector<std::string>& segments) {
  if (segments.size() < 2 || !is_word(segments[0]) || !is_word(segments[1])) {
    return fail(wrong(std::string(kForms)));
  }
  Source source;
  source.repository = segments[0] + "/" + segments[1];
  return source;
}

Result<Source> with_file(Source source, const std::vector<std::string>& segments,
                         std::size_t from) {
  source.file = joined(segments, from);
  if (!is_good_path(segments, from) || !ends_in_gguf(source.file)) {
    return fail(wrong("the file in the repository must end in .gguf, " + std::string(kForms)));
  }
  return source;
}

// org/repo[:TAG] or org/repo/path/x.gguf
Result<Source> of_name(std::string_view text) {
  std::string tag;
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    tag = std::string(text.substr(colon + 1));
    text = text.substr(0, colon);
    if (text.find('/') == std::string_view::npos) {
      return fail(wrong("Ollama's own names are not known here, " + std::string(kForms)));
    }
    if (!is_word(tag)) {
      return fail(wrong("what follows the colon is no quantisation, " + std::string(kForms)));
    }
  }
  const std::vector<std::string> segments = segments_of(text);
  auto source = of_repository(segments);
  if (!source) {
    return source;
  }
  if (segments.size() > 2) {
    if (!tag.empty()) {
      return fail(wrong("a file or a quantisation may be named, not both, " + std::string(kForms)));
    }
    return with_file(std::move(*source), segments, 2);
  }
  source->tag = tag == "latest" ? "" : tag;
  return source;
}

// Addresses of the hub's own pages and files: /org/repo[/tree/REV], /org/repo/blob/REV/FILE, and
// /resolve/ or /raw/ likewise.
Result<Source> of_hub_address(const Url& url) {
  const std::vector<std::string> segments = segments_of(decode_path(url.path).substr(1));
  auto source = of_repository(segments);
  if (!source || segments.size() == 2) {
    return source;
  }
  const std::string& kind = segments[2];
  const bool file = kind == "blob" || kind == "resolve" || kind == "raw";
  if (segments.size() < 4 || !(file || kind == "tree") || !is_good_path(segments, 3)) {
    return fail(wrong("that page of Hugging Face holds no model, " + std::string(kForms)));
  }
  source->revision = segments[3];
  return file ? with_file(std::move(*source), segments, 4) : source;
}

// A page or file of the hub; a mirror may have files of its own beside it.
bool is_on_hub(const Url& url, std::string_view endpoint) {
  if (url.host == "huggingface.co" || url.host == "www.huggingface.co" || url.host == "hf.co") {
    return true;
  }
  const auto hub = parse_url(endpoint);
  return hub && hub->origin() == url.origin() &&
         (url.path.find("/resolve/") != std::string::npos ||
          url.path.find("/blob/") != std::string::npos || !ends_in_gguf(url.path));
}

}  // namespace

std::string Source::shown() const {
  if (!on_hub()) {
    const auto parsed = parse_url(url);
    return parsed ? parsed->shown() : "?";
  }
  return repository + (revision == "main" ? "" : "@" + revision) +
         (file.empty() ? "" : "/" + file) + (tag.empty() ? "" : ":" + tag);
}

Result<Source> parse_source(std::string_view text, std::string_view endpoint) {
  if (text.starts_with("hf://")) {
    return of_name(text.substr(5));
  }
  if (text.find("://") != std::string_view::npos) {
    const auto url = parse_url(text);
    if (!url) {
      return fail(url.error());
    }
    if (is_on_hub(*url, endpoint)) {
      return of_hub_address(*url);
    }
    Source source;
    source.url = std::string(text);
    return source;
  }
  for (const std::string_view host : {"hf.co/", "huggingface.co/"}) {
    if (text.starts_with(host)) {
      return of_name(text.substr(host.size()));
    }
  }
  if (text.starts_with('/') || text.starts_with('.') || text.starts_with('~')) {
    return fail(
        wrong("a file on this machine need not be pulled: copy or link it into models_dir"));
  }
  return of_name(text);
}

}  // namespace hf::pull
