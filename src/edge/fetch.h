// A fetch: what fetch.cc sends to the origin and follow.cc waits for.
#pragma once

#include <memory>
#include <string>

#include "edge/engine.h"

namespace securebase::edge {

// All that a fetch needs, without the viewer.
struct Fetch {
  std::shared_ptr<const Live> live;
  const Distribution* distribution;
  const Behaviour* behaviour;
  Origin* origin;
  std::string key;
  std::string flight_key;  // with the values of Vary, when they were known before
  std::string path;        // of the viewer, for paths' invalidation
  std::string keyed_query;
  std::string principal;
  OriginRequest request;
  http::Headers viewer;  // for Vary
  Caller caller;
  bool credentials = false;
  bool revalidates = false;
  store::Encoding wanted = store::Encoding::kIdentity;
  std::shared_ptr<const store::StoredResponse> stale;
};

// What the body of a response that goes straight through still needs: its request, and the configuration.
struct Passing final : http::BodyReader {
  Passing(std::unique_ptr<http::BodyReader> inner, std::shared_ptr<void> kept)
      : kept(std::move(kept)), inner(std::move(inner)) {}
  net::Task<Result<std::string_view>> next() override { return inner->next(); }
  const std::shared_ptr<void> kept;
  std::unique_ptr<http::BodyReader> inner;
};

// May the bytes of such a response be compressed here?
bool is_compressible(const Behaviour& behaviour, int status, const http::Headers& headers,
                     std::optional<std::uint64_t> length);

void add_cors(const Behaviour& behaviour, const http::Request& request, const http::Headers& present,
              http::Headers& headers);

}  // namespace securebase::edge
