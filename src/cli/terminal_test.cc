#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace securebase::cli {
namespace {

// Standard output is no terminal here, so nothing is coloured.
TEST(Table, AlignsItsColumnsByLettersNotBytes) {
  Table table({"A", "BB", "C"});
  table.add({{"ä"}, {"1"}, {"last"}});
  table.add({{"long"}, {"2"}, {""}});
  EXPECT_EQ(table.text(), "A     BB  C\nä     1   last\nlong  2\n");
}

TEST(Table, LetsNoForeignTextSteerTheTerminal) {
  Table table({"A"});
  table.add({{"\x1b[2Jgone\r\n\x07"}});
  EXPECT_EQ(table.text(), "A\n [2Jgone   \n");
}

TEST(Message, SaysItselfWhatItIsWhereAWarningComesFirst) {
  EXPECT_TRUE(names_its_kind("Error: Cycle\n"));
  EXPECT_TRUE(names_its_kind("\nError: Cycle\n"));
  EXPECT_TRUE(names_its_kind("Warning: Value for undeclared variable\n\nError: Cycle\n"));
  EXPECT_FALSE(names_its_kind("the platform is not running"));
}

}  // namespace
}  // namespace securebase::cli
