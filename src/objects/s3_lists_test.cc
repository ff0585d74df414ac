// Lists of keys, in pages.
#include "objects/s3_test.h"

namespace securebase::objects {
namespace {

using namespace std::chrono_literals;
using Value = aws::Value;

class S3Lists : public S3Test {
 protected:
  S3Lists() {
    for (const char* key : {"assets/app.css", "assets/app.js", "assets/img/a.png", "assets/img/b.png", "index.html",
                            "robots.txt", "docs/a", "docs/b"}) {
      put(key, key);
    }
  }
  static std::string keys_of(const Reply& reply) {
    std::string joined;
    for (const auto& one : reply["Contents"].elements()) joined.append(one["Key"].string_or("")).append(" ");
    for (const auto& one : reply["CommonPrefixes"].elements()) {
      joined.append("[").append(one["Prefix"].string_or("")).append("] ");
    }
    return joined;
  }
  // All pages of that size.
  std::string pages(std::string prefix, std::string delimiter, int size) {
    std::string joined;
    Value token;
    for (int turn = 0; turn < 20; ++turn) {
      const auto page = call("ListObjectsV2", {{"Bucket", "portal"},
                                               {"Prefix", prefix},
                                               {"Delimiter", delimiter},
                                               {"MaxKeys", size},
                                               {"ContinuationToken", token}});
      joined += keys_of(page);
      EXPECT_LE(page["KeyCount"].integer_or(99), size);
      EXPECT_EQ(page["IsTruncated"].bool_or(false), !page["NextContinuationToken"].is_null());
      if (!page["IsTruncated"].bool_or(true)) return joined;
      token = page["NextContinuationToken"];
      start();  // a token outlives the program
    }
    return "no end";
  }
};

TEST_F(S3Lists, GivesKeysWithWhatIsKnownOfThem) {
  const auto all = call("ListObjectsV2", {{"Bucket", "portal"}});
  EXPECT_EQ(keys_of(all),
            "assets/app.css assets/app.js assets/img/a.png assets/img/b.png docs/a docs/b index.html robots.txt ");
  EXPECT_EQ(all["KeyCount"].integer_or(0), 8);
  EXPECT_EQ(all["MaxKeys"].integer_or(0), 1000);
  EXPECT_FALSE(all["IsTruncated"].bool_or(true));
  EXPECT_EQ(all.text("Name"), "portal");
  const auto& first = all["Contents"].elements()[0];
  EXPECT_EQ(first["Size"].integer_or(0), 14);
  EXPECT_EQ(first["ETag"].string_or("").size(), 34u);
  EXPECT_EQ(first["LastModified"].time_or({}), base::TimePoint{1'700'000'000s});
  EXPECT_EQ(first["StorageClass"].string_or(""), "STANDARD");
  EXPECT_TRUE(first["Owner"].is_null());
  const auto owned = call("ListObjectsV2", {{"Bucket", "portal"}, {"FetchOwner", true}});
  EXPECT_FALSE(owned["Contents"].elements()[0]["Owner"].is_null());
  EXPECT_EQ(code("ListObjectsV2", {{"Bucket", "nobody"}}), "NoSuchBucket");
}

TEST_F(S3Lists, PutsTogetherWhatLiesBehindADelimiter) {
  const auto top = call("ListObjectsV2", {{"Bucket", "portal"}, {"Delimiter", "/"}});
  EXPECT_EQ(keys_of(top), "index.html robots.txt [assets/] [docs/] ");
  EXPECT_EQ(top["KeyCount"].integer_or(0), 4);
  EXPECT_EQ(keys_of(call("ListObjectsV2", {{"Bucket", "portal"}, {"Prefix", "assets/"}, {"Delimiter", "/"}})),
            "assets/app.css assets/app.js [assets/img/] ");
  EXPECT_EQ(keys_of(call("ListObjectsV2", {{"Bucket", "portal"}, {"Prefix", "assets/i"}})),
            "assets/img/a.png assets/img/b.png ");
}

TEST_F(S3Lists, ComesInPagesThatLeaveNothingOut) {
  for (const int size : {1, 2, 3, 7}) {
    EXPECT_EQ(pages("", "", size),
              "assets/app.css assets/app.js assets/img/a.png assets/img/b.png docs/a docs/b index.html robots.txt ");
  }
  EXPECT_EQ(pages("", "/", 1), "[assets/] [docs/] index.html robots.txt ");
  EXPECT_EQ(pages("assets/", "/", 2), "assets/app.css assets/app.js [assets/img/] ");
}

TEST_F(S3Lists, BeginsWhereItIsAskedTo) {
  EXPECT_EQ(keys_of(call("ListObjectsV2", {{"Bucket", "portal"}, {"StartAfter", "docs/a"}})),
            "docs/b index.html robots.txt ");
  const auto none = call("ListObjectsV2", {{"Bucket", "portal"}, {"MaxKeys", 0}});
  EXPECT_EQ(keys_of(none), "");
  EXPECT_FALSE(none["IsTruncated"].bool_or(true));
  EXPECT_EQ(code("ListObjectsV2", {{"Bucket", "portal"}, {"MaxKeys", -1}}), "InvalidArgument");
  EXPECT_EQ(code("ListObjectsV2", {{"Bucket", "portal"}, {"ContinuationToken", "nonsense"}}), "InvalidArgument");
  EXPECT_EQ(code("ListObjectsV2", {{"Bucket", "portal"}, {"EncodingType", "base64"}}), "InvalidArgument");
}

TEST_F(S3Lists, OfTheFirstVersionGoOnByMarkers) {
  const auto first = call("ListObjects", {{"Bucket", "portal"}, {"Delimiter", "/"}, {"MaxKeys", 1}});
  EXPECT_EQ(keys_of(first), "[assets/] ");
  EXPECT_EQ(first.text("NextMarker"), "assets/");
  const auto second = call("ListObjects", {{"Bucket", "portal"}, {"Delimiter", "/"}, {"Marker", first["NextMarker"]}});
  EXPECT_EQ(keys_of(second), "index.html robots.txt [docs/] ");
  EXPECT_TRUE(call("ListObjects", {{"Bucket", "portal"}, {"MaxKeys", 1}})["NextMarker"].is_null());
}

TEST_F(S3Lists, EscapeWhatXmlCannotSay) {
  put("odd \x01&<\xc3\xa9", "x");
  start();
  const auto listed = call("ListObjectsV2", {{"Bucket", "portal"}, {"Prefix", "odd "}, {"EncodingType", "url"}});
  EXPECT_EQ(keys_of(listed), "odd%20%01%26%3C%C3%A9 ");
  EXPECT_EQ(listed.text("Prefix"), "odd%20");
  EXPECT_EQ(listed.text("EncodingType"), "url");
}

}  // namespace
}  // namespace securebase::objects
