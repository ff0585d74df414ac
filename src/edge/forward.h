// What of a viewer's request is part of the cache key, and what the origin gets to see. What is not keyed and not named
// by a policy does not reach the origin, so that it cannot shape what others are served.
#pragma once

#include <string>
#include <string_view>

#include "edge/config.h"
#include "edge/origin.h"
#include "net/http/message.h"

namespace securebase::edge {

// Credentials that reach the origin without being part of the key: Authorization, Cookie, X-API-Key and the like.
bool forwards_unkeyed_credentials(const Behaviour& behaviour, const http::Headers& viewer);

// Into `key`: whose (empty: everybody's), what, and with which fields. No part can be mistaken for another: line ends
// occur in none of them. With `credentials`, those that are forwarded unkeyed are part of it, as a digest.
enum class Credentials { kLeftOut, kKeyed };
void make_key(const Behaviour& behaviour, std::string_view path, const http::Request& viewer,
              std::string_view principal, Credentials credentials, std::string& key);

// The query parameters that `keyed` takes, as the viewer wrote them, in their order.
void append_query(std::string_view query, const Selection& first, const Selection& second, std::string& out);

OriginRequest make_origin_request(const Behaviour& behaviour, const OriginConfig& origin, std::string_view via,
                                  std::string_view path, const http::Request& viewer);

}  // namespace securebase::edge
