#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/durable.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/markup.h"
#include "base/random.h"
#include "base/result.h"
#include "base/snapshot.h"

namespace securebase::base {
namespace {

TEST(Result, HoldsAValueOrTheReasonWhyNot) {
  const Result<int> good = 3;
  const Result<int> bad = Error{Errc::kLimit, "too many"};
  EXPECT_TRUE(good.has_value());
  EXPECT_EQ(*good, 3);
  EXPECT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().within("counting").message, "counting: too many");
  EXPECT_DEATH(static_cast<void>(bad.value()), "holds an error");
}

TEST(Encoding, RoundTripsAndRefusesForeignCharacters) {
  // RFC 4648 §10.
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(from_base64("Zm9vYg=="), "foob");
  EXPECT_EQ(from_base64("Zm9vYg"), "foob");
  EXPECT_EQ(from_base64("Zm9v Yg=="), std::nullopt);
  EXPECT_EQ(from_base64("A"), std::nullopt);
  EXPECT_EQ(base64url("\xff\xfe\xfd"), "__79");
  EXPECT_EQ(from_base64url("__79"), "\xff\xfe\xfd");
  EXPECT_EQ(from_base64("__79"), std::nullopt);
  EXPECT_EQ(from_hex("0aFF"), std::string("\x0a\xff"));
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(percent_encode("a b/c~", "/"), "a%20b/c~");
  EXPECT_EQ(percent_decode("a%20b+c"), "a b+c");
  EXPECT_EQ(percent_decode("a+b", Plus::kSpace), "a b");
  EXPECT_EQ(percent_decode("%2"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
}

TEST(Hash, AgreesWithPublishedVectors) {
  EXPECT_EQ(hex(md5("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231 §4.3.
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Json, KeepsOrderIntegersAndText) {
  const std::string text = R"({"z":1,"a":[true,null,-9223372036854775808,1.5],"t":"\u00e9\n\"\\"})";
  const auto parsed = Json::parse(text);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->dump(), "{\"z\":1,\"a\":[true,null,-9223372036854775808,1.5],\"t\":\"\xc3\xa9\\n\\\"\\\\\"}");
  EXPECT_EQ((*parsed)["a"].as_array()->at(2).integer_or(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE((*parsed)["missing"]["deeper"].is_null());
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* bad : {"", "{", "{\"a\":}", "nul", "[1,]", "\"\x01\"", "1 2", "\"\xff\""}) {
    EXPECT_FALSE(Json::parse(bad)) << bad;
  }
  EXPECT_FALSE(Json::parse(std::string(600, '[') + std::string(600, ']')));
}

TEST(Json, WritesInvalidUtf8AsReplacementCharacter) {
  EXPECT_EQ(Json("a\xff"
                 "b\xed\xa0\x80")
                .dump(),
            "\"a\xef\xbf\xbd"
            "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(File, IsReplacedWholeAndReadBack) {
  const auto folder = std::filesystem::temp_directory_path() / ("securebase-base-" + random_hex(8));
  ASSERT_TRUE(make_directory(folder / "a" / "b"));
  ASSERT_TRUE(replace_file(folder / "a" / "b" / "f", "one", 0600));
  ASSERT_TRUE(replace_file(folder / "a" / "b" / "f", "two", 0600));
  EXPECT_EQ(*read_file(folder / "a" / "b" / "f"), "two");
  EXPECT_EQ(read_file(folder / "a" / "b" / "f", 2).error().code, Errc::kLimit);
  EXPECT_EQ(read_file(folder / "none").error().code, Errc::kNotFound);
  EXPECT_EQ(files_below(folder)->size(), 1u) << "no temporary file is left";
  std::filesystem::remove_all(folder);
}

TEST(Durable, AFileReplacedByPiecesKeepsItsOldContentWhenTheWriterFails) {
  const auto directory = std::filesystem::temp_directory_path() / ("securebase-test-" + random_hex(8));
  ASSERT_TRUE(make_directory(directory));
  const auto path = directory / "report";
  ASSERT_TRUE(replace_file_by_pieces(path, [](const TakePiece& take) -> Result<Done> {
    if (auto taken = take("one "); !taken) return taken;
    return take("two");
  }));
  EXPECT_EQ(*read_file(path), "one two");
  const auto failed = replace_file_by_pieces(path, [](const TakePiece& take) -> Result<Done> {
    if (auto taken = take("half"); !taken) return taken;
    return Error{Errc::kIo, "its source is gone"};
  });
  EXPECT_EQ(failed.error().message, "its source is gone");
  EXPECT_EQ(*read_file(path), "one two");
  EXPECT_EQ(files_below(directory)->size(), 1u) << "the half one is left behind";
  std::filesystem::remove_all(directory);
}

TEST(Durable, AFileRemovedTwiceIsNoErrorAndADirectoryIsOne) {
  const auto directory = std::filesystem::temp_directory_path() / ("securebase-test-" + random_hex(8));
  ASSERT_TRUE(make_directory(directory));
  ASSERT_TRUE(replace_file(directory / "a", "x"));
  EXPECT_TRUE(remove_file(directory / "a"));
  EXPECT_FALSE(std::filesystem::exists(directory / "a"));
  EXPECT_TRUE(remove_file(directory / "a"));
  EXPECT_FALSE(remove_file(directory));
  EXPECT_FALSE(sync_directory(directory / "not there"));
  std::filesystem::remove_all(directory);
}

TEST(Clock, WritesTheFormatsOfTheField) {
  const TimePoint time{std::chrono::seconds{784111777} + std::chrono::milliseconds{123}};
  EXPECT_EQ(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 §5.6.7
  EXPECT_EQ(iso8601_millis(time), "1994-11-06T08:49:37.123Z");
}

TEST(Snapshot, ViewSeesTheNewValueAtTheNextRead) {
  Snapshot<int> snapshot(std::make_shared<const int>(1));
  Snapshot<int>::View view(snapshot);
  EXPECT_EQ(view.current(), 1);
  snapshot.set(std::make_shared<const int>(2));
  EXPECT_EQ(view.current(), 2);
}

TEST(Random, TextUsesItsAlphabetOnly) {
  const std::string text = random_text(500, "abc");
  EXPECT_EQ(text.size(), 500u);
  EXPECT_EQ(text.find_first_not_of("abc"), std::string::npos);
  EXPECT_EQ(random_uuid().size(), 36u);
  EXPECT_NE(random_uuid(), random_uuid());
}

TEST(Markup, TextStaysTextInContentAndInAttributes) {
  EXPECT_EQ(markup_escaped("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  EXPECT_EQ(markup_escaped(std::string_view("line\n\ttab\x01\0end", 14)), "line\n\ttab  end");
}

TEST(Markup, IsWellFormedWhateverBytesCame) {
  for (const char* fine : {"caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) EXPECT_EQ(markup_escaped(fine), fine);
  const std::string other = "\xef\xbf\xbd";
  for (const char* wrong : {"\xff", "\xc3", "\x80", "\xc0", "\xf5", "\xef\xbf\xbf"})
    EXPECT_EQ(markup_escaped(wrong), other);
  EXPECT_EQ(markup_escaped("\xc3<"), other + "&lt;");
  EXPECT_EQ(markup_escaped("\xed\xa0\x80"), other + other + other);  // half a surrogate pair
}

}  // namespace
}  // namespace securebase::base
