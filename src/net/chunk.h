#pragma once
// The chunked transfer coding as we write it: one chunk for each piece, the closing one when the
// body is complete and never otherwise, so that a cut answer looks cut. Pure, any thread.

#include <cstddef>
#include <string>
#include <string_view>

namespace hf::net {

inline constexpr std::string_view kCrlf = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";
// Room around a piece for its framing in place: the hex size and CRLF before it, CRLF and the
// closing chunk behind it.
inline constexpr std::size_t kChunkFront = 18;
inline constexpr std::size_t kChunkBack = kCrlf.size() + kLastChunk.size();

// Writes the size line of a chunk of `count` bytes so that it ends at `end`; its length. Requires
// kChunkFront bytes of room.
std::size_t write_chunk_line(char* end, std::size_t count);

// Frames the `count` bytes at `begin` in place (kChunkFront bytes of room before them, kChunkBack
// behind); with `last` the end of the body too.
std::string_view frame_chunk(char* begin, std::size_t count, bool last);

// A chunk of its own; nothing for an empty text, which would end the body.
std::string chunk(std::string_view text);

}  // namespace hf::net
