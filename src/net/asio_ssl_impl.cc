// The one unit that compiles the non-template parts of Asio's TLS, which only the blocking client
// uses.
#include <boost/asio/ssl/impl/src.hpp>
