#include "logs/store/messages.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>

#include "logs/store/read_messages.h"

namespace securebase::logs {
namespace {

EncodedColumn encode(const std::vector<std::string>& messages, const MessageFields& fields) {
  const std::vector<std::string_view> views(messages.begin(), messages.end());
  BlockWords words;
  return encode_messages(views, fields, words);
}

// Columns as a block has them.
struct Columns {
  explicit Columns(const MessageFields& fields) {
    for (const auto& field : fields.texts) {
      auto& column = all[std::string(field.name)];
      column.kind = Column::Kind::kTexts;
      column.texts = field.values;
    }
    for (const auto& field : fields.numbers) {
      auto& column = all[std::string(field.name)];
      column.kind = Column::Kind::kNumbers;
      column.numbers = field.values;
    }
  }
  Result<const Column*> operator()(std::string_view name) const {
    const auto found = all.find(name);
    if (found == all.end()) return Error{Errc::kNotFound, "no such field"};
    return &found->second;
  }
  std::map<std::string, Column, std::less<>> all;
};

std::vector<std::string> round_trip(const std::vector<std::string>& messages, const MessageFields& fields = {}) {
  const Columns columns(fields);
  const auto encoded = encode(messages, fields);
  ReadMessages read;
  DecodedColumn decoded;
  auto done = read.take(encoded.bytes, encoded.raw_bytes, messages.size(), std::cref(columns));
  if (done) done = read.build(decoded);
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

TEST(Messages, OfJsonAreReadAsTheyWereWritten) {
  std::vector<std::string> messages;
  for (int i = 0; i < 300; ++i) {
    messages.push_back(fmt::format(R"({{"a":"{}", "b" : {}, "c":[{},true,null,-1e-7],"d":"","e":"\"{}\\"}})",
                                   i % 2 ? "x" : "y", i * 0.25, i, i % 3));
    messages.push_back(fmt::format(R"({{"id-{}":{}}})", i, i % 2 ? "false" : "\"t\""));  // each of another shape
    messages.push_back(fmt::format(R"({{"torn {}":"never ends {})", i, i));
    messages.push_back(fmt::format("{{\"a\":{}}} and {} more\n", i, i));
  }
  messages.push_back("{\"a\":\"\x11\"}");
  messages.push_back("{\"a\":\"\\");
  messages.push_back("{");
  EXPECT_TRUE(round_trip(messages) == messages);
}

TEST(Messages, KeepWhatIsAFieldOnlyThere) {
  std::vector<std::string> ids;
  std::vector<std::string> messages;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(fmt::format("id-{}-{}", i * 7919, std::int64_t{i} * i * 104'729));
    messages.push_back("request " + ids.back() + " done at 22:13:20");
  }
  const MessageFields fields{{{"id", {ids.begin(), ids.end()}}}, {}};
  EXPECT_TRUE(round_trip(messages, fields) == messages);
  EXPECT_LT(encode(messages, fields).bytes.size(), 120U);
}

TEST(Messages, TakeNumbersFromFieldsHoweverTheyAreWritten) {
  std::vector<double> milliseconds;
  std::vector<double> bytes;
  std::vector<double> shares;
  std::vector<std::string> messages;
  for (int i = 0; i < 1000; ++i) {
    milliseconds.push_back((i * 7919 % 100'000) / 100.0);
    bytes.push_back((60 + i * 31 % 17) * 1e6);
    shares.push_back((i * 104'729 % 1000) / 8.0);
    messages.push_back(
        fmt::format("took {:.2f} ms and {:.0f} MB, {}", milliseconds.back(), bytes.back() / 1e6, shares.back()));
  }
  const MessageFields fields{{}, {{"ms", milliseconds}, {"bytes", bytes}, {"share", shares}}};
  EXPECT_TRUE(round_trip(messages, fields) == messages);
  EXPECT_LT(encode(messages, fields).bytes.size(), 150U);
}

TEST(Messages, OfJsonThatAreFieldsCostNothing) {
  std::vector<std::string> levels;
  std::vector<double> numbers;
  std::vector<std::string> messages;
  for (int i = 0; i < 1000; ++i) {
    levels.push_back(fmt::format("level of no digit {}", std::string(static_cast<std::size_t>(i * 31 % 40), 'x')));
    numbers.push_back(i * 7 % 1000 / 4.0);
    messages.push_back(fmt::format(R"({{"level":"{}","ms":{}}})", levels.back(), numbers.back()));
  }
  const MessageFields fields{{{"level", {levels.begin(), levels.end()}}}, {{"ms", numbers}}};
  EXPECT_TRUE(round_trip(messages, fields) == messages);
  EXPECT_LT(encode(messages, fields).bytes.size(), 120U);
}

// However the messages were cut, the words are those of the messages as they stand.
TEST(Messages, GiveAllTheirWords) {
  std::vector<std::string> messages;
  for (int i = 0; i < 100; ++i) {
    messages.push_back(fmt::format(R"({{"level":"{}","id":"3f2c8a10-0000-4000-8000-0123456789{:02x}","ms":{}.5}})",
                                   i % 2 ? "INFO" : "WARN or so", i, i));
    messages.push_back(
        fmt::format("v{} took x{}y ms, caf\xc3\xa9{} of 3f2c8a10-0000-4000-8000-0123456789{:02x}-7", i, i, i, i));
    messages.push_back(fmt::format("like no other {}", std::string(static_cast<std::size_t>(i), 'x')));
  }
  const std::vector<std::string_view> views(messages.begin(), messages.end());
  BlockWords words;
  encode_messages(views, {}, words);
  const auto filter = words.hashes.filter();
  const auto list = words.plain.list();
  for (const auto& message : messages) {
    for_each_word(message, [&](std::uint64_t hash, std::string_view word) {
      EXPECT_TRUE(may_have(filter, hash)) << message;
      EXPECT_TRUE(PlainWordsOf(word).may_be_in(list)) << message;
    });
  }
}

TEST(Messages, RefusesBytesThatAreNone) {
  const std::vector<std::string_view> messages(10, "a 1");
  BlockWords words;
  const auto encoded = encode_messages(messages, {}, words);
  ReadMessages into;
  const auto none = [](std::string_view) -> Result<const Column*> { return Error{Errc::kNotFound, ""}; };
  EXPECT_TRUE(into.take(encoded.bytes, encoded.raw_bytes, 10, none));
  EXPECT_FALSE(into.take(encoded.bytes, encoded.raw_bytes, 11, none));
  EXPECT_FALSE(into.take(encoded.bytes.substr(2), encoded.raw_bytes, 10, none));
}

// Against a search in the messages themselves: for parts of messages, cut anywhere, and for what only seems to be one.
TEST(Messages, AreFoundByATextWhereverItStands) {
  std::vector<std::string> messages;
  std::vector<std::string> ids;
  std::vector<double> numbers;
  for (int i = 0; i < 200; ++i) {
    ids.push_back(i % 3 ? "customer-7" : fmt::format("customer-{}", i));
    numbers.push_back(i * 0.5);
    messages.push_back(i % 4 == 0   ? fmt::format("customer {} took {} ms of 1000{}", ids.back(), i * 0.5, i)
                       : i % 4 == 1 ? fmt::format(R"({{"id":"{}","ms":{},"text":"","odd":"{}"}})", ids.back(), i * 0.5,
                                                  i % 8 == 1 ? "a \\\" b" : "c")
                       : i % 8 == 2 ? fmt::format("[{}] 3f2c8a10-0000-4000-8000-0123456789{:02x} at 10:0{}:00 /v1/{}",
                                                  i % 16 == 2 ? "ERROR" : "INFO", i, i % 7, i % 3)
                       : i % 4 == 2 ? fmt::format("no. {}: code 0x{:04x}, {}{}", i, i * 7, i % 9, i % 7)
                                    : "literal " + std::string(static_cast<std::size_t>(i), 'y'));
  }
  const MessageFields fields{{{"id", {ids.begin(), ids.end()}, {}}}, {{"ms", numbers}}};
  const auto encoded = encode(messages, fields);
  const Columns columns(fields);
  // Of one field it is known what it is made of, of the other not.
  const auto alphabet = [](std::string_view name) {
    return name == "id" ? Alphabet::of("customer-0123456789") : Alphabet::any();
  };
  ReadMessages read;
  ASSERT_TRUE(read.take(encoded.bytes, encoded.raw_bytes, messages.size(), std::cref(columns), alphabet));
  std::mt19937 random(3);
  std::vector<std::uint32_t> found;
  for (int round = 0; round < 3000; ++round) {
    const auto& message = messages[random() % messages.size()];
    const auto begin = random() % message.size();
    auto text = message.substr(begin, random() % 20 + 1);
    if (round % 3 == 0) text[random() % text.size()] = messages[random() % messages.size()][0];
    std::vector<std::uint32_t> expected;
    for (std::uint32_t row = 10; row < messages.size(); ++row) {
      if (messages[row].find(text) != std::string::npos) expected.push_back(row);
    }
    if (round % 10 == 0) {  // what was read for another text must not help
      ASSERT_TRUE(read.take(encoded.bytes, encoded.raw_bytes, messages.size(), std::cref(columns), alphabet));
    }
    ASSERT_TRUE(read.find(insights::TextFinder(text), 10, messages.size(), found));
    ASSERT_EQ(found, expected) << text;
  }
}

// Every place of the text has its bytes behind it in the part, and the part is one of the message.
TEST(Messages, AreBuiltAroundATextWhereverItStands) {
  std::vector<std::string> messages;
  std::vector<std::string> ids;
  for (int i = 0; i < 200; ++i) {
    ids.push_back(i % 3 ? "ab7" : fmt::format("ab{}", i));
    messages.push_back(i % 4 == 0   ? fmt::format("a{}a{} took {} ms {}ab{}", i % 5, ids.back(), i * 0.5, i, i % 3)
                       : i % 4 == 1 ? fmt::format(R"({{"id":"{}","x":"","y":"{}","z":{}}})", ids.back(),
                                                  i % 8 == 1 ? "a b a1" : "", i % 7)
                       : i % 4 == 2 ? fmt::format("{}{}1 1{} 11 {}", i % 3, i % 7 == 0 ? "ab" : "b", i, i % 9)
                                    : "literal ab " + std::string(static_cast<std::size_t>(i), 'a'));
  }
  const MessageFields fields{{{"id", {ids.begin(), ids.end()}, {}}}, {}};
  const auto encoded = encode(messages, fields);
  const Columns columns(fields);
  const auto alphabet = [](std::string_view name) {
    return name == "id" ? Alphabet::of("ab0123456789") : Alphabet::any();
  };
  ReadMessages read;
  std::mt19937 random(5);
  std::size_t whole_bytes = 0;
  std::size_t part_bytes = 0;
  for (int round = 0; round < 1000; ++round) {
    ASSERT_TRUE(read.take(encoded.bytes, encoded.raw_bytes, messages.size(), std::cref(columns), alphabet));
    const auto& message = messages[random() % messages.size()];
    const auto begin = random() % message.size();
    const auto text = message.substr(begin, random() % 8 + 1);
    const auto behind = text.size() + random() % 12;
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < messages.size(); ++row) {
      if (messages[row].find(text) != std::string::npos) rows.push_back(row);
    }
    DecodedColumn parts;
    ASSERT_TRUE(read.build_around(insights::TextFinder(text), behind, rows, parts));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& whole = messages[rows[i]];
      const auto part = parts.texts[i];
      ASSERT_NE(whole.find(part), std::string::npos) << part << " of " << whole;
      std::multiset<std::string> expected;
      std::multiset<std::string> found;
      for (auto at = whole.find(text); at != whole.npos; at = whole.find(text, at + 1)) {
        expected.insert(whole.substr(at, behind));
      }
      for (auto at = part.find(text); at != part.npos; at = part.find(text, at + 1)) {
        found.insert(std::string(part.substr(at, behind)));
      }
      ASSERT_EQ(found, expected) << "\"" << text << "\" and " << behind << " bytes in \"" << part << "\" of " << whole;
      whole_bytes += whole.size();
      part_bytes += part.size();
    }
  }
  EXPECT_LT(part_bytes, whole_bytes);
}

}  // namespace
}  // namespace securebase::logs
