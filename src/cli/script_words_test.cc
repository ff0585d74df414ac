#include "cli/script_words.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace securebase::cli {
namespace {

Script among(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  return script_among(pointers);
}

TEST(ScriptWords, KnowAScriptByItsEnding) {
  EXPECT_EQ(among({"checkout.js", "--vus", "10"}), Script::kK6);
  EXPECT_EQ(among({"--vus", "10", "dir/checkout.mjs"}), Script::kK6);
  EXPECT_EQ(among({"load-test.yml"}), Script::kArtillery);
  EXPECT_EQ(among({"load-test.yaml", "--target", "http://127.0.0.1/"}), Script::kArtillery);
}

TEST(ScriptWords, LeaveUrlsAndOptionsAlone) {
  EXPECT_EQ(among({"http://127.0.0.1/app.js", "--rate", "10"}), Script::kNone);
  EXPECT_EQ(among({"http://127.0.0.1/", "--body", "@body.js"}), Script::kNone);
  EXPECT_EQ(among({"--html=page.yml"}), Script::kNone);
  EXPECT_EQ(among({}), Script::kNone);
}

}  // namespace
}  // namespace securebase::cli
