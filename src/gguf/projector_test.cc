#include "gguf/projector.h"

#include <gtest/gtest.h>

#include "gguf/header.h"
#include "gguf/run_options.h"
#include "gguf/testing/gguf_builder.h"

namespace hf::gguf {
namespace {

ProjectorShape gemma3() {
  ProjectorShape shape;
  shape.type = "gemma3";
  shape.sees = 1;
  shape.image_size = 896;
  shape.patch_size = 14;
  shape.embedding_length = 1'152;
  shape.feed_forward_length = 4'304;
  shape.head_count = 16;
  return shape;
}

TEST(Projector, IsReadFromItsHeader) {
  const std::vector<std::byte> bytes = testing::GgufBuilder()
                                           .text("general.architecture", "clip")
                                           .text("general.type", "mmproj")
                                           .text("clip.projector_type", "gemma3")
                                           .u32("clip.has_vision_encoder", 1)
                                           .u32("clip.vision.image_size", 896)
                                           .u32("clip.vision.patch_size", 14)
                                           .u32("clip.vision.embedding_length", 1'152)
                                           .u32("clip.vision.feed_forward_length", 4'304)
                                           .u32("clip.vision.block_count", 27)
                                           .u32("clip.vision.attention.head_count", 16)
                                           .u32("clip.vision.projector.scale_factor", 4)
                                           .build();
  MemorySource source(bytes, bytes.size());
  const auto header = parse_header(source);
  ASSERT_TRUE(header.has_value()) << header.error().message;
  const ProjectorShape& shape = header->projector;
  EXPECT_EQ(shape.type, "gemma3");
  EXPECT_EQ(shape.sees, 1U);
  EXPECT_EQ(shape.hears, 0U);
  EXPECT_EQ(shape.image_size, 896U);
  EXPECT_EQ(shape.patch_size, 14U);
  EXPECT_EQ(shape.embedding_length, 1'152U);
  EXPECT_EQ(shape.feed_forward_length, 4'304U);
  EXPECT_EQ(shape.head_count, 16U);
  EXPECT_EQ(shape.scale_factor, 4U);
}

TEST(Projector, AFixedPictureIsASquareOfPatches) {
  const PictureSize size = largest_picture(gemma3(), 8'192);
  EXPECT_EQ(size.patches, 4'096U);
  EXPECT_EQ(size.tokens, 256U);
}

TEST(Projector, AFlexiblePictureIsAsLargeAsTheEngineMakesIt) {
  ProjectorShape shape = gemma3();
  shape.type = "qwen2.5vl_merger";
  EXPECT_EQ(largest_picture(shape, 32'768).tokens, 4'096U);
  EXPECT_EQ(largest_picture(shape, 32'768).patches, 16'384U);
  EXPECT_EQ(largest_picture(shape, 1'024).tokens, 1'024U) << "more than a prompt may have";
  shape.type = "phi4";
  shape.pixels_max = 14 * 14 * 10'000;
  EXPECT_EQ(largest_picture(shape, 32'768).patches, 10'000U);
}

TEST(Projector, WithoutFlashAttentionAllScoresAreThere) {
  RunOptions options;
  const Bytes with = picture_memory(gemma3(), kMiB, options).compute;
  options.flash_attention = false;
  const Bytes without = picture_memory(gemma3(), kMiB, options).compute;
  EXPECT_EQ(without - with, Bytes(4'096LL * 4'096 * 16 * 4));
}

TEST(Projector, EverySlotMayDecodeAtOnce) {
  RunOptions options;
  options.parallel = 1;
  const Bytes one = picture_memory(gemma3(), kMiB, options).host;
  options.parallel = 3;
  const Bytes three = picture_memory(gemma3(), kMiB, options).host;
  EXPECT_EQ(three - one, Bytes(2 * (12'000'000LL * 6 + 2 * 896 * 896 * 3 * 4)));
}

TEST(Projector, WhatOneSlotComputesTakesThePlaceOfWhatItDecoded) {
  PictureMemory memory;
  memory.host = 100 * kMiB;
  memory.decoding = 50 * kMiB;
  memory.compute = 40 * kMiB;
  EXPECT_EQ(memory.all_on_host(), 100 * kMiB);
  memory.compute = 70 * kMiB;
  EXPECT_EQ(memory.all_on_host(), 120 * kMiB);
}

TEST(Projector, OfUnknownShapeItTakesAQuarterOfItsSize) {
  ProjectorShape sounds;
  sounds.hears = 1;
  const PictureMemory memory = picture_memory(sounds, 40 * kMiB, {});
  EXPECT_EQ(memory.compute, 10 * kMiB);
  EXPECT_EQ(memory.host, Bytes(0));
}

TEST(Projector, AbsurdNumbersEndSomewhere) {
  ProjectorShape shape = gemma3();
  shape.image_size = shape.embedding_length = shape.feed_forward_length = 0x7FFFFFFF;
  shape.patch_size = shape.head_count = 1;
  RunOptions options;
  options.flash_attention = false;
  options.context = options.parallel = 0xFFFFFFFF;
  const PictureMemory memory = picture_memory(shape, kGiB, options);
  EXPECT_GT(memory.compute, kGiB);
  EXPECT_GT(memory.host, kGiB);
}

}  // namespace
}  // namespace hf::gguf
