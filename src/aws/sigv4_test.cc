// The examples of AWS's own documentation:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, sigv4-query-string-auth.html,
// sigv4-streaming.html, sigv4-streaming-trailers.html, and the Signature Version 4 test suite.
#include "aws/sigv4.h"

#include <gtest/gtest.h>

#include "aws/payload.h"
#include "aws/test_support.h"
#include "base/encoding.h"

namespace securebase::aws {
namespace {

constexpr std::string_view kS3Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

// The signature that belongs to a request whose Authorization is given, computed anew.
std::string signature_of(TestRequest& request, std::string_view secret, std::string_view payload_hash, PathForm form) {
  auto query = parse_form(request.request.query);
  EXPECT_TRUE(query);
  auto authorization = parse_authorization(request.request, *query);
  EXPECT_TRUE(authorization) << authorization.error().message;
  EXPECT_TRUE(authorization->has_value());
  const auto& found = **authorization;
  const auto canonical = canonical_request(request.request, *query, found, payload_hash, form);
  return sign(signing_key(secret, found.date, found.region, found.service), string_to_sign(found, canonical));
}

std::string header(std::string_view scope, std::string_view signed_headers, std::string_view signature) {
  return "AWS4-HMAC-SHA256 Credential=" + std::string(scope) + ",SignedHeaders=" + std::string(signed_headers) +
         ",Signature=" + std::string(signature);
}

constexpr std::string_view kS3Scope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

TEST(SigV4, SignsTheExamplesOfAmazonS3) {
  struct Example {
    std::string method, target, signature, signed_headers;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string payload_hash{kEmptyPayloadHash};
  };
  const std::vector<Example> examples = {
      {"GET",
       "/test.txt",
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
       "host;range;x-amz-content-sha256;x-amz-date",
       {{"Range", "bytes=0-9"}}},
      {"PUT",
       "/test$file.text",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
       "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
      {"GET",
       "/?lifecycle",
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
       "host;x-amz-content-sha256;x-amz-date",
       {}},
      {"GET",
       "/?max-keys=2&prefix=J",
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
       "host;x-amz-content-sha256;x-amz-date",
       {}},
  };
  for (const auto& example : examples) {
    TestRequest request(example.method, example.target);
    request.header("Host", "examplebucket.s3.amazonaws.com");
    request.header("x-amz-date", "20130524T000000Z");
    request.header("x-amz-content-sha256", example.payload_hash);
    for (const auto& [name, value] : example.headers) request.header(name, value);
    request.header("Authorization", header(kS3Scope, example.signed_headers, example.signature));
    EXPECT_EQ(signature_of(request, kS3Secret, example.payload_hash, PathForm::kS3), example.signature)
        << example.target;
  }
}

TEST(SigV4, SignsThePresignedExampleOfAmazonS3) {
  const std::string signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
  TestRequest request(
      "GET",
      "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
      "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders="
      "host&X-Amz-Signature=" +
          signature);
  request.header("Host", "examplebucket.s3.amazonaws.com");
  EXPECT_EQ(signature_of(request, kS3Secret, kUnsignedPayload, PathForm::kS3), signature);
}

TEST(SigV4, SignsTheExamplesOfOtherServices) {
  EXPECT_EQ(base::hex(signing_key(kSecret, "20150830", "us-east-1", "iam")),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
  const std::string list_users = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
  TestRequest iam("GET", "/?Action=ListUsers&Version=2010-05-08");
  iam.header("Host", "iam.amazonaws.com");
  iam.header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  iam.header("X-Amz-Date", "20150830T123600Z");
  iam.header("Authorization",
             header("AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request", "content-type;host;x-amz-date", list_users));
  EXPECT_EQ(signature_of(iam, kSecret, kEmptyPayloadHash, PathForm::kOthers), list_users);

  const std::string vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
  // The suite's get-vanilla, get-relative and get-slash-dot-slash are one request after normalisation.
  for (const auto* path : {"/", "/example/..", "/./", "//"}) {
    TestRequest request("GET", path);
    request.header("Host", "example.amazonaws.com");
    request.header("X-Amz-Date", "20150830T123600Z");
    request.header("Authorization",
                   header("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request", "host;x-amz-date", vanilla));
    EXPECT_EQ(signature_of(request, kSecret, kEmptyPayloadHash, PathForm::kOthers), vanilla) << path;
  }
}

std::string chunked_example() {
  return "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
         std::string(65536, 'a') +
         "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
         std::string(1024, 'a') +
         "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
}

PayloadPlan chunked_plan() {
  PayloadPlan plan;
  plan.chunked = plan.signed_chunks = true;
  plan.signing_key = signing_key(kS3Secret, "20130524", "us-east-1", "s3");
  plan.time = "20130524T000000Z";
  plan.scope = "20130524/us-east-1/s3/aws4_request";
  plan.seed_signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
  plan.decoded_length = 66560;
  return plan;
}

TEST(SigV4, ChecksTheChunksOfTheStreamingExampleHoweverTheyAreCut) {
  for (const std::size_t piece : {1, 7, 86, 4096, 1 << 20}) {
    PiecedBody body(chunked_example(), piece);
    CheckedPayload payload(&body, chunked_plan());
    auto read = run(http::read_all(payload, 1 << 20));
    ASSERT_TRUE(read) << read.error().message << " in pieces of " << piece;
    EXPECT_EQ(*read, std::string(66560, 'a'));
  }
}

TEST(SigV4, RefusesAChunkThatWasChangedLeftOutOrCutOff) {
  const auto trouble_of = [](std::string bytes) {
    PiecedBody body(std::move(bytes), 1000);
    CheckedPayload payload(&body, chunked_plan());
    EXPECT_FALSE(run(http::read_all(payload, 1 << 20)));
    return payload.trouble() ? payload.trouble()->problem : Problem::kInternal;
  };
  auto changed = chunked_example();
  changed[60'000] = 'b';
  EXPECT_EQ(trouble_of(changed), Problem::kWrongSignature);
  auto without_second = chunked_example();
  const auto second = without_second.find("400;");
  without_second.erase(second, without_second.find("0;chunk", second + 4) - second);
  EXPECT_EQ(trouble_of(without_second), Problem::kWrongSignature);
  EXPECT_EQ(trouble_of(chunked_example().substr(0, 66'000)), Problem::kIncompleteBody);
  EXPECT_EQ(trouble_of(chunked_example() + "more"), Problem::kIncompleteBody);
}

// The example of sigv4-streaming-trailers.html. Computed anew with Python's hmac and hashlib, by the algorithm of that
// page, it gives the seed, the three chunks and the trailer below; crc32c of 66560 times "a" is sOO8/Q== in base64.
//
//   k = hmac(hmac(hmac(hmac("AWS4" + secret, "20130524"), "us-east-1"), "s3"), "aws4_request")
//   chunk = hmac(k, "AWS4-HMAC-SHA256-PAYLOAD\n" time "\n" scope "\n" previous "\n" sha256("") "\n" sha256(data))
//   trailer = hmac(k, "AWS4-HMAC-SHA256-TRAILER\n" time "\n" scope "\n" previous "\n" sha256("name:value\n"))
constexpr std::string_view kTrailerSeed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";

std::string trailer_example(std::string_view checksum = "sOO8/Q==") {
  return "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" +
         std::string(65536, 'a') +
         "\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
         std::string(1024, 'a') +
         "\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
         "x-amz-checksum-crc32c:" + std::string(checksum) +
         "\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
}

TestRequest trailer_request() {
  TestRequest request("PUT", "/examplebucket/chunkObject.txt");
  request.header("Host", "s3.amazonaws.com");
  request.header("x-amz-date", "20130524T000000Z");
  request.header("x-amz-storage-class", "REDUCED_REDUNDANCY");
  request.header("Content-Encoding", "aws-chunked");
  request.header("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
  request.header("x-amz-decoded-content-length", "66560");
  request.header("x-amz-trailer", "x-amz-checksum-crc32c");
  request.header("Content-Length", "66946");
  request.header("Authorization",
                 header(kS3Scope,
                        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
                        "x-amz-storage-class;x-amz-trailer",
                        kTrailerSeed));
  return request;
}

// As the front fills it: what the headers say, and the claim.
PayloadPlan trailer_plan(const TestRequest& request) {
  auto plan = plan_payload(request.request, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", ChecksumHeaders::kOfTheBody);
  EXPECT_TRUE(plan);
  const auto claim = chunked_plan();
  plan->signing_key = claim.signing_key;
  plan->time = claim.time;
  plan->scope = claim.scope;
  plan->seed_signature = kTrailerSeed;
  return std::move(*plan);
}

TEST(SigV4, ChecksTheSignedTrailerOfTheExampleHoweverItIsCut) {
  auto request = trailer_request();
  EXPECT_EQ(signature_of(request, kS3Secret, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", PathForm::kS3),
            kTrailerSeed);
  for (const std::size_t piece : {1, 7, 86, 4096, 1 << 20}) {
    PiecedBody body(trailer_example(), piece);
    CheckedPayload payload(&body, trailer_plan(request));
    auto read = run(http::read_all(payload, 1 << 20));
    ASSERT_TRUE(read) << read.error().message << " in pieces of " << piece;
    EXPECT_EQ(*read, std::string(66560, 'a'));
  }
}

TEST(SigV4, RefusesATrailerThatWasChangedLeftOutOrIsNotSigned) {
  auto request = trailer_request();
  const auto trouble_of = [&](std::string bytes) {
    PiecedBody body(std::move(bytes), 1000);
    CheckedPayload payload(&body, trailer_plan(request));
    EXPECT_FALSE(run(http::read_all(payload, 1 << 20)));
    return payload.trouble() ? payload.trouble()->problem : Problem::kInternal;
  };
  EXPECT_EQ(trouble_of(trailer_example("sOO8/A==")), Problem::kWrongSignature);
  auto unsigned_trailer = trailer_example();
  const auto at = unsigned_trailer.find("x-amz-trailer-signature");
  unsigned_trailer.erase(at, unsigned_trailer.find("\r\n", at) + 2 - at);
  EXPECT_EQ(trouble_of(unsigned_trailer), Problem::kWrongSignature);
  auto without = trailer_example();
  const auto begin = without.find("x-amz-checksum");
  without.erase(begin, without.find("x-amz-trailer-signature") - begin);
  EXPECT_EQ(trouble_of(without), Problem::kWrongSignature);
  EXPECT_EQ(trouble_of(trailer_example().substr(0, trailer_example().size() - 2)), Problem::kIncompleteBody);
}

}  // namespace
}  // namespace securebase::aws
