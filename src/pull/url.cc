#include "pull/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <memory>

#include "base/lower.h"

namespace hf::pull {
namespace {

struct Cleanup {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part_of(CURLU* url, CURLUPart part, unsigned int flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
    return {};
  }
  std::string result(text);
  curl_free(text);
  return result;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string Url::shown() const {
  const bool usual = port == (scheme == "https" ? "443" : "80");
  return scheme + "://" + host + (usual ? "" : ":" + port) + path;
}

bool Url::is_loopback() const {
  if (host == "localhost") {
    return true;
  }
  // Numbers only: "127.example.org" is a name, and whoever owns it says where it leads.
  in_addr four{};
  in6_addr six{};
  const std::string number = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  return (::inet_pton(AF_INET, number.c_str(), &four) == 1 && ntohl(four.s_addr) >> 24U == 127) ||
         (::inet_pton(AF_INET6, number.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

Result<Url> parse_url(std::string_view text) {
  const std::unique_ptr<CURLU, Cleanup> url(curl_url());
  const std::string whole(text);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, whole.c_str(), 0) != CURLUE_OK) {
    return fail(Errc::InvalidArgument,
                "not a web address, expected for example https://example.org/models/qwen.gguf");
  }
  Url result;
  result.scheme = lower(part_of(url.get(), CURLUPART_SCHEME));
  result.host = lower(part_of(url.get(), CURLUPART_HOST));
  result.port = part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  result.path = part_of(url.get(), CURLUPART_PATH);
  if (result.scheme != "http" && result.scheme != "https") {
    return fail(Errc::InvalidArgument, "only https:// and http:// addresses can be fetched");
  }
  return result;
}

std::string with_path(const std::string& address, const std::string& path) {
  const std::unique_ptr<CURLU, Cleanup> url(curl_url());
  const bool good = url &&
                    curl_url_set(url.get(), CURLUPART_URL, address.c_str(), 0) == CURLUE_OK &&
                    curl_url_set(url.get(), CURLUPART_PATH, path.c_str(), 0) == CURLUE_OK;
  return good ? part_of(url.get(), CURLUPART_URL) : std::string();
}

std::string encode_path(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kKept = "-._~/";
  std::string result;
  for (const char c : path) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain || kKept.find(c) != std::string_view::npos) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += kHex[byte >> 4U];
      result += kHex[byte & 0xFU];
    }
  }
  return result;
}

std::string decode_path(std::string_view path) {
  std::string result;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool coded = path[i] == '%' && i + 2 < path.size() && hex_value(path[i + 1]) >= 0 &&
                       hex_value(path[i + 2]) >= 0;
    if (coded) {
      result += static_cast<char>(hex_value(path[i + 1]) * 16 + hex_value(path[i + 2]));
      i += 2;
    } else {
      result += path[i];
    }
  }
  return result;
}

}  // namespace hf::pull
