#include "gateway/routes.h"

#include <fmt/format.h>

#include <algorithm>

namespace securebase::gateway {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

enum class SegmentKind { kExact, kParameter, kGreedy };

struct Segment {
  SegmentKind kind = SegmentKind::kExact;
  std::string_view text;  // the name, without braces, of a parameter
};

Result<Segment> read_segment(std::string_view text, std::string_view whole) {
  const auto wrong = [&](const char* why) {
    return Error{Errc::kMalformed, fmt::format("\"{}\" is no resource path: {}", whole, why)};
  };
  if (text.empty()) return wrong("a segment is empty");
  if (text.front() != '{') {
    if (text.find_first_of("{}") != std::string_view::npos) return wrong("a parameter is a whole segment");
    return Segment{SegmentKind::kExact, text};
  }
  if (text.back() != '}') return wrong("a parameter is a whole segment");
  auto name = text.substr(1, text.size() - 2);
  const bool greedy = name.ends_with('+');
  if (greedy) name.remove_suffix(1);
  if (name.empty() || name.find_first_of("{}+") != std::string_view::npos) return wrong("a parameter has a name");
  return Segment{greedy ? SegmentKind::kGreedy : SegmentKind::kParameter, name};
}

Result<std::vector<Segment>> read_template(std::string_view path) {
  const auto whole = path;
  if (path.empty() || path.front() != '/') {
    return Error{Errc::kMalformed, fmt::format("\"{}\" is no resource path: it begins with '/'", whole)};
  }
  path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  std::vector<Segment> segments;
  std::size_t parameters = 0;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    auto segment = read_segment(path.substr(0, end), whole);
    if (!segment) return segment.error();
    path.remove_prefix(std::min(end + 1, path.size()));
    if (segment->kind == SegmentKind::kGreedy && !path.empty()) {
      return Error{Errc::kMalformed,
                   fmt::format("\"{}\" is no resource path: {{{}+}} is its last segment", whole, segment->text)};
    }
    parameters += segment->kind != SegmentKind::kExact;
    segments.push_back(*segment);
  }
  if (parameters > Routes::kParameters) {
    return Error{Errc::kLimit, fmt::format("\"{}\" has more than {} parameters", whole, Routes::kParameters)};
  }
  return segments;
}

}  // namespace

struct Routes::Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> exact;  // sorted by name
  std::unique_ptr<Node> parameter;
  std::size_t resource = kNone;
  std::size_t greedy = kNone;

  Node* child(std::string_view name) const {
    const auto at = std::lower_bound(exact.begin(), exact.end(), name,
                                     [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
    return at != exact.end() && at->first == name ? at->second.get() : nullptr;
  }

  Node& make_child(const Segment& segment) {
    if (segment.kind == SegmentKind::kParameter) {
      if (!parameter) parameter = std::make_unique<Node>();
      return *parameter;
    }
    const auto at = std::lower_bound(exact.begin(), exact.end(), segment.text,
                                     [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
    if (at != exact.end() && at->first == segment.text) return *at->second;
    return *exact.emplace(at, std::string(segment.text), std::make_unique<Node>())->second;
  }

  // `rest` is what stands behind the last '/', and `ended` that there is no further segment. Depth is bounded by the
  // templates', and each level tries at most two branches of which only templates that exist go on.
  bool find(std::string_view rest, bool ended, const Accepts& wanted, Found& found) const {
    if (ended || rest.empty()) {
      if (resource == kNone || !wanted.accepts(resource)) return false;
      found.resource = resource;
      return true;
    }
    const auto end = rest.find('/');
    const auto segment = rest.substr(0, end);
    const bool last = end == std::string_view::npos;
    const auto behind = last ? std::string_view() : rest.substr(end + 1);
    if (const Node* next = child(segment); next && next->find(behind, last, wanted, found)) return true;
    if (parameter && !segment.empty()) {
      const auto depth = found.parameter_count;
      found.values[found.parameter_count++] = segment;
      if (parameter->find(behind, last, wanted, found)) return true;
      found.parameter_count = depth;
    }
    if (greedy != kNone && wanted.accepts(greedy)) {
      found.values[found.parameter_count++] = rest.substr(0, rest.size() - (rest.ends_with('/') ? 1 : 0));
      found.resource = greedy;
      return true;
    }
    return false;
  }
};

Routes::Routes() : root_(std::make_unique<Node>()) {}
Routes::~Routes() = default;
Routes::Routes(Routes&&) noexcept = default;
Routes& Routes::operator=(Routes&&) noexcept = default;

Result<Done> Routes::add(std::string_view path_template, std::size_t resource) {
  auto segments = read_template(path_template);
  if (!segments) return segments.error();
  Node* node = root_.get();
  const bool greedy = !segments->empty() && segments->back().kind == SegmentKind::kGreedy;
  if (greedy) segments->pop_back();
  for (const auto& segment : *segments) node = &node->make_child(segment);
  auto& slot = greedy ? node->greedy : node->resource;
  if (slot != kNone) {
    return Error{Errc::kConflict, fmt::format("\"{}\" takes the same paths as another resource", path_template)};
  }
  slot = resource;
  return Done{};
}

std::optional<Routes::Found> Routes::find(std::string_view path, const Accepts& wanted) const {
  Found found;
  if (path.empty() || path.front() != '/') return std::nullopt;
  if (!root_->find(path.substr(1), false, wanted, found)) return std::nullopt;
  return found;
}

Result<std::vector<std::string>> parameter_names(std::string_view path_template) {
  auto segments = read_template(path_template);
  if (!segments) return segments.error();
  std::vector<std::string> names;
  for (const auto& segment : *segments) {
    if (segment.kind != SegmentKind::kExact) names.emplace_back(segment.text);
  }
  return names;
}

}  // namespace securebase::gateway
