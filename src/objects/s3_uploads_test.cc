// Uploads in parts.
#include "base/encoding.h"
#include "base/hash.h"
#include "objects/s3_test.h"

namespace securebase::objects {
namespace {

using namespace std::chrono_literals;
using Value = aws::Value;

constexpr std::size_t kLeast = 5 << 20;

class S3Uploads : public S3Test {
 protected:
  std::string begin(std::string key = "large", Value algorithm = {}) {
    return call("CreateMultipartUpload", {{"Bucket", "portal"},
                                          {"Key", std::move(key)},
                                          {"ContentType", "video/mp4"},
                                          {"ChecksumAlgorithm", algorithm}})
        .text("UploadId");
  }
  Reply part(const std::string& id, int number, std::string bytes) {
    return call("UploadPart", {{"Bucket", "portal"}, {"Key", "large"}, {"UploadId", id}, {"PartNumber", number}},
                std::move(bytes));
  }
  Reply complete(const std::string& id, std::vector<std::pair<int, std::string>> parts) {
    Value list = Value::list();
    for (const auto& [number, etag] : parts) list.push_back(Value::structure({{"PartNumber", number}, {"ETag", etag}}));
    return call("CompleteMultipartUpload", {{"Bucket", "portal"},
                                            {"Key", "large"},
                                            {"UploadId", id},
                                            {"MultipartUpload", Value::structure({{"Parts", list}})}});
  }
  std::size_t unfinished() { return call("ListMultipartUploads", {{"Bucket", "portal"}})["Uploads"].elements().size(); }

  const std::string a_ = std::string(kLeast, 'a');
  const std::string b_ = std::string(1000, 'b');
};

TEST_F(S3Uploads, BecomeOneObject) {
  const auto id = begin();
  const auto first = part(id, 1, "was sent twice").text("ETag");
  const auto a = part(id, 1, a_).text("ETag");
  start();  // parts survive
  const auto b = part(id, 7, b_).text("ETag");
  EXPECT_EQ(get("large").code, "NoSuchKey") << "not before it is complete";
  clock_.advance(3s);
  const auto done = complete(id, {{1, a}, {7, b}});
  const auto etag = '"' + base::hex(base::md5(base::md5(a_) + base::md5(b_))) + "-2\"";
  EXPECT_EQ(done.code, "");
  EXPECT_EQ(done.text("ETag"), etag);
  EXPECT_NE(first, a);
  for (int turn = 0; turn < 2; ++turn) {
    const auto read = get("large");
    EXPECT_TRUE(read.body == a_ + b_);
    EXPECT_EQ(read.text("ETag"), etag);
    EXPECT_EQ(read.text("ContentType"), "video/mp4");
    EXPECT_EQ(read["LastModified"].time_or({}), base::TimePoint{1'700'000'003s});
    EXPECT_EQ(files(), 3u) << "of the upload nothing is left";
    EXPECT_EQ(complete(id, {{1, a}, {7, b}}).code, "NoSuchUpload");
    start();
  }
}

TEST_F(S3Uploads, AreListedUntilTheyEnd) {
  const auto one = begin();
  clock_.advance(1s);
  const auto two = begin();
  const auto other = begin("other/key");
  part(one, 2, b_);
  part(one, 1, b_);
  start();
  const auto listed = call("ListMultipartUploads", {{"Bucket", "portal"}});
  ASSERT_EQ(listed["Uploads"].elements().size(), 3u);
  EXPECT_EQ(listed["Uploads"].elements()[0]["UploadId"].string_or(""), one);
  EXPECT_EQ(listed["Uploads"].elements()[1]["UploadId"].string_or(""), two);
  EXPECT_EQ(listed["Uploads"].elements()[2]["Key"].string_or(""), "other/key");
  EXPECT_EQ(listed["Uploads"].elements()[0]["Initiated"].time_or({}), base::TimePoint{1'700'000'000s});
  const auto first = call("ListMultipartUploads", {{"Bucket", "portal"}, {"MaxUploads", 1}});
  EXPECT_TRUE(first["IsTruncated"].bool_or(false));
  const auto second = call("ListMultipartUploads", {{"Bucket", "portal"},
                                                    {"MaxUploads", 1},
                                                    {"KeyMarker", first["NextKeyMarker"]},
                                                    {"UploadIdMarker", first["NextUploadIdMarker"]}});
  ASSERT_EQ(second["Uploads"].elements().size(), 1u);
  EXPECT_EQ(second["Uploads"].elements()[0]["UploadId"].string_or(""), two);
  const auto grouped = call("ListMultipartUploads", {{"Bucket", "portal"}, {"Delimiter", "/"}, {"Prefix", "o"}});
  EXPECT_EQ(grouped["CommonPrefixes"].elements().at(0)["Prefix"].string_or(""), "other/");

  const auto parts = call("ListParts", {{"Bucket", "portal"}, {"Key", "large"}, {"UploadId", one}, {"MaxParts", 1}});
  ASSERT_EQ(parts["Parts"].elements().size(), 1u);
  EXPECT_EQ(parts["Parts"].elements()[0]["PartNumber"].integer_or(0), 1);
  EXPECT_EQ(parts["Parts"].elements()[0]["Size"].integer_or(0), 1000);
  EXPECT_EQ(parts["Parts"].elements()[0]["LastModified"].time_or({}), base::TimePoint{1'700'000'001s});
  EXPECT_TRUE(parts["IsTruncated"].bool_or(false));
  EXPECT_EQ(parts["NextPartNumberMarker"].integer_or(0), 1);
  const auto rest = call(
      "ListParts",
      {{"Bucket", "portal"}, {"Key", "large"}, {"UploadId", one}, {"PartNumberMarker", parts["NextPartNumberMarker"]}});
  EXPECT_EQ(rest["Parts"].elements().at(0)["PartNumber"].integer_or(0), 2);

  EXPECT_EQ(code("AbortMultipartUpload", {{"Bucket", "portal"}, {"Key", "large"}, {"UploadId", one}}), "");
  EXPECT_EQ(code("AbortMultipartUpload", {{"Bucket", "portal"}, {"Key", "large"}, {"UploadId", one}}), "NoSuchUpload");
  EXPECT_EQ(code("ListParts", {{"Bucket", "portal"}, {"Key", "large"}, {"UploadId", one}}), "NoSuchUpload");
  EXPECT_EQ(part(one, 1, b_).code, "NoSuchUpload");
  EXPECT_EQ(unfinished(), 2u);
  start();
  EXPECT_EQ(unfinished(), 2u);
}

TEST_F(S3Uploads, RefusePartsThatAreNotThere) {
  const auto id = begin();
  const auto a = part(id, 1, a_).text("ETag");
  const auto b = part(id, 2, b_).text("ETag");
  const auto c = part(id, 3, b_).text("ETag");
  EXPECT_EQ(complete(id, {{1, a}, {4, b}}).code, "InvalidPart");
  EXPECT_EQ(complete(id, {{1, b}, {2, b}}).code, "InvalidPart");
  EXPECT_EQ(complete(id, {{2, b}, {1, a}}).code, "InvalidPartOrder");
  EXPECT_EQ(complete(id, {{1, a}, {1, a}}).code, "InvalidPartOrder");
  EXPECT_EQ(complete(id, {{1, a}, {2, b}, {3, c}}).code, "EntityTooSmall");
  EXPECT_EQ(complete(id, {}).code, "MalformedXML");
  EXPECT_EQ(part(id, 0, b_).code, "InvalidArgument");
  EXPECT_EQ(part(id, 10'001, b_).code, "InvalidArgument");
  EXPECT_EQ(code("UploadPart", {{"Bucket", "portal"}, {"Key", "else"}, {"UploadId", id}, {"PartNumber", 1}}, "x"),
            "NoSuchUpload")
      << "an upload is of one key";
  EXPECT_EQ(complete(id, {{1, a}, {3, c}}).code, "") << "and goes on after all that";
}

TEST_F(S3Uploads, TakePartsFromOtherObjects) {
  put("source", "0123456789");
  const auto id = begin();
  const auto copy = [&](Value range) {
    return call("UploadPartCopy", {{"Bucket", "portal"},
                                   {"Key", "large"},
                                   {"UploadId", id},
                                   {"PartNumber", 1},
                                   {"CopySource", "portal/source"},
                                   {"CopySourceRange", range}});
  };
  EXPECT_EQ(copy("bytes=0-10").code, "InvalidArgument") << "beyond its end";
  EXPECT_EQ(copy("bytes=3-").code, "InvalidArgument");
  const auto part = copy("bytes=3-5");
  const auto etag = std::string(part["CopyPartResult"]["ETag"].string_or(""));
  EXPECT_EQ(etag, '"' + base::hex(base::md5("345")) + '"');
  EXPECT_EQ(complete(id, {{1, etag}}).code, "");
  EXPECT_EQ(get("large").body, "345");
}

TEST_F(S3Uploads, KeepAChecksumOfChecksums) {
  const auto id = begin("large", "SHA256");
  const auto a = part(id, 1, a_);
  EXPECT_EQ(a.text("ChecksumSHA256"), base::base64(base::sha256(a_)));
  start();
  const auto b = part(id, 2, b_).text("ETag");
  const auto wrong = call("UploadPart",
                          {{"Bucket", "portal"},
                           {"Key", "large"},
                           {"UploadId", id},
                           {"PartNumber", 2},
                           {"ChecksumSHA256", base::base64(base::sha256("else"))}},
                          b_);
  EXPECT_EQ(wrong.code, "BadDigest");
  const auto done = complete(id, {{1, a.text("ETag")}, {2, b}});
  EXPECT_EQ(done.text("ChecksumSHA256"), base::base64(base::sha256(base::sha256(a_) + base::sha256(b_))) + "-2");
}

TEST_F(S3Uploads, LeaveNothingBehindWhenACrashComesBetween) {
  const auto id = begin();
  const auto a = part(id, 1, b_).text("ETag");
  const auto uploads = folder_ / "portal" / "uploads";
  std::filesystem::copy(uploads / id, folder_ / "saved", std::filesystem::copy_options::recursive);
  ASSERT_EQ(complete(id, {{1, a}}).code, "");
  // The object has its name, and the upload is still there: as if the power had gone in between.
  std::filesystem::copy(folder_ / "saved", uploads / id, std::filesystem::copy_options::recursive);
  std::filesystem::remove_all(folder_ / "saved");
  start();
  EXPECT_EQ(unfinished(), 0u);
  EXPECT_EQ(get("large").body, b_);
  // Bytes of a part that did not all come, and an upload that was about to begin.
  std::filesystem::create_directories(uploads / "half");
  ASSERT_TRUE(base::replace_file(folder_ / "portal" / "blobs" / "00aa", "half of a part", 0600));
  start();
  EXPECT_EQ(files(), 3u);
  EXPECT_EQ(unfinished(), 0u);
}

}  // namespace
}  // namespace securebase::objects
