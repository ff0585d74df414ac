// How each service words what goes wrong before an operation is reached: the same wrong signature is
// SignatureDoesNotMatch in CloudFront and InvalidSignatureException in DynamoDB, and clients match on these words.
#pragma once

#include <string>
#include <vector>

#include "aws/aws.h"
#include "aws/complaint.h"
#include "aws/model.h"

namespace securebase::aws {

enum class Problem {
  kNotSigned,             // and has to be
  kIncompleteSignature,   // what stands there cannot be checked
  kUnsupportedSignature,  // another algorithm
  kUnknownKey,
  kBadToken,      // X-Amz-Security-Token is not the one of that key
  kExpiredToken,  // temporary credentials whose time is over
  kWrongSignature,
  kSkewed,       // signed too long ago or too far ahead
  kLinkExpired,  // a presigned URL after its time
  kHeadersNotSigned,
  kPayloadHashMismatch,
  kChecksumMismatch,
  kIncompleteBody,
  kTooLarge,
  kUnknownOperation,
  kNotBuilt,
  kBusy,
  kInternal,
};

struct Trouble {
  Problem problem = Problem::kInternal;
  std::string message;
  Value members;  // further members of the error: S3's StringToSign
};

// `service` may be null: nothing is known of the call.
Fault fault_of(const Service* service, Trouble trouble);
// Of an input that the model does not accept. Never empty.
Fault fault_of(const Service& service, const std::vector<Complaint>& complaints);

}  // namespace securebase::aws
