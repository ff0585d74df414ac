#include "objects/objects.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/random.h"
#include "objects/description.h"
#include "objects/incoming.h"
#include "stack/stack.h"

namespace securebase::objects {
namespace {

namespace fs = std::filesystem;

class ObjectsTest : public testing::Test {
 protected:
  ~ObjectsTest() override { fs::remove_all(folder_); }

  std::unique_ptr<Objects> open() {
    auto opened = Objects::open(folder_, pool_, clock_);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return std::move(*opened);
  }

  std::string read(Objects& objects, std::string key) {
    std::string bytes;
    net::Worker worker(0);
    worker.run_until_done(read_into(objects, std::move(key), bytes));
    return bytes;
  }

  static net::Task<void> read_into(Objects& objects, std::string key, std::string& bytes) {
    auto object = co_await objects.get("portal", std::move(key));
    EXPECT_TRUE(object);
    if (!object) co_return;
    if (auto stream = object->body.take_stream()) {
      auto all = co_await http::read_all(*stream, 64 << 20);
      EXPECT_TRUE(all);
      if (all) bytes = *all;
    } else {
      bytes = object->body.bytes();
    }
  }

  const fs::path folder_ = fs::temp_directory_path() / ("securebase-objects-" + base::random_hex(8));
  base::ManualClock clock_;
  net::Pool pool_{1, 16};
};

TEST_F(ObjectsTest, NamesAMissingFileAsOneWouldWriteIt) {
  fs::create_directories(folder_);
  ASSERT_TRUE(base::replace_file(folder_ / "main.tf", R"(
    resource "aws_s3_bucket" "b" { bucket = "portal" }
    resource "aws_s3_object" "o" {
      bucket = aws_s3_bucket.b.id
      key    = "crl.pem"
      source = "././files/crl.pem"
    }
  )"));
  stack::Catalogue catalogue;
  declare(catalogue);
  stack::Inputs inputs;
  inputs.directory = folder_;
  const auto loaded = stack::load(inputs, catalogue);
  ASSERT_TRUE(loaded) << stack::render(loaded.error());
  const auto config = configure(*loaded);
  ASSERT_FALSE(config);
  const auto whole = "there is no file " + (folder_ / "files/crl.pem").string();
  EXPECT_NE(stack::render(config.error()).find(whole), std::string::npos) << stack::render(config.error());
}

TEST_F(ObjectsTest, WhatWasPutIsThereAfterTheNextOpen) {
  const std::string large(700'000, 'x');
  {
    auto objects = open();
    ASSERT_TRUE(objects->create_bucket("portal"));
    ASSERT_TRUE(
        objects->put("portal", "index.html", "<html>", {.content_type = "text/html", .metadata = {{"a", "b"}}}));
    ASSERT_TRUE(objects->put("portal", "large", large, {}));
    ASSERT_TRUE(objects->put("portal", "index.html", "<html lang=en>", {.content_type = "text/html"}));
  }
  auto objects = open();
  const auto info = objects->head("portal", "index.html");
  ASSERT_TRUE(info);
  EXPECT_EQ((*info)->attributes.content_type, "text/html");
  EXPECT_EQ((*info)->etag, "\"ff796f3a375c2a710ca353a0080abe88\"");
  EXPECT_EQ(read(*objects, "index.html"), "<html lang=en>");
  EXPECT_EQ(read(*objects, "large"), large);
  EXPECT_EQ(base::files_below(folder_)->size(), 5u)
      << "the bucket, two descriptions, two blobs: what was replaced is gone";
}

TEST_F(ObjectsTest, NoKeyLeadsOutOfTheBucket) {
  auto objects = open();
  ASSERT_TRUE(objects->create_bucket("portal"));
  const std::vector<std::string> keys = {"../../etc/passwd",         "/etc/passwd", "a/../../b", "..", "\\..\\x",
                                         std::string("nul\0byte", 8)};
  for (const std::string& key : keys) {
    ASSERT_TRUE(objects->put("portal", key, key, {})) << key;
    EXPECT_EQ(read(*objects, key), key);
  }
  for (const auto& file : *base::files_below(folder_)) {
    const bool inside = file.native().starts_with("portal/objects/") || file.native().starts_with("portal/blobs/");
    EXPECT_TRUE(inside || file == "portal/bucket.json") << file;
  }
  EXPECT_FALSE(objects->put("portal", "", "x", {}));
  EXPECT_FALSE(objects->put("portal", std::string(1025, 'k'), "x", {}));
}

TEST_F(ObjectsTest, BytesThatACrashLeftWithoutDescriptionAreDropped) {
  { ASSERT_TRUE(open()->create_bucket("portal")); }
  ASSERT_TRUE(base::replace_file(folder_ / "portal" / "blobs" / "00ff", "lost", 0600));
  ASSERT_TRUE(base::make_directory(folder_ / "portal" / "objects" / "ab"));
  ASSERT_TRUE(base::replace_file(folder_ / "portal" / "objects" / "ab" / "x.json.new-1234", "half", 0600));
  auto objects = open();
  EXPECT_EQ(base::files_below(folder_)->size(), 1u) << "bucket.json alone";
}

TEST_F(ObjectsTest, BytesOfABucketThatWentDoNotComeIntoTheNextOne) {
  auto objects = open();
  ASSERT_TRUE(objects->create_bucket("portal"));
  auto bytes = objects->begin("portal");
  ASSERT_TRUE(bytes);
  ASSERT_TRUE((*bytes)->append("of the old one"));
  ASSERT_TRUE(objects->delete_bucket("portal"));
  ASSERT_TRUE(objects->create_bucket("portal"));
  EXPECT_FALSE(objects->keep("portal", "a", std::move(*bytes), {}));
  EXPECT_TRUE(open()->list("portal", "", "", 10).empty());
}

TEST_F(ObjectsTest, AMissingBucketOrKeySaysWhich) {
  auto objects = open();
  EXPECT_EQ(objects->head("portal", "x").error().message, "the specified bucket does not exist: portal");
  ASSERT_TRUE(objects->create_bucket("portal"));
  EXPECT_EQ(objects->head("portal", "x").error().message, "the specified key does not exist: x in bucket portal");
  EXPECT_EQ(objects->create_bucket("portal").error().code, Errc::kConflict);
}

TEST_F(ObjectsTest, ListsInOrderFromBehindAKey) {
  auto objects = open();
  ASSERT_TRUE(objects->create_bucket("portal"));
  for (const char* key : {"b/2", "a", "b/1", "c", "b/3"}) ASSERT_TRUE(objects->put("portal", key, "", {}));
  const auto keys = [&](std::string_view prefix, std::string_view after, std::size_t limit) {
    std::string joined;
    for (const auto& info : objects->list("portal", prefix, after, limit)) joined += info->key + " ";
    return joined;
  };
  EXPECT_EQ(keys("", "", 10), "a b/1 b/2 b/3 c ");
  EXPECT_EQ(keys("b/", "", 2), "b/1 b/2 ");
  EXPECT_EQ(keys("b/", "b/2", 2), "b/3 ");
}

TEST_F(ObjectsTest, ApplyPutsOnlyWhatDiffers) {
  auto objects = open();
  Config config;
  config.buckets = {{"portal", "us-east-1"}};
  config.uploads = {{"aws_s3_object.a", "portal", "a", {}, "one", {}},
                    {"aws_s3_object.b", "portal", "b", {}, "two", {}}};
  EXPECT_EQ(objects->apply(config)->size(), 2u);
  EXPECT_EQ(objects->apply(config)->size(), 0u);
  config.uploads[0].attributes.cache_control = "no-cache";
  config.uploads[1].content = "three";
  EXPECT_EQ(objects->apply(config)->size(), 2u);
  EXPECT_EQ(read(*objects, "b"), "three");
}

TEST_F(ObjectsTest, ApplyRemovesWhatTheStackDeclaredBeforeAndNothingElse) {
  auto objects = open();
  Config config;
  config.buckets = {{"portal", "us-east-1"}};
  config.uploads = {{"aws_s3_object.a", "portal", "a", {}, "one", {}},
                    {"aws_s3_object.b", "portal", "b", {}, "two", {}},
                    {"aws_s3_object.c", "portal", "c", {}, "three", {}}};
  ASSERT_TRUE(objects->apply(config));
  ASSERT_TRUE(objects->put("portal", "mine", "a client's", {}));
  ASSERT_TRUE(objects->put("portal", "b", "a client's", {}));
  const auto c = *objects->head("portal", "c");
  ASSERT_TRUE(objects->copy("portal", "c", c->etag, "portal", "copy", nullptr));
  objects = open();  // it is remembered
  config.uploads.clear();
  EXPECT_EQ(objects->apply(config)->size(), 2u);
  EXPECT_EQ(objects->head("portal", "a").error().code, Errc::kNotFound);
  EXPECT_EQ(objects->head("portal", "c").error().code, Errc::kNotFound);
  EXPECT_EQ(read(*objects, "b"), "a client's");
  EXPECT_EQ(read(*objects, "mine"), "a client's");
  EXPECT_EQ(read(*objects, "copy"), "three");
}

TEST_F(ObjectsTest, ABucketLeavesWithTheStackUnlessItHoldsMore) {
  auto objects = open();
  Config config;
  config.buckets = {{"portal", "us-east-1"}, {"empty", "us-east-1"}, {"forced", "us-east-1", true}};
  config.uploads = {{"aws_s3_object.a", "portal", "a", {}, "one", {}}};
  ASSERT_TRUE(objects->apply(config));
  ASSERT_TRUE(objects->create_bucket("clients"));
  ASSERT_TRUE(objects->put("forced", "mine", "a client's", {}));
  objects = open();  // it is remembered
  EXPECT_TRUE(objects->may_apply({})) << "the stack's own objects are no hindrance";
  ASSERT_TRUE(objects->put("portal", "mine", "a client's", {}));
  const auto refused = objects->may_apply({});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("BucketNotEmpty"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(objects->may_apply(config));

  const Config nothing;
  ASSERT_TRUE(objects->apply(nothing, Objects::Occasion::kStart));
  EXPECT_EQ(objects->buckets(), (std::vector<std::string>{"clients", "forced", "portal"})) << "nobody was asked";
  ASSERT_TRUE(objects->apply(config));
  ASSERT_TRUE(objects->apply(nothing));
  EXPECT_EQ(objects->buckets(), (std::vector<std::string>{"clients", "portal"}));
  EXPECT_EQ(read(*objects, "mine"), "a client's");
  EXPECT_EQ(objects->head("portal", "a").error().code, Errc::kNotFound);
  EXPECT_TRUE(objects->may_apply({})) << "it is nobody's now";
  objects = open();
  EXPECT_EQ(objects->buckets(), (std::vector<std::string>{"clients", "portal"}));
}

TEST(BucketNames, FollowTheRules) {
  for (const char* good : {"abc", "securebase-prod-portal", "a.b.c", "123"})
    EXPECT_TRUE(check_bucket_name(good)) << good;
  for (const char* bad : {"ab", "Abc", "a..b", "-abc", "abc-", "a_b", "../x", ""})
    EXPECT_FALSE(check_bucket_name(bad)) << bad;
  EXPECT_EQ(bucket_of_host("portal.s3.us-east-1.amazonaws.com"), "portal");
  EXPECT_EQ(bucket_of_host("my.portal.s3.amazonaws.com"), "my.portal");
  EXPECT_EQ(bucket_of_host("portal.s3-website-us-east-1.amazonaws.com"), "portal");
  EXPECT_EQ(bucket_of_host("s3.amazonaws.com"), std::nullopt);
  EXPECT_EQ(bucket_of_host("api.securebase.com"), std::nullopt);
  EXPECT_EQ(bucket_of_host("../x.s3.amazonaws.com"), std::nullopt);
}

TEST(Description, RefusesWhatPutDidNotWrite) {
  Description made;
  made.info.key = "k";
  made.blob = "00ff";
  EXPECT_TRUE(description_from(to_text(made)));
  made.blob = "../../../etc/passwd";
  EXPECT_FALSE(description_from(to_text(made)));
  EXPECT_FALSE(description_from("{}"));
  EXPECT_FALSE(description_from("nonsense"));
}

}  // namespace
}  // namespace securebase::objects
