// Buckets and objects, as S3's clients see them.
#include "objects/s3_test.h"

#include "base/encoding.h"
#include "base/hash.h"

namespace securebase::objects {
namespace {

using namespace std::chrono_literals;
using Value = aws::Value;

TEST_F(S3Test, MakesAndForgetsBuckets) {
  EXPECT_EQ(code("CreateBucket", {{"Bucket", "portal"}}), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(code("CreateBucket", {{"Bucket", "No_Bucket"}}), "InvalidBucketName");
  clock_.advance(5s);
  const auto constraint = Value::structure({{"LocationConstraint", "eu-central-1"}});
  EXPECT_EQ(call("CreateBucket", {{"Bucket", "assets"}, {"CreateBucketConfiguration", constraint}}).text("Location"),
            "/assets");
  start();
  const auto listed = call("ListBuckets", {});
  const auto& buckets = listed["Buckets"].elements();
  ASSERT_EQ(buckets.size(), 2u);
  EXPECT_EQ(buckets[0]["Name"].string_or(""), "assets");
  EXPECT_EQ(buckets[0]["CreationDate"].time_or({}), base::TimePoint{1'700'000'005s});
  EXPECT_EQ(listed["Owner"]["ID"].string_or("").size(), 64u);
  EXPECT_EQ(call("GetBucketLocation", {{"Bucket", "assets"}}).text("LocationConstraint"), "eu-central-1");
  EXPECT_TRUE(call("GetBucketLocation", {{"Bucket", "portal"}})["LocationConstraint"].is_null())
      << "us-east-1 has none";
  EXPECT_EQ(call("HeadBucket", {{"Bucket", "assets"}}).headers.get("x-amz-bucket-region"), "eu-central-1");
  EXPECT_EQ(call("HeadBucket", {{"Bucket", "nobody"}}).status, 404);

  put("index.html", "x");
  const auto kept = call("DeleteBucket", {{"Bucket", "portal"}});
  EXPECT_EQ(kept.code, "BucketNotEmpty");
  EXPECT_EQ(kept.status, 409);
  EXPECT_EQ(code("DeleteObject", {{"Bucket", "portal"}, {"Key", "index.html"}}), "");
  EXPECT_EQ(code("DeleteBucket", {{"Bucket", "portal"}}), "");
  EXPECT_EQ(code("DeleteBucket", {{"Bucket", "portal"}}), "NoSuchBucket");
  start();
  EXPECT_EQ(call("ListBuckets", {})["Buckets"].elements().size(), 1u);
}

TEST_F(S3Test, KeepsWhatAWriterSays) {
  const auto written = call("PutObject",
                            {{"Bucket", "portal"},
                             {"Key", "a/b.css"},
                             {"ContentType", "text/css"},
                             {"CacheControl", "max-age=60"},
                             {"ContentEncoding", "gzip"},
                             {"ContentDisposition", "inline"},
                             {"ContentLanguage", "de"},
                             {"Expires", base::TimePoint{1'800'000'000s}},
                             {"Metadata", Value::structure({{"Owner", "Web Team"}})}},
                            "body{}");
  EXPECT_EQ(written.text("ETag"), '"' + base::hex(base::md5("body{}")) + '"');
  start();
  for (const char* operation : {"GetObject", "HeadObject"}) {
    const auto read = call(operation, {{"Bucket", "portal"}, {"Key", "a/b.css"}});
    EXPECT_EQ(read.text("ContentType"), "text/css");
    EXPECT_EQ(read.text("CacheControl"), "max-age=60");
    EXPECT_EQ(read.text("ContentEncoding"), "gzip");
    EXPECT_EQ(read.text("ContentDisposition"), "inline");
    EXPECT_EQ(read.text("ContentLanguage"), "de");
    EXPECT_EQ(read.headers.get("Expires"), "Fri, 15 Jan 2027 08:00:00 GMT");
    EXPECT_EQ(read["Metadata"]["owner"].string_or(""), "Web Team");
    EXPECT_EQ(read["ContentLength"].integer_or(-1), 6);
    EXPECT_EQ(read.text("ETag"), written.text("ETag"));
    EXPECT_EQ(read["LastModified"].time_or({}), base::TimePoint{1'700'000'000s});
  }
  EXPECT_EQ(get("a/b.css").body, "body{}");
  const auto other = call("GetObject", {{"Bucket", "portal"},
                                        {"Key", "a/b.css"},
                                        {"ResponseContentType", "text/plain"},
                                        {"ResponseContentDisposition", "attachment"}});
  EXPECT_EQ(other.text("ContentType"), "text/plain");
  EXPECT_EQ(other.text("ContentDisposition"), "attachment");
}

TEST_F(S3Test, SaysWhatIsMissing) {
  EXPECT_EQ(call("GetObject", {{"Bucket", "nobody"}, {"Key", "a"}}).code, "NoSuchBucket");
  const auto missing = get("a");
  EXPECT_EQ(missing.code, "NoSuchKey");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.members["Key"].string_or(""), "a");
  EXPECT_EQ(call("HeadObject", {{"Bucket", "portal"}, {"Key", "a"}}).status, 404);
  EXPECT_EQ(code("PutObject", {{"Bucket", "nobody"}, {"Key", "a"}}, "x"), "NoSuchBucket");
  EXPECT_EQ(code("PutObject", {{"Bucket", "portal"}, {"Key", std::string(1025, 'k')}}, "x"), "KeyTooLongError");
  EXPECT_EQ(code("PutObject", {{"Bucket", "portal"}, {"Key", "no UTF-8: \xff"}}, "x"), "InvalidRequest");
  EXPECT_EQ(code("DeleteObject", {{"Bucket", "portal"}, {"Key", "a"}}), "") << "gone is gone";
  EXPECT_EQ(code("GetObject", {{"Bucket", "portal"}, {"Key", "a"}, {"VersionId", "3"}}), "InvalidArgument");
}

TEST_F(S3Test, ReadsRanges) {
  const std::string large = std::string(300'000, 'a') + std::string(300'000, 'b');
  put("large", large);
  put("empty", "");
  const auto range = [this](std::string text, std::string key = "large") {
    return call("GetObject", {{"Bucket", "portal"}, {"Key", key}, {"Range", text}});
  };
  const auto part = range("bytes=299999-300001");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "abb");
  EXPECT_EQ(part.text("ContentRange"), "bytes 299999-300001/600000");
  EXPECT_EQ(part["ContentLength"].integer_or(0), 3);
  EXPECT_EQ(range("bytes=-1").body, "b");
  EXPECT_EQ(range("bytes=0-").body, large);
  EXPECT_EQ(range("bytes=100000-500000").body, large.substr(100'000, 400'001)) << "streamed";
  EXPECT_EQ(range("bytes=599999-999999").body, "b");
  for (const char* ignored : {"bytes=5-4", "bytes=a-b", "bytes=0-1,3-4", "items=0-1", "bytes=", "bytes=-"}) {
    EXPECT_EQ(range(ignored).status, 0) << ignored;
  }
  for (const auto& [text, key] : {std::pair("bytes=600000-", "large"), {"bytes=0-0", "empty"}, {"bytes=-0", "large"}}) {
    const auto beyond = range(text, key);
    EXPECT_EQ(beyond.code, "InvalidRange") << text;
    EXPECT_EQ(beyond.status, 416);
  }
  EXPECT_EQ(range("bytes=600000-").members["ActualObjectSize"].string_or(""), "600000");
  const auto head = call("HeadObject", {{"Bucket", "portal"}, {"Key", "large"}, {"Range", "bytes=0-9"}});
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head["ContentLength"].integer_or(0), 10);
}

TEST_F(S3Test, JudgesConditionsOfReads) {
  const auto etag = put("a", "x").text("ETag");
  const auto read = [this](std::initializer_list<Value::Member> conditions) {
    Value input = Value::structure({{"Bucket", "portal"}, {"Key", "a"}});
    aws::Identity nobody;
    http::Request request;
    for (const auto& [name, value] : conditions) input.set(name, value);
    aws::Call made{.service = "s3",
                   .operation = "GetObject",
                   .identity = nobody,
                   .region = "",
                   .account = "",
                   .request_id = "",
                   .now = {},
                   .input = input,
                   .request = request,
                   .payload = nullptr};
    Reply reply;
    worker_.run_until_done(carry_out(operations_.find("s3", "GetObject"), made, reply));
    return reply.status != 0 ? reply.status : 200;
  };
  const base::TimePoint modified{1'700'000'000s};
  EXPECT_EQ(read({{"IfMatch", etag}}), 200);
  EXPECT_EQ(read({{"IfMatch", "*"}}), 200);
  EXPECT_EQ(read({{"IfMatch", "\"other\""}}), 412);
  EXPECT_EQ(read({{"IfNoneMatch", etag}}), 304);
  EXPECT_EQ(read({{"IfNoneMatch", "\"other\", " + etag}}), 304);
  EXPECT_EQ(read({{"IfNoneMatch", "\"other\""}}), 200);
  EXPECT_EQ(read({{"IfModifiedSince", modified}}), 304);
  EXPECT_EQ(read({{"IfModifiedSince", modified - 1s}}), 200);
  EXPECT_EQ(read({{"IfUnmodifiedSince", modified}}), 200);
  EXPECT_EQ(read({{"IfUnmodifiedSince", modified - 1s}}), 412);
  EXPECT_EQ(read({{"IfMatch", etag}, {"IfUnmodifiedSince", modified - 1s}}), 200) << "If-Match goes first";
  EXPECT_EQ(read({{"IfNoneMatch", "\"other\""}, {"IfModifiedSince", modified}}), 200);
}

TEST_F(S3Test, WritesOnlyWhereNothingIsWhenItIsAskedTo) {
  const auto once = [this](std::string bytes) {
    return call("PutObject", {{"Bucket", "portal"}, {"Key", "lock"}}, std::move(bytes), {{"If-None-Match", "*"}});
  };
  EXPECT_EQ(once("first").code, "");
  const auto refused = once("second");
  EXPECT_EQ(refused.code, "PreconditionFailed");
  EXPECT_EQ(refused.status, 412);
  EXPECT_EQ(get("lock").body, "first");
  EXPECT_EQ(files(), 3u) << "bucket, description, bytes: what was refused is gone";
}

TEST_F(S3Test, RefusesBytesThatAreNotWhatWasSaid) {
  const auto write = [this](Value::Member digest) {
    return call("PutObject", {{"Bucket", "portal"}, {"Key", "a"}, std::move(digest)}, "123456789").code;
  };
  // The check values of "123456789" that the algorithms' definitions give.
  EXPECT_EQ(write({"ContentMD5", base::base64(base::md5("123456789"))}), "");
  EXPECT_EQ(write({"ChecksumCRC32", "y/Q5Jg=="}), "");
  EXPECT_EQ(write({"ChecksumCRC32C", "4waSgw=="}), "");
  EXPECT_EQ(write({"ChecksumSHA1", base::base64(base::sha1("123456789"))}), "");
  EXPECT_EQ(write({"ChecksumSHA256", base::base64(base::sha256("123456789"))}), "");
  put("a", "old");
  EXPECT_EQ(write({"ContentMD5", base::base64(base::md5("else"))}), "BadDigest");
  EXPECT_EQ(write({"ContentMD5", "short"}), "InvalidDigest");
  EXPECT_EQ(write({"ChecksumCRC32", "AAAAAA=="}), "BadDigest");
  EXPECT_EQ(write({"ChecksumSHA256", base::base64(base::sha256("else"))}), "BadDigest");
  EXPECT_EQ(call("PutObject", {{"Bucket", "portal"}, {"Key", "a"}}, "half of it", {}, true).code, "IncompleteBody");
  EXPECT_EQ(get("a").body, "old");
  EXPECT_EQ(files(), 3u);
}

TEST_F(S3Test, KeepsTheChecksumThatWasAskedFor) {
  const auto written =
      call("PutObject", {{"Bucket", "portal"}, {"Key", "a"}, {"ChecksumAlgorithm", "CRC32C"}}, "123456789");
  EXPECT_EQ(written.text("ChecksumCRC32C"), "4waSgw==");
  call("PutObject", {{"Bucket", "portal"}, {"Key", "b"}}, "123456789", {{"x-amz-trailer", "x-amz-checksum-crc32"}});
  start();
  EXPECT_EQ(get("a")["ChecksumCRC32C"].string_or(""), "") << "only for those who ask";
  const auto asked = [this](std::string key) {
    return call("HeadObject", {{"Bucket", "portal"}, {"Key", std::move(key)}, {"ChecksumMode", "ENABLED"}});
  };
  EXPECT_EQ(asked("a").text("ChecksumCRC32C"), "4waSgw==");
  EXPECT_EQ(asked("b").text("ChecksumCRC32"), "y/Q5Jg==");
}

TEST_F(S3Test, IgnoresNoSetting) {
  const auto with = [this](Value::Member member) {
    return call("PutObject", {{"Bucket", "portal"}, {"Key", "a"}, std::move(member)}, "x").code;
  };
  EXPECT_EQ(with({"ACL", "public-read"}), "AccessControlListNotSupported");
  EXPECT_EQ(with({"ACL", "bucket-owner-full-control"}), "");
  EXPECT_EQ(with({"StorageClass", "GLACIER"}), "NotImplemented");
  EXPECT_EQ(with({"SSECustomerAlgorithm", "AES256"}), "NotImplemented");
  EXPECT_EQ(with({"ObjectLockMode", "COMPLIANCE"}), "NotImplemented");
}

std::string tags_text(const aws::Value& output) {
  std::string text;
  for (const auto& tag : output["TagSet"].elements()) {
    text += std::string(tag["Key"].string_or("")) + "=" + std::string(tag["Value"].string_or("")) + ";";
  }
  return text;
}

aws::Value tagging(std::initializer_list<std::pair<std::string, std::string>> tags) {
  aws::Value::List set;
  for (const auto& [key, value] : tags) set.push_back(aws::Value::structure({{"Key", key}, {"Value", value}}));
  return aws::Value::structure({{"TagSet", std::move(set)}});
}

TEST_F(S3Test, KeepsTags) {
  const auto tags = [this](std::string key) {
    return tags_text(call("GetObjectTagging", {{"Bucket", "portal"}, {"Key", std::move(key)}}).output);
  };
  call("PutObject", {{"Bucket", "portal"}, {"Key", "a"}, {"Tagging", "team=web&stage=a%20b+c"}}, "page");
  EXPECT_EQ(tags("a"), "stage=a b c;team=web;");
  EXPECT_EQ(get("a").headers.get("x-amz-tagging-count"), "2");
  const auto before = get("a");
  clock_.advance(10s);
  EXPECT_EQ(code("PutObjectTagging", {{"Bucket", "portal"}, {"Key", "a"}, {"Tagging", tagging({{"n", "1"}})}}), "");
  start();
  EXPECT_EQ(tags("a"), "n=1;") << "others, not more of them";
  EXPECT_EQ(get("a").body, "page");
  EXPECT_EQ(get("a")["LastModified"].time_or({}), before["LastModified"].time_or({})) << "the object is what it was";
  call("CopyObject", {{"Bucket", "portal"}, {"Key", "b"}, {"CopySource", "portal/a"}});
  EXPECT_EQ(tags("b"), "n=1;");
  call("CopyObject", {{"Bucket", "portal"},
                      {"Key", "c"},
                      {"CopySource", "portal/a"},
                      {"TaggingDirective", "REPLACE"},
                      {"Tagging", "m=2"}});
  EXPECT_EQ(tags("c"), "m=2;");
  EXPECT_EQ(call("DeleteObjectTagging", {{"Bucket", "portal"}, {"Key", "a"}}).status, 204);
  EXPECT_EQ(tags("a"), "");
  EXPECT_EQ(get("a").body, "page");
}

TEST_F(S3Test, RefusesWrongTags) {
  put("a", "x");
  const auto with = [this](std::string text) {
    return code("PutObject", {{"Bucket", "portal"}, {"Key", "b"}, {"Tagging", std::move(text)}}, "x");
  };
  EXPECT_EQ(with("=1"), "InvalidTag");
  EXPECT_EQ(with("a=1&a=2"), "InvalidTag");
  EXPECT_EQ(with("aws:a=1"), "InvalidTag");
  EXPECT_EQ(with(std::string(129, 'k') + "=1"), "InvalidTag");
  EXPECT_EQ(with("k=" + std::string(257, 'v')), "InvalidTag");
  EXPECT_EQ(with("k=%zz"), "InvalidArgument");
  EXPECT_EQ(with("1=&2=&3=&4=&5=&6=&7=&8=&9=&10=&11="), "BadRequest");
  EXPECT_EQ(get("b").code, "NoSuchKey") << "nothing was put";
  EXPECT_EQ(code("PutObjectTagging", {{"Bucket", "portal"}, {"Key", "no"}, {"Tagging", tagging({})}}), "NoSuchKey");
  EXPECT_EQ(code("GetObjectTagging", {{"Bucket", "no"}, {"Key", "no"}}), "NoSuchBucket");
}

TEST_F(S3Test, CopiesObjects) {
  call("PutObject", {{"Bucket", "portal"}, {"Key", "a b"}, {"ContentType", "text/html"}}, "page");
  EXPECT_EQ(code("CreateBucket", {{"Bucket", "other"}}), "");
  clock_.advance(10s);
  const auto copied = call("CopyObject", {{"Bucket", "other"}, {"Key", "copy"}, {"CopySource", "portal/a%20b"}});
  EXPECT_EQ(copied["CopyObjectResult"]["ETag"].string_or(""), '"' + base::hex(base::md5("page")) + '"');
  EXPECT_EQ(copied["CopyObjectResult"]["LastModified"].time_or({}), base::TimePoint{1'700'000'010s});
  EXPECT_EQ(code("DeleteObject", {{"Bucket", "portal"}, {"Key", "a b"}}), "");
  start();
  const auto read = call("GetObject", {{"Bucket", "other"}, {"Key", "copy"}});
  EXPECT_EQ(read.body, "page");
  EXPECT_EQ(read.text("ContentType"), "text/html");

  // As `aws s3 cp --metadata-directive REPLACE` changes an object's own fields.
  const auto itself = call("CopyObject", {{"Bucket", "other"},
                                          {"Key", "copy"},
                                          {"CopySource", "/other/copy"},
                                          {"MetadataDirective", "REPLACE"},
                                          {"CacheControl", "no-cache"}});
  EXPECT_EQ(itself.code, "");
  const auto changed = call("GetObject", {{"Bucket", "other"}, {"Key", "copy"}});
  EXPECT_EQ(changed.text("CacheControl"), "no-cache");
  EXPECT_EQ(changed.text("ContentType"), "binary/octet-stream");
  EXPECT_EQ(changed.body, "page");
  EXPECT_EQ(code("CopyObject", {{"Bucket", "other"}, {"Key", "copy"}, {"CopySource", "other/copy"}}), "InvalidRequest");
  EXPECT_EQ(code("CopyObject", {{"Bucket", "other"}, {"Key", "b"}, {"CopySource", "other/none"}}), "NoSuchKey");
  EXPECT_EQ(code("CopyObject", {{"Bucket", "other"}, {"Key", "b"}, {"CopySource", "nobody/copy"}}), "NoSuchBucket");
  EXPECT_EQ(code("CopyObject", {{"Bucket", "nobody"}, {"Key", "b"}, {"CopySource", "other/copy"}}), "NoSuchBucket");
  EXPECT_EQ(code("CopyObject", {{"Bucket", "other"}, {"Key", "b"}, {"CopySource", "nonsense"}}), "InvalidArgument");
  EXPECT_EQ(code("CopyObject",
                 {{"Bucket", "other"}, {"Key", "b"}, {"CopySource", "other/copy"}, {"CopySourceIfMatch", "\"else\""}}),
            "PreconditionFailed");
}

TEST_F(S3Test, DeletesManyAtOnce) {
  for (const char* key : {"a", "b", "c"}) put(key, key);
  const auto objects = Value::list({Value::structure({{"Key", "a"}}), Value::structure({{"Key", "none"}}),
                                    Value::structure({{"Key", "b"}, {"VersionId", "7"}})});
  const auto gone = call("DeleteObjects", {{"Bucket", "portal"}, {"Delete", Value::structure({{"Objects", objects}})}});
  EXPECT_EQ(gone["Deleted"].elements().size(), 2u) << "what is not there is as good as deleted";
  ASSERT_EQ(gone["Errors"].elements().size(), 1u);
  EXPECT_EQ(gone["Errors"].elements()[0]["Code"].string_or(""), "InvalidArgument");
  EXPECT_EQ(get("a").code, "NoSuchKey");
  EXPECT_EQ(get("b").body, "b");
  const auto quiet = call(
      "DeleteObjects", {{"Bucket", "portal"}, {"Delete", Value::structure({{"Quiet", true}, {"Objects", objects}})}});
  EXPECT_TRUE(quiet["Deleted"].is_null());
  EXPECT_EQ(code("DeleteObjects", {{"Bucket", "portal"}, {"Delete", Value::structure()}}), "MalformedXML");
}

TEST_F(S3Test, SendsOneVersionThoughAnotherIsPutMeanwhile) {
  put("a", std::string(600'000, '1'));
  auto opened = [this]() -> Object {
    Object object;
    struct Open {
      static net::Task<void> run(Objects& objects, Object& into) {
        auto got = co_await objects.get("portal", "a");
        EXPECT_TRUE(got);
        if (got) into = std::move(*got);
      }
    };
    worker_.run_until_done(Open::run(*objects_, object));
    return object;
  }();
  put("a", "short");
  std::string bytes;
  struct Read {
    static net::Task<void> run(std::unique_ptr<http::BodyReader> stream, std::string& into) {
      auto all = co_await http::read_all(*stream, 1 << 20);
      EXPECT_TRUE(all);
      if (all) into = std::move(*all);
    }
  };
  worker_.run_until_done(Read::run(opened.body.take_stream(), bytes));
  EXPECT_EQ(bytes, std::string(600'000, '1'));
  EXPECT_EQ(get("a").body, "short");
}

}  // namespace
}  // namespace securebase::objects
