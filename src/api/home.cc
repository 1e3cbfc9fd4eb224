#include "api/home.h"

#include <string_view>

namespace hf::api {
namespace {

// Nothing in it changes: there is nothing to escape.
constexpr std::string_view kPage = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Holdfast</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
code { background: #8882; padding: 0 .25rem; }
:root { color-scheme: light dark; }
</style>
</head>
<body>
<h1>Holdfast</h1>
<p>Many language models, one machine.</p>
<h2>For clients</h2>
<ul>
<li>OpenAI (base URL: this address with <code>/v1</code>):
<code>/v1/chat/completions</code> <code>/v1/completions</code> <code>/v1/embeddings</code>
<code>/v1/responses</code> <code>/v1/rerank</code> <code>/v1/models</code>, for models that can
<code>/v1/audio/transcriptions</code> <code>/v1/audio/speech</code>
<code>/v1/images/generations</code></li>
<li>Anthropic (base URL: this address):
<code>/v1/messages</code> <code>/v1/messages/count_tokens</code></li>
<li>Ollama (host: this address):
<code>/api/chat</code> <code>/api/generate</code> <code>/api/embed</code> <code>/api/tags</code>
<code>/api/ps</code> <code>/api/show</code></li>
</ul>
<h2>State</h2>
<ul>
<li><a href="/health"><code>/health</code></a>, <code>/health/live</code></li>
<li><a href="/api/v1/models"><code>/api/v1/models</code></a></li>
<li><code>/api/v1/explain?model=NAME</code></li>
</ul>
<h2>Commands</h2>
<p>By <code>POST</code>, or with <code>holdfast --help</code>:</p>
<ul>
<li><code>/api/v1/models/NAME/load</code>, <code>unload</code>, <code>pin</code>,
<code>unpin</code></li>
<li><code>/api/v1/cleanup?level=normal|emergency</code>, <code>/api/v1/reload</code></li>
</ul>
</body>
</html>
)";

}  // namespace

net::Reply home_reply(const net::RequestHead& head, const std::string& request_id) {
  const bool is_browser = head.header("accept").find("text/html") != std::string_view::npos;
  net::Reply reply;
  reply.content_type = is_browser ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
  reply.body = is_browser ? kPage : std::string_view("Ollama is running");
  reply.headers.push_back(net::Header{"x-request-id", request_id});
  reply.headers.push_back(net::Header{"Vary", "Accept"});
  return reply;
}

}  // namespace hf::api
