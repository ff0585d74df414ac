// A response as it is kept: immutable, shared by all workers, whole. What depends on the moment (Age, X-Cache, Date) is
// added when it is sent; everything else lies ready as bytes, once per encoding.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/http/message.h"
#include "store/freshness.h"
#include "store/tags.h"

namespace securebase::store {

enum class Encoding { kIdentity, kGzip, kBrotli };
inline constexpr std::size_t kEncodings = 3;

struct StoredResponse {
  enum class Kind {
    kWhole,
    // Stands at the key of a resource whose responses differ by request fields: `vary` names them, the responses lie
    // under vary_key().
    kVary,
    // The last answer could not be stored: requests do not wait for each other until this expires.
    kUncacheable,
  };

  Kind kind = Kind::kWhole;
  int status = 200;
  // By Encoding; null: not made yet. kIdentity is always there, and is what the origin sent (which may bear a
  // Content-Encoding of its own; then there are no others).
  std::array<std::shared_ptr<const http::PreparedResponse>, kEncodings> variants;
  bool compressible = false;  // others may be made

  // When the value was made: the moment of arrival less the age that it came with. Age counts from here, through all
  // caches (RFC 9111 §4.2.3).
  base::SteadyPoint born;
  base::SteadyPoint fresh_until;
  seconds stale_while_revalidate{0};
  seconds stale_if_error{0};
  bool must_revalidate = false;

  std::string etag;
  std::string last_modified;
  std::vector<std::string> vary;  // lower case, sorted, without accept-encoding
  // Whose it is; "" is everybody's. Also in the key: this one is compared as a second lock on the same door.
  std::string principal;
  Labels labels;

  seconds age(base::SteadyPoint now) const;
  bool fresh(base::SteadyPoint now) const { return now < fresh_until; }
  // All memory that it holds, truthfully, without the key.
  std::size_t bytes() const;

  const http::PreparedResponse& identity() const { return *variants[0]; }
};

// `key` with the values that the request has for the fields that `vary` names.
std::string vary_key(std::string_view key, const std::vector<std::string>& vary, const http::Headers& request);
// The names in the Vary lines, in lower case, sorted, each once, without accept-encoding; {"*"} if one is "*".
std::vector<std::string> vary_names(const http::Headers& response);

// The same response with one encoding more. Null if `stored` has it or does not want it.
std::shared_ptr<const StoredResponse> with_encoding(const StoredResponse& stored, Encoding encoding);
// The same response after the origin said 304: new fields, new times (RFC 9111 §3.2, §4.3.4).
std::shared_ptr<const StoredResponse> refreshed(const StoredResponse& stored, const http::Headers& fields,
                                                const Freshness& freshness, base::SteadyPoint now, seconds age,
                                                Labels labels);

}  // namespace securebase::store
