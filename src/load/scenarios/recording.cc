#include "load/scenarios/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace securebase::load {

namespace {

using base::Json;

constexpr std::size_t kMostLineBytes = 64 << 10;

bool is_plain_path(std::string_view path) {
  return path.starts_with('/') && path.size() <= Recording::kMostPathBytes &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Error no_scenario(std::string_view why) {
  return Error{Errc::kMalformed, fmt::format("not a scenario of {}: {}", kScenarioFormat, why)};
}

}  // namespace

bool Recording::read_json(std::string_view text, Line& line) {
  auto json = Json::parse(text);
  if (!json || !json->is_object()) return false;
  const auto& method = (*json)["httpMethod"].is_null() ? (*json)["method"] : (*json)["httpMethod"];
  line.method = method.string_or("");
  line.path = (*json)["path"].string_or("");
  line.endpoint = (*json)["resourcePath"].string_or("");
  // The gateway's format has it in quotes.
  const auto& status = (*json)["status"];
  line.status = status.integer_or(0);
  if (const auto* quoted = status.as_string())
    std::from_chars(quoted->data(), quoted->data() + quoted->size(), line.status);
  return !line.method.empty() && !line.path.empty();
}

// 127.0.0.1 - - [27/Nov/2026:06:00:00 +0000] "GET /path HTTP/1.1" 200 12
bool Recording::read_common(std::string_view text, Line& line) {
  const auto open = text.find('"');
  if (open == std::string_view::npos) return false;
  const auto close = text.find('"', open + 1);
  if (close == std::string_view::npos) return false;
  const auto request = text.substr(open + 1, close - open - 1);
  const auto first = request.find(' ');
  const auto last = request.rfind(' ');
  if (first == std::string_view::npos || last == first || !request.substr(last + 1).starts_with("HTTP/")) return false;
  line.method = request.substr(0, first);
  line.path = request.substr(first + 1, last - first - 1);
  auto rest = text.substr(close + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  std::from_chars(rest.data(), rest.data() + rest.size(), line.status);
  return true;
}

void Recording::add(std::string_view text) {
  Line line;
  const bool fits = text.size() <= kMostLineBytes;
  if (!fits || (!(text.starts_with('{') && read_json(text, line)) && !read_common(text, line))) {
    ++not_understood_;
    return;
  }
  auto path = without_secrets(line.path);
  // "/prod" is the front of "/prod/v1", not of "/products".
  const bool has_front = !strip_.empty() && path.starts_with(strip_) &&
                         (path.size() == strip_.size() || strip_.ends_with('/') || path[strip_.size()] == '/');
  if (has_front) path.erase(0, strip_.size() - (strip_.ends_with('/') ? 1 : 0));
  if (path.empty()) path = "/";
  const bool safe = line.method == "GET" || line.method == "HEAD";
  if (!safe || line.status >= 400 || !is_plain_path(path)) {
    ++left_out_;
    return;
  }
  auto key = std::pair(line.method, std::move(path));
  auto found = asked_.find(key);
  if (found == asked_.end()) {
    if (asked_.size() == kMostPaths) {
      ++left_out_;
      return;
    }
    auto endpoint = is_plain_path(line.endpoint) ? without_secrets(line.endpoint) : key.second;
    found = asked_.emplace(std::move(key), Asked{std::move(endpoint), 0}).first;
  }
  ++found->second.count;
  ++taken_;
}

Json Recording::scenario() const {
  std::vector<std::pair<std::uint64_t, Json>> requests;
  for (const auto& [key, asked] : asked_) {
    requests.emplace_back(
        asked.count,
        Json::object(
            {{"method", key.first}, {"path", key.second}, {"endpoint", asked.endpoint}, {"weight", asked.count}}));
  }
  std::stable_sort(requests.begin(), requests.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  auto list = Json::array();
  for (auto& [count, request] : requests) list.push_back(std::move(request));
  return Json::object(
      {{"format", kScenarioFormat}, {"taken", taken_}, {"left_out", left_out_}, {"requests", std::move(list)}});
}

Result<std::vector<HttpStep>> steps_of(const Json& scenario, const Url& base, const HeaderList& headers) {
  if (scenario["format"].string_or("") != kScenarioFormat)
    return no_scenario("a file that `securebase load record` wrote");
  const auto* requests = scenario["requests"].as_array();
  if (!requests || requests->empty() || requests->size() > Recording::kMostPaths) {
    return no_scenario("it needs 1 to 1000 requests");
  }
  const auto prefix = base.target == "/" ? std::string{} : base.target.substr(0, base.target.find('?'));
  std::vector<HttpStep> steps;
  for (const auto& one : *requests) {
    const auto path = one["path"].string_or("");
    const double weight = one["weight"].number_or(0);
    if (!is_plain_path(path) || !(weight > 0)) return no_scenario("a request has a path and a weight");
    Url url = base;
    url.target = (prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix) + std::string(path);
    auto request = make_request(one["method"].string_or("GET"), url, headers);
    if (!request) return request.error();
    HttpStep step;
    step.request = std::move(*request);
    step.weight = weight;
    step.endpoint = one["endpoint"].string_or(path);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace securebase::load
