#include "logs/store/decimal.h"

#include <gtest/gtest.h>

#include <vector>

namespace securebase::logs {
namespace {

TEST(Decimal, IsReadWhereItWouldBeWrittenTheSameWay) {
  for (const auto* text : {"0", "7", "-12.340", "0.001", "123456789012345", "-0.5", "7.0", "0.0"}) {
    const auto number = decimal_of(text);
    ASSERT_TRUE(number) << text;
    std::string out;
    append_decimal(out, *number);
    EXPECT_EQ(out, text);
  }
  for (const auto* text : {"", "-", "007", "-0", "-0.0", "1.", ".5", "1e5", "1234567890123456", "1.2.3", "+1", "0x1"}) {
    EXPECT_FALSE(decimal_of(text)) << text;
  }
}

TEST(Decimal, FindsTheFormThatAllNumbersHave) {
  const auto form = [](std::vector<const char*> texts) {
    std::vector<Decimal> numbers;
    for (const auto* text : texts) numbers.push_back(*decimal_of(text));
    return form_of(numbers);
  };
  EXPECT_EQ(form({"1", "20"}), NumberForm{0});
  EXPECT_EQ(form({"1.50", "20.00"}), NumberForm{2});
  EXPECT_EQ(form({"1.5", "20", "0.125"}), kShortest);
  EXPECT_EQ(form({"1.5", "20.0", "0.125"}), kShortestWithPoint);
  EXPECT_EQ(form({"1.5", "20.00"}), std::nullopt);
  EXPECT_EQ(form({"1", "20.0"}), std::nullopt);
  EXPECT_EQ(form({}), std::nullopt);
}

TEST(Decimal, IsWrittenAgainFromItsValueInItsForm) {
  const auto again = [](const char* text, NumberForm form) {
    std::string out;
    append_number(out, decimal_of(text)->value(), form);
    return out;
  };
  for (const auto* text : {"0", "12.34", "-0.000001", "99999999999999.9", "0.1", "1234567.875", "100"}) {
    EXPECT_EQ(again(text, kShortest), text);
  }
  for (const auto* text : {"0.0", "12.34", "-7.0", "0.1"}) EXPECT_EQ(again(text, kShortestWithPoint), text);
  for (const auto* text : {"0.00", "12.30", "-7.05", "9999999999999.99"}) EXPECT_EQ(again(text, 2), text);
  std::string none;
  append_number(none, 1e300, kShortest);
  append_number(none, 1.0 / 3, kShortest);
  append_number(none, 1e300, 2);
  append_number(none, 5, 200);
  EXPECT_EQ(none, "");
}

}  // namespace
}  // namespace securebase::logs
