#include "config/edit_users.h"

#include <gtest/gtest.h>

#include "config/load.h"

namespace hf::config {
namespace {

constexpr char kHash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
constexpr char kOther[] = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

UserConfig user(std::string name, Role role = Role::User, std::optional<int> max_active = {}) {
  return UserConfig{std::move(name), kHash, role, max_active};
}

std::string table(const std::string& name, const std::string& hash = kHash) {
  return "[[users]]\nname = \"" + name + "\"\nkey_sha256 = \"" + hash + "\"\nrole = \"user\"\n";
}

TEST(WithUser, AddsATableThatTheLoaderReads) {
  for (const UserConfig& wanted :
       {user("ann"), user("Änne \"B\\\" ]] # =", Role::Operator, 3), user("root", Role::Admin)}) {
    const auto config = parse_config(with_user("body_limit = \"1MiB\"\n", wanted), "a.toml");
    ASSERT_TRUE(config) << config.error().front().text();
    ASSERT_EQ(config->users.size(), 1U);
    EXPECT_EQ(config->users[0], wanted);
    EXPECT_EQ(config->body_limit, Bytes(1 << 20));
  }
}

TEST(WithUser, LeavesWhatIsThereAsItIs) {
  const std::string before = "# ours\n[memory]  # x\nhigh = 80\n";
  EXPECT_EQ(with_user(before, user("ann")), before + "\n" + table("ann"));
  EXPECT_EQ(with_user("", user("ann")), table("ann"));
  EXPECT_EQ(with_user("[log]", user("ann")), "[log]\n\n" + table("ann"));
  const std::string windows = with_user("[log]\r\n", user("ann"));
  EXPECT_TRUE(windows.starts_with("[log]\r\n\r\n[[users]]\r\nname"));
}

TEST(WithoutUser, UndoesWithUser) {
  const std::string before = "# ours\n[memory]\nhigh = 80\n";
  const std::string one = with_user(before, user("ann"));
  EXPECT_EQ(without_user(one, "ann").value(), before);
  const std::string two = with_user(one, user("bob"));
  EXPECT_EQ(without_user(two, "bob").value(), one);
  EXPECT_EQ(without_user(two, "ann").value(), with_user(before, user("bob")));
  const std::string windows = with_user("[log]\r\n", user("ann"));
  EXPECT_EQ(without_user(windows, "ann").value(), "[log]\r\n");
}

TEST(WithoutUser, KeepsCommentsAndEverybodyElse) {
  const std::string text =
      "# the team\n\n# Bob, since May\n" + table("bob", kOther) +
      "\n# Ann?\n  [[ users ]]  # gone\nname = 'ann' # her\n# inside\nkey_sha256 = '" + kHash +
      "'\n# Below.\n\n[memory]\nhigh = 80\n";
  EXPECT_EQ(without_user(text, "ann").value(), "# the team\n\n# Bob, since May\n" +
                                                   table("bob", kOther) +
                                                   "\n# Ann?\n# Below.\n\n[memory]\nhigh = 80\n");
}

TEST(WithoutUser, TakesTheLastOneWithoutALineEnd) {
  EXPECT_EQ(without_user("[log]\n[[users]]\nname = 'ann'", "ann").value(), "[log]\n");
  EXPECT_EQ(without_user("[[users]]\nname = \"\"\"an\\\n  n\"\"\"\n[log]\n", "ann").value(),
            "[log]\n");
}

TEST(WithoutUser, SaysWhatItCannotDo) {
  EXPECT_EQ(without_user("", "ann").error().code, Errc::NotFound);
  EXPECT_EQ(without_user(table("ann"), "an").error().code, Errc::NotFound);
  EXPECT_EQ(without_user("users = [{name = 'ann'}]\n", "ann").error().code, Errc::InvalidArgument);
  EXPECT_EQ(without_user("users = 3\n", "ann").error().code, Errc::NotFound);
  EXPECT_EQ(without_user("[[users]\n", "ann").error().code, Errc::InvalidArgument);
}

}  // namespace
}  // namespace hf::config
