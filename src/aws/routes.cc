#include "aws/routes.h"

#include <algorithm>
#include <tuple>

#include "base/encoding.h"

namespace securebase::aws {

namespace {

constexpr std::size_t kMaxSegments = 32;  // of paths without a greedy label; the longest model path has ten

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  while (!path.empty() && segments.size() <= kMaxSegments) {
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return segments;
}

// What stands behind the first `count` segments.
std::string_view rest_behind(std::string_view path, std::size_t count) {
  if (path.starts_with('/')) path.remove_prefix(1);
  for (; count > 0; --count) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return {};
    path.remove_prefix(slash + 1);
  }
  return path;
}

}  // namespace

Routes::Routes(const Service& service) : query_tells_apart_(service.name == "s3") {
  for (const auto& operation : service.operations) routes_.push_back(parse(operation));
}

Routes::Route Routes::parse(const Operation& operation) {
  Route route{&operation, {}, {}, 0, false};
  const auto question = std::min(operation.uri.find('?'), operation.uri.size());
  for (const auto segment : split(operation.uri.substr(0, question))) {
    if (segment.starts_with('{') && segment.ends_with("+}")) {
      route.segments.push_back({segment.substr(1, segment.size() - 3), Segment::Kind::kGreedy});
      route.greedy = true;
    } else if (segment.starts_with('{') && segment.ends_with('}')) {
      route.segments.push_back({segment.substr(1, segment.size() - 2), Segment::Kind::kLabel});
    } else {
      route.segments.push_back({segment, Segment::Kind::kLiteral});
      ++route.literals;
    }
  }
  auto query = parse_form(operation.uri.substr(std::min(question + 1, operation.uri.size())));
  if (query) route.query = std::move(*query);
  std::erase_if(route.query, [](const Parameter& one) { return one.name == "x-id"; });
  return route;
}

bool Routes::matches(const Route& route, const std::vector<std::string_view>& segments, std::string_view path) {
  if (!route.greedy && segments.size() != route.segments.size()) return false;
  if (segments.size() < route.segments.size()) return false;
  for (std::size_t i = 0; i < route.segments.size(); ++i) {
    switch (route.segments[i].kind) {
      case Segment::Kind::kLiteral:
        if (segments[i] != route.segments[i].text) return false;
        break;
      case Segment::Kind::kLabel:
        if (segments[i].empty()) return false;
        break;
      case Segment::Kind::kGreedy:
        return !rest_behind(path, i).empty();
    }
  }
  return true;
}

std::optional<Routes::Found> Routes::find(std::string_view method, std::string_view path,
                                          const std::vector<Parameter>& query, const http::Headers& headers) const {
  const auto segments = split(path);
  const Route* best = nullptr;
  // More literals, no greedy label, more of the query that tells operations apart; then fewer required members that are
  // not there, and more that are.
  using Fit = std::tuple<std::size_t, bool, std::size_t, int, int>;
  Fit best_fit;
  for (const auto& route : routes_) {
    if (route.operation->method != method || !matches(route, segments, path)) continue;
    const bool query_fits = std::all_of(route.query.begin(), route.query.end(), [&query](const Parameter& wanted) {
      const auto* found = find_parameter(query, wanted.name);
      return found && (wanted.value.empty() || *found == wanted.value);
    });
    if (!query_fits) continue;
    int there = 0, missing = 0;
    bool not_meant = false;
    if (const auto* input = route.operation->input) {
      for (const auto& member : input->members) {
        if (!member.required) continue;
        if (member.location == Location::kQuery) {
          const bool given = find_parameter(query, member.wire);
          ++(given ? there : missing);
          not_meant = not_meant || (query_tells_apart_ && !given);
        }
        if (member.location == Location::kHeader) ++(headers.has(member.wire) ? there : missing);
      }
    }
    if (not_meant) continue;
    const Fit fit{route.literals, !route.greedy, route.query.size(), -missing, there};
    if (!best || fit > best_fit) {
      best = &route;
      best_fit = fit;
    }
  }
  if (!best) return std::nullopt;
  Found found{best->operation, {}};
  for (std::size_t i = 0; i < best->segments.size(); ++i) {
    const auto& segment = best->segments[i];
    if (segment.kind == Segment::Kind::kLiteral) continue;
    const auto text = segment.kind == Segment::Kind::kGreedy ? rest_behind(path, i) : segments[i];
    auto decoded = base::percent_decode(text);
    if (!decoded) return std::nullopt;
    found.labels.push_back({std::string(segment.text), std::move(*decoded)});
  }
  return found;
}

bool Routes::knows_path(std::string_view path) const {
  const auto segments = split(path);
  return std::any_of(routes_.begin(), routes_.end(),
                     [&](const Route& route) { return route.literals > 0 && matches(route, segments, path); });
}

}  // namespace securebase::aws
