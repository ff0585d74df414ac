#include "logs/store/messages.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace securebase::logs {
namespace {

std::vector<std::string> round_trip(const std::vector<std::string>& messages,
                                    const std::vector<TextField>& fields = {}) {
  const std::vector<std::string_view> views(messages.begin(), messages.end());
  const auto encoded = encode_messages(views, fields);
  Column column;
  column.kind = Column::Kind::kTexts;
  DecodedColumn decoded;
  auto done = decode_messages(
      encoded.bytes, encoded.raw_bytes, messages.size(),
      [&](std::string_view name) -> Result<const Column*> {
        for (const auto& field : fields) {
          if (field.name != name) continue;
          column.texts = field.values;
          return &column;
        }
        return Error{Errc::kNotFound, "no such field"};
      },
      decoded);
  EXPECT_TRUE(done) << done.error().message;
  return {decoded.texts.begin(), decoded.texts.end()};
}

TEST(Messages, AreReadAsTheyWereWritten) {
  std::vector<std::string> messages;
  const char* odd[] = {"0",   "-0",   "00",     "1.", ".5",   "1.50", "-12.3", "123456789012345678",
                       "1e5", "0x1f", "v1-2_3", "-",  "5.0.1"};
  for (int i = 0; i < 300; ++i) {
    messages.push_back(fmt::format("took {}.{:02} ms, {} of {}", i % 7, i % 100, i * 1000, odd[i % std::size(odd)]));
    messages.push_back(fmt::format("all {}", i % 2 ? "-1" : "1"));
    messages.push_back(i % 10 == 0 ? "" : "no variable");
    messages.push_back(fmt::format("like no other {}", std::string(static_cast<std::size_t>(i), 'x')));
  }
  messages.push_back("a \x11 in it 1");
  messages.push_back(std::string(1000, '7') + " \xff\xfe");
  std::string many;
  for (int i = 0; i < 100; ++i) many += fmt::format("{} ", i);
  for (int i = 0; i < 8; ++i) messages.push_back(many);
  EXPECT_TRUE(round_trip(messages) == messages);
  EXPECT_TRUE(round_trip({"one"}) == std::vector<std::string>{"one"});
}

TEST(Messages, KeepWhatIsAFieldOnlyThere) {
  std::vector<std::string> ids;
  std::vector<std::string> messages;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(fmt::format("id-{}-{}", i * 7919, std::int64_t{i} * i * 104'729));
    messages.push_back("request " + ids.back() + " done");
  }
  const std::vector<TextField> fields{{"id", {ids.begin(), ids.end()}}};
  EXPECT_TRUE(round_trip(messages, fields) == messages);
  const std::vector<std::string_view> views(messages.begin(), messages.end());
  EXPECT_LT(encode_messages(views, fields).bytes.size(), 100U);
}

TEST(Messages, RefusesBytesThatAreNone) {
  const std::vector<std::string_view> messages(10, "a 1");
  const auto encoded = encode_messages(messages, {});
  DecodedColumn into;
  const auto none = [](std::string_view) -> Result<const Column*> { return Error{Errc::kNotFound, ""}; };
  EXPECT_TRUE(decode_messages(encoded.bytes, encoded.raw_bytes, 10, none, into));
  EXPECT_FALSE(decode_messages(encoded.bytes, encoded.raw_bytes, 11, none, into));
  EXPECT_FALSE(decode_messages(encoded.bytes.substr(2), encoded.raw_bytes, 10, none, into));
}

}  // namespace
}  // namespace securebase::logs
