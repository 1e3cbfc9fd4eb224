#include "gguf/metadata.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gguf/value_type.h"

namespace hf::gguf {
namespace {

// Real files have fewer than a hundred pairs; keys are under a hundred bytes.
constexpr std::uint64_t kPairsMax = 65'536;
constexpr std::uint64_t kKeyBytesMax = 65'535;  // the format's own limit
constexpr std::uint64_t kNameBytesMax = 4'096;
// Numbers kept per key: one per layer, with room for files that pad.
constexpr std::uint64_t kNumbersMax = 1'024;
// Keys kept until the architecture is known; there are about forty places to put one.
constexpr std::size_t kKeptMax = 256;
// Arrays of arrays exist in the format, not in models. Deeper ones are an attack on the stack.
constexpr int kNestingMax = 4;
// The engine counts tokens in 32 bits and refuses arrays beyond this.
constexpr std::uint64_t kArrayMax = std::uint64_t{1} << 30U;
// More than any dimension of a model; keeps products of two of them within 64 bits.
constexpr std::uint64_t kDimensionMax = std::numeric_limits<std::int32_t>::max();

struct ScalarField {
  std::string_view key;  // after "ARCHITECTURE."
  std::uint32_t Header::*member;
};
constexpr ScalarField kScalarFields[] = {
    {"context_length", &Header::context_length},
    {"embedding_length", &Header::embedding_length},
    {"embedding_length_out", &Header::embedding_length_out},
    {"block_count", &Header::block_count},
    {"nextn_predict_layers", &Header::nextn_predict_layers},
    {"expert_count", &Header::expert_count},
    {"expert_feed_forward_length", &Header::expert_feed_forward_length},
    {"attention.key_length", &Header::key_length},
    {"attention.value_length", &Header::value_length},
    {"attention.key_length_swa", &Header::key_length_swa},
    {"attention.value_length_swa", &Header::value_length_swa},
    {"attention.key_length_mla", &Header::key_length_mla},
    {"attention.sliding_window", &Header::sliding_window},
    {"attention.shared_kv_layers", &Header::shared_kv_layers},
    {"attention.indexer.key_length", &Header::indexer_key_length},
    {"full_attention_interval", &Header::full_attention_interval},
    {"ssm.conv_kernel", &Header::ssm_conv_kernel},
    {"ssm.inner_size", &Header::ssm_inner_size},
    {"ssm.state_size", &Header::ssm_state_size},
    {"ssm.group_count", &Header::ssm_group_count},
    {"wkv.head_size", &Header::wkv_head_size},
    {"token_shift_count", &Header::token_shift_count},
    {"shortconv.l_cache", &Header::shortconv_l_cache},
    {"kda.head_dim", &Header::kda_head_dim},
    {"vocab_size", &Header::vocab_size},
};

struct LayerField {
  std::string_view key;
  PerLayer Header::*member;
};
constexpr LayerField kLayerFields[] = {
    {"feed_forward_length", &Header::feed_forward_length},
    {"expert_used_count", &Header::expert_used_count},
    {"attention.head_count", &Header::head_count},
    {"attention.head_count_kv", &Header::head_count_kv},
    {"attention.sliding_window_pattern", &Header::sliding_window_pattern},
    {"attention.recurrent_layers", &Header::recurrent_layers},
};

struct ProjectorField {
  std::string_view key;
  std::uint32_t ProjectorShape::*member;
};
constexpr ProjectorField kProjectorFields[] = {
    {"has_vision_encoder", &ProjectorShape::sees},
    {"has_audio_encoder", &ProjectorShape::hears},
    {"vision.image_size", &ProjectorShape::image_size},
    {"vision.patch_size", &ProjectorShape::patch_size},
    {"vision.projector.scale_factor", &ProjectorShape::scale_factor},
    {"vision.spatial_merge_size", &ProjectorShape::spatial_merge},
    {"vision.image_max_pixels", &ProjectorShape::pixels_max},
    {"vision.embedding_length", &ProjectorShape::embedding_length},
    {"vision.feed_forward_length", &ProjectorShape::feed_forward_length},
    {"vision.attention.head_count", &ProjectorShape::head_count},
};

constexpr std::string_view kPoolingKey = "pooling_type";

bool ends_with_field(std::string_view key, std::string_view field) {
  return key.size() > field.size() && key.ends_with(field) &&
         key[key.size() - field.size() - 1] == '.';
}

bool may_be_wanted(std::string_view key) {
  const auto matches = [key](const auto& field) { return ends_with_field(key, field.key); };
  return std::any_of(std::begin(kScalarFields), std::end(kScalarFields), matches) ||
         std::any_of(std::begin(kLayerFields), std::end(kLayerFields), matches) ||
         std::any_of(std::begin(kProjectorFields), std::end(kProjectorFields), matches) ||
         ends_with_field(key, kPoolingKey);
}

// The architecture may follow the keys that bear its name, so these wait until all pairs are read.
struct KeptNumbers {
  std::string key;
  std::vector<std::int64_t> values;
};

class MetadataReader {
 public:
  MetadataReader(Cursor& cursor, Header& header) : cursor_(cursor), header_(header) {}

  MetadataExtras read(std::uint64_t pair_count) {
    if (pair_count > kPairsMax) {
      cursor_.fail_with(Errc::Corrupt, "too many keys: " + std::to_string(pair_count));
    }
    for (std::uint64_t i = 0; i < pair_count && cursor_.ok(); ++i) {
      read_pair();
    }
    place_numbers();
    return extras_;
  }

 private:
  void read_pair() {
    const std::string key = cursor_.take_string(kKeyBytesMax);
    const std::uint32_t type = cursor_.take_u32();
    if (!cursor_.ok()) {
      return;
    }
    if (is(type, ValueType::String)) {
      read_text(key);
    } else if (is(type, ValueType::Array)) {
      read_array(key);
    } else if (is_integer(type)) {
      const std::int64_t value = take_integer(type);
      keep_number(key, type, value);
    } else {
      skip_value(type, 0);
    }
  }

  void read_text(const std::string& key) {
    if (key == "general.architecture") {
      header_.architecture = cursor_.take_string(kNameBytesMax);
    } else if (key == "general.name") {
      header_.name = cursor_.take_string(kNameBytesMax);
    } else if (key == "general.type") {
      header_.type = cursor_.take_string(kNameBytesMax);
    } else if (key == "clip.vision.projector_type" ||
               (key == "clip.projector_type" && header_.projector.type.empty())) {
      header_.projector.type = cursor_.take_string(kNameBytesMax);
    } else {
      const std::uint64_t length = cursor_.skip_string();
      if (key == "tokenizer.chat_template") {
        header_.has_chat_template = length > 0;
      }
    }
  }

  void keep_number(const std::string& key, std::uint32_t type, std::int64_t value) {
    if (key == "general.alignment") {
      const bool power_of_two = value > 0 && (value & (value - 1)) == 0;
      if (!is(type, ValueType::U32) || !power_of_two) {
        cursor_.fail_with(Errc::Corrupt, "general.alignment is not a power of two");
        return;
      }
      extras_.alignment = static_cast<std::uint32_t>(value);
    } else if (key == "general.file_type") {
      header_.file_type = dimension(key, value);
    } else if (key == "split.count") {
      header_.split_count = dimension(key, value);
    } else if (key == "split.no") {
      header_.split_no = dimension(key, value);
    } else if (may_be_wanted(key)) {
      keep(key, {value});
    }
  }

  void keep(const std::string& key, std::vector<std::int64_t> values) {
    if (kept_.size() >= kKeptMax) {
      cursor_.fail_with(Errc::Corrupt, "keys repeat");
      return;
    }
    kept_.push_back({key, std::move(values)});
  }

  void read_array(const std::string& key) {
    const std::uint32_t type = cursor_.take_u32();
    const std::uint64_t count = take_count(type);
    if (!cursor_.ok()) {
      return;
    }
    if (is_integer(type) && count > 0 && count <= kNumbersMax && may_be_wanted(key)) {
      std::vector<std::int64_t> values;
      for (std::uint64_t i = 0; i < count && cursor_.ok(); ++i) {
        values.push_back(take_integer(type));
      }
      keep(key, std::move(values));
      return;
    }
    const std::uint64_t start = cursor_.position();
    skip_elements(type, count, 0);
    if (key == "tokenizer.ggml.tokens") {
      tokens_ = static_cast<std::uint32_t>(count);
    } else if (key == "tokenizer.ggml.merges") {
      header_.merge_count = static_cast<std::uint32_t>(count);
    }
    if (key == "tokenizer.ggml.tokens" || key == "tokenizer.ggml.merges") {
      header_.vocab_bytes += Bytes(static_cast<std::int64_t>(cursor_.position() - start));
    }
  }

  // The count of an array, checked: its elements must fit into the rest of the file.
  std::uint64_t take_count(std::uint32_t type) {
    const std::uint64_t count = cursor_.take_u64();
    if (!cursor_.ok()) {
      return 0;
    }
    // The least that one element takes: a number its width, a text its length, an array its head.
    const std::size_t width = width_of(type);
    const std::uint64_t least = width != 0 ? width : is(type, ValueType::Array) ? 12 : 8;
    if (count > kArrayMax) {
      cursor_.fail_with(Errc::Corrupt, "an array of " + std::to_string(count) + " elements");
    } else if (count > cursor_.remaining() / least) {
      cursor_.fail_with(Errc::Corrupt, "truncated");
    }
    return cursor_.ok() ? count : 0;
  }

  void skip_elements(std::uint32_t type, std::uint64_t count, int depth) {
    const std::size_t width = width_of(type);
    if (width != 0) {
      cursor_.skip(count * width);
      return;
    }
    for (std::uint64_t i = 0; i < count && cursor_.ok(); ++i) {
      skip_value(type, depth);
    }
    if (count == 0 && !is(type, ValueType::String) && !is(type, ValueType::Array)) {
      unknown_type(type);
    }
  }

  void skip_value(std::uint32_t type, int depth) {
    if (is(type, ValueType::String)) {
      cursor_.skip_string();
    } else if (is(type, ValueType::Array)) {
      if (depth >= kNestingMax) {
        cursor_.fail_with(Errc::Corrupt, "arrays nested too deep");
        return;
      }
      const std::uint32_t inner = cursor_.take_u32();
      const std::uint64_t count = take_count(inner);
      skip_elements(inner, count, depth + 1);
    } else if (width_of(type) != 0) {
      cursor_.skip(width_of(type));
    } else {
      unknown_type(type);
    }
  }

  void unknown_type(std::uint32_t type) {
    cursor_.fail_with(Errc::Corrupt, "value type " + std::to_string(type) + " does not exist");
  }

  // A u64 beyond 63 bits turns negative: refused by dimension().
  std::int64_t take_integer(std::uint32_t type) {
    return signed_of(type, cursor_.take_little_endian(width_of(type)));
  }

  std::uint32_t dimension(std::string_view key, std::int64_t value) {
    if (value < 0 || static_cast<std::uint64_t>(value) > kDimensionMax) {
      cursor_.fail_with(Errc::Corrupt, std::string(key) + " is out of range");
      return 0;
    }
    return static_cast<std::uint32_t>(value);
  }

  void place_numbers() {
    // Splitters write the model's keys into the first part only.
    if (cursor_.ok() && header_.architecture.empty() && header_.split_no == 0) {
      cursor_.fail_with(Errc::Corrupt, "no general.architecture");
    }
    const std::string prefix = header_.architecture + ".";
    for (const KeptNumbers& kept : kept_) {
      if (cursor_.ok() && std::string_view(kept.key).starts_with(prefix)) {
        place(std::string_view(kept.key).substr(prefix.size()), kept.values);
      }
    }
    if (tokens_ != 0) {
      header_.vocab_size = tokens_;
    }
    if (cursor_.ok() && header_.block_count > kLayersMax) {
      cursor_.fail_with(Errc::Corrupt, "block_count is " + std::to_string(header_.block_count) +
                                           ", at most " + std::to_string(kLayersMax) +
                                           " are possible");
    }
  }

  void place(std::string_view key, const std::vector<std::int64_t>& values) {
    for (const ScalarField& field : kScalarFields) {
      if (field.key == key) {
        // A few files state one number per layer where others state one; the largest bounds the
        // cost.
        header_.*field.member = dimension(key, *std::max_element(values.begin(), values.end()));
      }
    }
    for (const LayerField& field : kLayerFields) {
      if (field.key == key) {
        PerLayer numbers;
        for (const std::int64_t value : values) {
          numbers.values.push_back(dimension(key, value));
        }
        header_.*field.member = std::move(numbers);
      }
    }
    for (const ProjectorField& field : kProjectorFields) {
      if (field.key == key) {
        header_.projector.*field.member = dimension(key, values[0]);
      }
    }
    if (key == kPoolingKey && values[0] >= 0 && values[0] <= 4) {
      header_.pooling = static_cast<Pooling>(values[0]);
    }
  }

  Cursor& cursor_;
  Header& header_;
  MetadataExtras extras_;
  std::uint32_t tokens_ = 0;
  std::vector<KeptNumbers> kept_;
};

}  // namespace

MetadataExtras read_metadata(Cursor& cursor, std::uint64_t pair_count, Header& header) {
  return MetadataReader(cursor, header).read(pair_count);
}

}  // namespace hf::gguf
