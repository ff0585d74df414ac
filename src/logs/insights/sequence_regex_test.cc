#include "logs/insights/sequence_regex.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <random>

#include "logs/insights/regex.h"

namespace securebase::logs::insights {
namespace {

using Found = SequenceRegex::Found;

TEST(SequenceRegex, FindsGroupsOfALine) {
  const auto regex = SequenceRegex::compile(R"(tenant=(?<t>\S+) .*took (?<ms>\d+) ms)");
  ASSERT_TRUE(regex);
  std::vector<std::string_view> groups(3);
  EXPECT_EQ(regex->match("[INFO] tenant=customer-7 path=/x took 1 ms, took 22 ms", groups), Found::kYes);
  EXPECT_EQ(groups[0], "tenant=customer-7 path=/x took 1 ms, took 22 ms");
  EXPECT_EQ(groups[1], "customer-7");
  EXPECT_EQ(groups[2], "22");
  EXPECT_EQ(regex->match("tenant=customer-7 took x ms", groups), Found::kNo);
  EXPECT_EQ(regex->match("tenant=caf\xc3\xa9 took 1 ms", groups), Found::kAskOther);
}

TEST(SequenceRegex, LeavesToRe2WhatIsNoSequence) {
  for (const auto* pattern : {"a|b", "(a)*", "(?i)a", "a^b", "a$b", "\\bx", "[[:alpha:]]", "\\pL", "caf\xc3\xa9", "a{2",
                              "(a", "a)", "(?=a)", "x**", "\\x41", "[z-a]", "\\Qa\\E", "a{1001}"}) {
    EXPECT_FALSE(SequenceRegex::compile(pattern)) << pattern;
  }
}

TEST(SequenceRegex, GivesUpWhereItWouldTakeLong) {
  const auto regex = SequenceRegex::compile("(\\w*)(\\w*)(\\w*)(\\w*)x");
  ASSERT_TRUE(regex);
  EXPECT_EQ(regex->match(std::string(10'000, 'a'), {}), Found::kAskOther);
  const auto other = Regex::compile("(\\w*)(\\w*)(\\w*)(\\w*)x");
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->is_in(std::string(10'000, 'a')));
}

TEST(SequenceRegex, KnowsHowLongAMatchCanBe) {
  const auto most = [](const char* pattern) { return SequenceRegex::compile(pattern)->most_bytes(); };
  EXPECT_EQ(most(R"(status=5\d\d took ([78]\d?) ms)"), 21U);
  EXPECT_EQ(most("ab{2,5}c"), 7U);
  EXPECT_EQ(most("ab+"), std::nullopt);
  EXPECT_EQ(most("^ab"), std::nullopt);
  EXPECT_EQ(most("ab$"), std::nullopt);
}

// Random patterns over few letters, against RE2: the same matches, the same groups.
TEST(SequenceRegex, FindsWhatRe2Finds) {
  std::mt19937 random(7);
  const std::string_view atoms[] = {"a",   "b",    "ab",   " ",      ".",   "\\d", "\\S",
                                    "\\w", "[ab]", "[^a]", "[a-c1]", "\\.", "1",   "[]a-]"};
  const std::string_view repeats[] = {"", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,2}", "{1,3}?"};
  const std::string_view letters = "aab b1.c\n-]";
  int compared = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string pattern = random() % 8 == 0 ? "^" : "";
    int open = 0;
    for (int i = 0, count = static_cast<int>(random() % 6) + 1; i < count; ++i) {
      if (random() % 3 == 0) {
        pattern += random() % 3 == 0 ? "(?:" : random() % 2 == 0 ? "(" : "(?P<n" + std::to_string(i) + ">";
        ++open;
      }
      pattern += atoms[random() % std::size(atoms)];
      pattern += repeats[random() % std::size(repeats)];
      if (open > 0 && random() % 2 == 0) {
        pattern += ")";
        --open;
      }
    }
    pattern += std::string(static_cast<std::size_t>(open), ')');
    if (random() % 8 == 0) pattern += "$";
    const re2::RE2 other(pattern);
    const auto regex = SequenceRegex::compile(pattern);
    if (!other.ok() || !regex) continue;
    const auto count = static_cast<std::size_t>(other.NumberOfCapturingGroups()) + 1;
    for (int i = 0; i < 20; ++i) {
      std::string text;
      for (auto length = random() % 14; length > 0; --length) text.push_back(letters[random() % letters.size()]);
      std::vector<re2::StringPiece> theirs(count);
      std::vector<std::string_view> ours(count);
      const bool found =
          other.Match(text, 0, text.size(), re2::RE2::UNANCHORED, theirs.data(), static_cast<int>(count));
      const auto said = regex->match(text, ours);
      if (said == Found::kAskOther) continue;
      ASSERT_EQ(said == Found::kYes, found) << pattern << " in " << text;
      ++compared;
      for (std::size_t group = 0; found && group < count; ++group) {
        ASSERT_EQ(ours[group], std::string_view(theirs[group].data(), theirs[group].size()))
            << pattern << " in " << text << ", group " << group;
      }
    }
  }
  EXPECT_GT(compared, 30'000);
}

}  // namespace
}  // namespace securebase::logs::insights
