#include "cli/load_options.h"

#include <fmt/format.h>

#include <array>

#include "cli/options.h"

namespace securebase::cli {

namespace {

// "250ms", "90s", "15m", "1h", "1d" as seconds.
CLI::AsNumberWithUnit load_durations() {
  return CLI::AsNumberWithUnit(
      std::map<std::string, double>{{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}},
      CLI::AsNumberWithUnit::CASE_INSENSITIVE);
}

struct Rule {
  const char* option;
  enum { kNeeds, kExcludes } relation;
  const char* other;
  const char* why;
};
constexpr std::array<Rule, 8> kRules{
    {{"--method", Rule::kExcludes, "--scenario", "the scenario's file has the methods"},
     {"--body", Rule::kExcludes, "--scenario", "what `load record` wrote has no bodies"},
     {"--users", Rule::kExcludes, "--rate", "requests come at the rate, however many users that takes"},
     {"--think", Rule::kExcludes, "--rate", "at a rate each user sends one request and is gone"},
     {"--ramp-to", Rule::kNeeds, "--rate", "it is the rate at the end"},
     {"--connections", Rule::kNeeds, "--rate", "users who wait for their answers have a connection each"},
     {"--cacert", Rule::kExcludes, "--insecure", "no certificate is checked then"},
     {"--token-file", Rule::kNeeds, "--worker", "nobody else asks for a token"}}};

bool given(const CLI::App& command, const char* name) {
  const auto* option = command.get_option_no_throw(name);
  return option && option->count() > 0;
}

}  // namespace

Result<Done> check_options(const CLI::App& command) {
  for (const auto& rule : kRules) {
    if (!given(command, rule.option)) continue;
    const bool needs = rule.relation == Rule::kNeeds;
    if (given(command, rule.other) == needs) continue;
    return Error{Errc::kMalformed, fmt::format("{} {} {}: {}", rule.option, needs ? "needs" : "has no effect beside",
                                               rule.other, rule.why)};
  }
  return Done{};
}

void add_duration(CLI::App& command, const char* name, double& seconds, const char* about, const char* otherwise,
                  const CLI::Validator& range) {
  command.add_option(name, seconds, about)
      ->transform(load_durations())
      ->check(range)
      ->type_name("TIME")
      ->default_str(otherwise);
}

// What all of them take.
void add_common(CLI::App& command, const Options& options, std::filesystem::path& state) {
  command
      .add_option("url", options->url,
                  "What is asked: a URL, a /path of the running platform, or the name of a load test that its stack "
                  "declares; else its API's health")
      ->type_name("URL|NAME");
  command.add_option("--scenario", options->scenario, "Requests as `load record` wrote them, below the URL")
      ->type_name("FILE");
  command.add_option("-X,--method", options->method, "The method; else GET, or POST when there is a body");
  command.add_option("-H,--header", options->headers, "\"Name: value\"; may be repeated")->type_name("FIELD");
  command.add_option("-d,--body", options->body, "The body, or @FILE")->type_name("TEXT");
  command.add_option("--threads", options->threads, "Threads that generate load")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  add_duration(command, "--think", options->think, "How long a user waits between two requests",
               options->think > 0 ? "1s" : "0s", kAnyTime);
  add_duration(command, "--timeout", options->timeout, "For a connection, and for an answer's first byte", "10s");
  command.add_flag("--new-connections", options->new_connections, "A connection for each request, not kept");
  command.add_flag("--insecure", options->insecure, "Do not check certificates");
  command.add_option("--cacert", options->authorities, "Whom to trust, instead of the system's")->type_name("FILE");
  command
      .add_option("-t,--threshold", options->thresholds,
                  "What has to hold: p95<100ms, ttfb.p99<=1s, avg, max; errors<1%, 4xx, 5xx, transport; rate>500; "
                  "may be repeated")
      ->type_name("EXPRESSION");
  command.add_option("--criteria", options->criteria, "A named set of thresholds; guide: p95<100ms and errors<1%")
      ->check(CLI::IsMember({"guide"}));
  add_file_options(command, options->files);
  command.add_flag("--quiet,-q", options->quiet, "Nothing but the verdict");
  add_state_option(command, state);
}

void add_target_pid(CLI::App& command, const Options& options) {
  command
      .add_option("--target-pid", options->target_pid,
                  "The target's process on this machine, when it is not the running platform")
      ->check(CLI::PositiveNumber)
      ->type_name("PID");
}

}  // namespace securebase::cli
