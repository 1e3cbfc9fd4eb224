#include "engine/abilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model_file.h"

namespace hf::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ModelFile of(ModelKind kind) {
  ModelFile file;
  file.plan.kind = kind;
  return file;
}

TEST(Abilities, FollowFromTheKind) {
  EXPECT_THAT(names_of(abilities_of(of(ModelKind::Chat))),
              ElementsAre("chat", "completion", "embedding"));
  EXPECT_THAT(names_of(abilities_of(of(ModelKind::Embedding))), ElementsAre("embedding"));
  EXPECT_THAT(names_of(abilities_of(of(ModelKind::Reranker))), ElementsAre("rerank"));
}

TEST(Abilities, EmbeddingsOfAChatModelCanBeOff) {
  ModelFile file = of(ModelKind::Chat);
  file.plan.embeddings = false;
  EXPECT_THAT(names_of(abilities_of(file)), ElementsAre("chat", "completion"));
}

TEST(Abilities, AProjectorSaysWhatItSeesAndHears) {
  ModelFile file = of(ModelKind::Chat);
  file.plan.embeddings = false;
  file.projector.sees = file.projector.hears = 1;
  EXPECT_FALSE(abilities_of(file).sees) << "the child is started without it";
  file.plan.mmproj_path = "/m/mmproj-a.gguf";
  EXPECT_THAT(names_of(abilities_of(file)), ElementsAre("chat", "completion", "vision", "audio"));
}

TEST(Abilities, OfABrokenFileAreNotKnown) {
  ModelFile file = of(ModelKind::Chat);
  file.problem = "the model's file is missing";
  EXPECT_FALSE(abilities_of(file).known);
  EXPECT_THAT(names_of(abilities_of(file)), IsEmpty());
}

}  // namespace
}  // namespace hf::engine
