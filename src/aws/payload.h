// The body of a request, checked while it passes: out of aws-chunked, against the signatures of its chunks, the hash
// that was signed, and the checksums that the client sent.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/checksums.h"
#include "aws/chunked_upload.h"
#include "aws/dialect.h"
#include "net/http/message.h"

namespace securebase::aws {

// What is known before the first byte.
struct PayloadPlan {
  bool chunked = false;
  bool signed_chunks = false;
  bool signed_trailer = false;
  std::string signing_key;  // of signed chunks, as all below
  std::string time;
  std::string scope;
  std::string seed_signature;

  std::string sha256_hex;  // "": not said
  struct Expected {
    Checksum::Algorithm algorithm;
    std::string header;  // "x-amz-checksum-crc32", "content-md5"
    std::string digest;  // raw; "": comes in the trailer
  };
  std::vector<Expected> checksums;
  std::optional<std::uint64_t> decoded_length;
};

// Reads what the headers say, without the signing part. `content_sha256`: x-amz-content-sha256, or "".
// kOfSomethingElse: CompleteMultipartUpload, whose checksum headers are about the object that is to come of it.
enum class ChecksumHeaders { kOfTheBody, kOfSomethingElse };
Result<PayloadPlan, Trouble> plan_payload(const http::Request& request, std::string_view content_sha256,
                                          ChecksumHeaders headers);

class CheckedPayload final : public http::BodyReader {
 public:
  // `body` may be null: no body. It outlives this.
  CheckedPayload(http::BodyReader* body, PayloadPlan plan);
  // kMalformed, with trouble() set, when the end shows that the bytes are not what was said: a handler that gets an
  // error keeps nothing of what came before.
  net::Task<Result<std::string_view>> next() override;
  const std::optional<Trouble>& trouble() const { return trouble_; }

 private:
  struct Running {
    PayloadPlan::Expected expected;
    std::unique_ptr<Checksum> checksum;
  };
  // The next piece out of `rest_`; nullopt: more of the body is needed.
  Result<std::optional<std::string_view>> take_chunked();
  void pass(std::string_view piece);
  bool chunk_is_signed();
  bool trailer_is_signed();
  Result<Done> check_end();
  Error fail(Problem problem, std::string message);

  http::BodyReader* const body_;
  PayloadPlan plan_;
  ChunkedUploadParser parser_;
  std::string_view rest_;  // of the body's last piece
  std::unique_ptr<Checksum> chunk_hash_;
  std::unique_ptr<Checksum> whole_hash_;
  std::vector<Running> running_;
  std::uint64_t passed_ = 0;
  bool ended_ = false;
  std::optional<Trouble> trouble_;
};

}  // namespace securebase::aws
