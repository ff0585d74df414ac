// Which operation of a REST service a method and a path mean: "/2015-03-31/functions/{FunctionName}/invocations",
// "/{Bucket}/{Key+}?uploads". Constant after construction, any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/form.h"
#include "aws/model.h"
#include "net/http/message.h"

namespace securebase::aws {

class Routes {
 public:
  explicit Routes(const Service& service);

  struct Found {
    const Operation* operation = nullptr;
    std::vector<Parameter> labels;  // by their wire names, decoded
  };
  // Among operations that share a path (S3 has many), the one whose query and required members fit best.
  // `path` begins with '/' and is not decoded.
  std::optional<Found> find(std::string_view method, std::string_view path, const std::vector<Parameter>& query,
                            const http::Headers& headers) const;
  // Whether any operation has such a path, whatever the method.
  bool knows_path(std::string_view path) const;

 private:
  struct Segment {
    std::string_view text;  // literal, or the label's name
    enum class Kind { kLiteral, kLabel, kGreedy } kind = Kind::kLiteral;
  };
  struct Route {
    const Operation* operation = nullptr;
    std::vector<Segment> segments;
    std::vector<Parameter> query;  // that has to be there; an empty value is any
    std::size_t literals = 0;
    bool greedy = false;
  };
  static Route parse(const Operation& operation);
  static bool matches(const Route& route, const std::vector<std::string_view>& segments, std::string_view path);

  std::vector<Route> routes_;
  // Of S3, whose operations share their paths: a required member of the query is what tells one from another, and a
  // request without it is not for that one. Elsewhere it is a member that is missing.
  bool query_tells_apart_ = false;
};

}  // namespace securebase::aws
