#include "functions/runtime_calls.h"

#include <gtest/gtest.h>

namespace securebase::functions {
namespace {

TEST(RuntimeCalls, AreReadOrCountAsNothing) {
  const auto calls = parse_runtime_calls("sql=2;1234567, cache=1;45678, other=1;1");
  EXPECT_EQ(calls.sql.count, 2u);
  EXPECT_EQ(calls.sql.time.count(), 1'234'567);
  EXPECT_EQ(calls.cache.time.count(), 45'678);
  for (const char* bad :
       {"sql", "sql=", "sql=2", "sql=2;", "sql=2;-1", "sql=2;1x", "sql=99999999999;1", "=;", "sql=1;1,x"}) {
    EXPECT_EQ(parse_runtime_calls(bad).sql.count, 0u) << bad;
  }
  EXPECT_EQ(parse_runtime_calls("").sql.count, 0u);
}

}  // namespace
}  // namespace securebase::functions
