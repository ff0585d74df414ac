#include "cli/load_settings.h"

#include <fmt/format.h>

#include <cmath>

#include "base/file.h"
#include "platform/platform.h"

namespace securebase::cli {

namespace {

// Where the running platform answers: its API's health route.
Result<std::string> url_of_platform(const std::filesystem::path& state) {
  auto status = platform::Control(state).ask("/status");
  if (!status) {
    return Error{status.error().code,
                 "no URL was given, and no platform runs here to be asked: " + status.error().message};
  }
  return std::string((*status)["addresses"]["http"].string_or("")) + "/api/v1/health";
}

Result<load::HeaderList> read_headers(const std::vector<std::string>& texts) {
  load::HeaderList headers;
  for (const auto& text : texts) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || colon == 0) {
      return Error{Errc::kMalformed, fmt::format("-H takes \"Name: value\", not \"{}\"", text)};
    }
    headers.emplace_back(text.substr(0, colon), text.substr(colon + 1));
  }
  return headers;
}

Result<load::HttpStep> read_step(const LoadOptions& options, const std::string& address) {
  auto url = load::parse_url(address);
  if (!url) return url.error();
  auto headers = read_headers(options.headers);
  if (!headers) return headers.error();
  if (options.new_connections) headers->emplace_back("Connection", "close");
  std::string body = options.body;
  if (body.starts_with('@')) {
    auto read = base::read_file(body.substr(1));
    if (!read) return read.error();
    body = std::move(*read);
  }
  const std::string usual = body.empty() ? "GET" : "POST";
  auto request = load::make_request(options.method.empty() ? usual : options.method, *url, *headers, std::move(body));
  if (!request) return request.error();
  load::HttpStep step;
  step.request = std::move(*request);
  return step;
}

Result<std::vector<load::HttpStep>> read_steps(const LoadOptions& options, const std::string& address) {
  if (options.scenario.empty()) {
    auto step = read_step(options, address);
    if (!step) return step.error();
    return std::vector<load::HttpStep>{std::move(*step)};
  }
  auto url = load::parse_url(address);
  if (!url) return url.error();
  auto headers = read_headers(options.headers);
  if (!headers) return headers.error();
  if (options.new_connections) headers->emplace_back("Connection", "close");
  auto text = base::read_file(options.scenario);
  if (!text) return text.error();
  auto json = base::Json::parse(*text);
  if (!json) return json.error().within(options.scenario.native());
  auto steps = load::steps_of(*json, *url, *headers);
  if (!steps) return steps.error().within(options.scenario.native());
  return steps;
}

}  // namespace

std::chrono::nanoseconds from_seconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

Result<load::RunSettings> read_settings(const LoadOptions& options, const std::filesystem::path& state) {
  load::RunSettings settings;
  settings.target = options.url;
  if (settings.target.empty()) {
    auto url = url_of_platform(state);
    if (!url) return url.error();
    settings.target = std::move(*url);
  }
  auto steps = read_steps(options, settings.target);
  if (!steps) return steps.error();
  settings.work.steps = std::move(*steps);
  settings.work.think = from_seconds(options.think);
  settings.warm_up = from_seconds(options.warm_up);
  settings.threads = options.threads;
  const auto limit = std::chrono::milliseconds{std::llround(options.timeout * 1000)};
  settings.limits.connect = settings.limits.first_byte = limit;
  settings.limits.whole = 6 * limit;
  settings.tls.verify = !options.insecure;
  if (!options.authorities.empty()) {
    auto pem = base::read_file(options.authorities);
    if (!pem) return pem.error();
    settings.tls.authorities_pem = std::move(*pem);
  }
  if (options.criteria == "guide") settings.thresholds = load::guide_criteria();
  for (const auto& text : options.thresholds) {
    auto threshold = load::parse_threshold(text);
    if (!threshold) return threshold.error();
    settings.thresholds.push_back(std::move(*threshold));
  }
  return settings;
}

}  // namespace securebase::cli
