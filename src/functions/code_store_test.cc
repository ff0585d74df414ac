#include "functions/code_store.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/random.h"

namespace securebase::functions {
namespace {

struct CodeStoreTest : testing::Test {
  std::filesystem::path directory = std::filesystem::temp_directory_path() / ("code-" + base::random_hex(8));
  CodeStore store{directory};
  ~CodeStoreTest() override { std::filesystem::remove_all(directory); }
};

TEST_F(CodeStoreTest, KeepsTheSameCodeOnce) {
  auto first = store.put("PK one");
  auto again = store.put("PK one");
  auto other = store.put("PK two");
  ASSERT_TRUE(first && again && other);
  EXPECT_EQ(first->file(), again->file());
  EXPECT_NE(first->file(), other->file());
  EXPECT_EQ(base::read_file(first->file()).value_or(""), "PK one");
}

TEST_F(CodeStoreTest, RemovesWhatNothingRefersTo) {
  std::filesystem::path used, pinned, unused;
  auto pin = store.put("pinned");
  ASSERT_TRUE(pin);
  used = store.put("used")->file();
  unused = store.put("unused")->file();
  store.collect({used});
  EXPECT_TRUE(std::filesystem::exists(used));
  EXPECT_TRUE(std::filesystem::exists(pin->file()));
  EXPECT_FALSE(std::filesystem::exists(unused));
}

}  // namespace
}  // namespace securebase::functions
