#include "notify/envelope.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <filesystem>

#include "base/encoding.h"
#include "base/file.h"
#include "base/random.h"

namespace securebase::notify {
namespace {

namespace fs = std::filesystem;

class EnvelopeTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() / ("notify-signer-" + base::random_hex(12));
    authority_ = *net::make_authority("A local authority");
    auto opened = Signer::open(directory_, authority_);
    ASSERT_TRUE(opened) << opened.error().message;
    signer_ = std::move(*opened);
    message_.id = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324";
    message_.topic_arn = "arn:aws:sns:us-west-2:123456789012:MyTopic";
    message_.subject = "My First Message";
    message_.text = "Hello world!";
    message_.published = base::TimePoint{std::chrono::milliseconds{1'335'924'014'655}};
  }
  void TearDown() override { fs::remove_all(directory_); }

  Envelope envelope(int version = 1) const {
    return {message_, message_.text, message_.topic_arn + ":c9135db0", version};
  }

  // As a receiver does it: the certificate, and the string.
  bool verifies(std::string_view signature, std::string_view text, const EVP_MD* digest) {
    const auto pem = *signer_->certificate(signer_->certificate_name());
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    EVP_PKEY* key = X509_get_pubkey(certificate);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    const auto bytes = base::from_base64(signature).value_or("");
    const bool good = EVP_DigestVerifyInit(context, nullptr, digest, nullptr, key) == 1 &&
                      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    X509_free(certificate);
    BIO_free(bio);
    return good;
  }

  fs::path directory_;
  net::Authority authority_;
  std::unique_ptr<Signer> signer_;
  Message message_;
  const Links links_{"http://127.0.0.1:4566/"};
};

constexpr std::string_view kCanonical =
    "Message\nHello world!\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubject\nMy First Message\nTimestamp\n"
    "2012-05-02T02:00:14.655Z\nTopicArn\narn:aws:sns:us-west-2:123456789012:MyTopic\nType\nNotification\n";

TEST_F(EnvelopeTest, SignsTheCanonicalStringOfANotification) {
  EXPECT_EQ(canonical_string(envelope(), links_), kCanonical);
  message_.subject.reset();
  EXPECT_EQ(canonical_string(envelope(), links_).find("Subject"), std::string::npos);
}

TEST_F(EnvelopeTest, SignsTheCanonicalStringOfAConfirmation) {
  message_.kind = Message::Kind::kSubscriptionConfirmation;
  message_.token = "t0";
  EXPECT_EQ(
      canonical_string(envelope(), links_),
      "Message\nHello world!\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubscribeURL\n"
      "http://127.0.0.1:4566/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:MyTopic&Token=t0"
      "\nTimestamp\n2012-05-02T02:00:14.655Z\nToken\nt0\nTopicArn\narn:aws:sns:us-west-2:123456789012:MyTopic\n"
      "Type\nSubscriptionConfirmation\n");
}

TEST_F(EnvelopeTest, CarriesASignatureThatItsCertificateVerifies) {
  const auto one = *base::Json::parse(http_body(envelope(1), links_, *signer_));
  EXPECT_TRUE(verifies(one["Signature"].string_or(""), kCanonical, EVP_sha1()));
  EXPECT_FALSE(verifies(one["Signature"].string_or(""), "something else", EVP_sha1()));
  const auto two = *base::Json::parse(http_body(envelope(2), links_, *signer_));
  EXPECT_EQ(two["SignatureVersion"].string_or(""), "2");
  EXPECT_TRUE(verifies(two["Signature"].string_or(""), kCanonical, EVP_sha256()));
  EXPECT_EQ(one["SigningCertURL"].string_or(""), "http://127.0.0.1:4566/" + signer_->certificate_name());
}

TEST_F(EnvelopeTest, LooksAsSnsWritesIt) {
  message_.attributes = {{"n", {"Number", "1"}}, {"b", {"Binary", "\x01"}}};
  const auto body = http_body(envelope(), links_, *signer_);
  const auto json = *base::Json::parse(body);
  std::string expected =
      "{\n  \"Type\" : \"Notification\",\n  \"MessageId\" : \"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\",\n"
      "  \"TopicArn\" : \"arn:aws:sns:us-west-2:123456789012:MyTopic\",\n  \"Subject\" : \"My First Message\",\n"
      "  \"Message\" : \"Hello world!\",\n  \"Timestamp\" : \"2012-05-02T02:00:14.655Z\",\n"
      "  \"SignatureVersion\" : \"1\",\n  \"Signature\" : \"" +
      std::string(json["Signature"].string_or("")) + "\",\n  \"SigningCertURL\" : \"http://127.0.0.1:4566/" +
      signer_->certificate_name() +
      "\",\n  \"UnsubscribeURL\" : \"http://127.0.0.1:4566/?Action=Unsubscribe&SubscriptionArn="
      "arn:aws:sns:us-west-2:123456789012:MyTopic:c9135db0\",\n  \"MessageAttributes\" : "
      "{\"b\":{\"Type\":\"Binary\",\"Value\":\"AQ==\"},\"n\":{\"Type\":\"Number\",\"Value\":\"1\"}}\n}";
  EXPECT_EQ(body, expected);
}

TEST_F(EnvelopeTest, ReachesFunctionsAsSnssEvent) {
  message_.subject.reset();
  const auto json = *base::Json::parse(function_event(envelope(), links_, *signer_));
  const auto& record = (*json["Records"].as_array())[0];
  EXPECT_EQ(record["EventSource"].string_or(""), "aws:sns");
  EXPECT_EQ(record["EventSubscriptionArn"].string_or(""), message_.topic_arn + ":c9135db0");
  EXPECT_TRUE(record["Sns"].find("Subject")->is_null());
  EXPECT_EQ(record["Sns"]["Message"].string_or(""), "Hello world!");
  EXPECT_TRUE(record["Sns"]["MessageAttributes"].is_object());
}

TEST_F(EnvelopeTest, KeepsItsKeyAndServesCertificatesOfBefore) {
  const auto before = signer_->certificate_name();
  signer_ = *Signer::open(directory_, authority_);
  EXPECT_EQ(signer_->certificate_name(), before);
  signer_ = *Signer::open(directory_, *net::make_authority("Another authority"));
  EXPECT_NE(signer_->certificate_name(), before);
  EXPECT_TRUE(signer_->certificate(before));
  for (const char* name : {"key.pem", "../key.pem", "SimpleNotificationService-../../../../../../../etc/pw.pem"}) {
    EXPECT_FALSE(signer_->certificate(name)) << name;
  }
  EXPECT_EQ(fs::status(directory_ / "key.pem").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace
}  // namespace securebase::notify
