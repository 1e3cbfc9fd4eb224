#include "net/chunk.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace hf::net {

std::size_t write_chunk_line(char* end, std::size_t count) {
  std::array<char, kChunkFront> line{};
  char* stop = std::to_chars(line.data(), line.data() + line.size(), count, 16).ptr;
  stop = std::copy(kCrlf.begin(), kCrlf.end(), stop);
  const auto size = static_cast<std::size_t>(stop - line.data());
  std::memcpy(end - size, line.data(), size);
  return size;
}

std::string_view frame_chunk(char* begin, std::size_t count, bool last) {
  char* end = begin + count;
  if (count > 0) {
    begin -= write_chunk_line(begin, count);
    end = std::copy(kCrlf.begin(), kCrlf.end(), end);
  }
  if (last) {
    end = std::copy(kLastChunk.begin(), kLastChunk.end(), end);
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::string chunk(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  std::string framed(kChunkFront, ' ');
  const std::size_t line = write_chunk_line(framed.data() + kChunkFront, text.size());
  framed.erase(0, kChunkFront - line);
  return framed.append(text).append(kCrlf);
}

}  // namespace hf::net
