#pragma once
// The Asio and Beast names this folder uses, in one place. Never included by a header that another
// folder sees. One loop thread runs everything here.

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace hf::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;
using boost::system::error_code;

template <class T>
using Task = asio::awaitable<T>;

// Errors come back as the first element of a tuple: they are handled where they are awaited.
inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

}  // namespace hf::net
