// A transfer's hops: what each puts on the wire, and what its answer means: cookies, decoding, metrics, and whether a
// redirect or a digest makes another hop. On the user's thread.
#pragma once

#include <string_view>

#include "k6/transfer.h"

namespace securebase::k6 {

class User;

bool has_field(const Fields& fields, std::string_view name);

struct Hops {
  // The next hop. It points into the transfer.
  static HttpRequest next(User& user, const Transfer& t);
  // Takes the answer of a hop, records it, and says whether another hop follows.
  static bool take(User& user, Transfer& t, HttpResponse response);

 private:
  static std::string cookies_for(User& user, const Transfer& t);
  static bool answer_challenge(Transfer& t);
  static bool redirect(Transfer& t);
  static bool expected(User& user, const Transfer& t);
  static void record(User& user, Transfer& t);
};

}  // namespace securebase::k6
