#pragma once
// What a request says of the pictures and sounds in it: whether they are there or only named by an
// address, and how large the pictures are once they are decoded. Exists because the engine fetches
// any address it is given, and takes three bytes for each pixel that a picture claims to have: one
// of 0.7 MB took 1.5 GB. Only the first bytes of each are decoded. Pure, any thread.

#include <cstdint>
#include <string_view>

namespace hf::net {

struct MediaFacts {
  int pictures = 0;  // in the body
  int sounds = 0;
  bool remote = false;      // at least one is only named, by http or another address
  bool unreadable = false;  // at least one is of no kind that is known here, or cut off
  // Of all pictures. What takes more memory than three bytes a pixel while it is decoded counts
  // more: with 16 bits a colour twice, with transparency by a third, animations and JPEGs that
  // sharpen by and by twice.
  std::uint64_t pixels = 0;
  // How many bytes that tell nothing may still be passed over in search of a size, in all pictures
  // together: some hundred times what real ones have.
  int skips_left = 65'536;

  // One of them, as it stands in the body: an address, a data: URI, or base64 alone.
  void add(std::string_view reference);
};

}  // namespace hf::net
