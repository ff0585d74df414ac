// aws_synthetics_canary.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hash.h"
#include "prober/schedule.h"
#include "stack/declare.h"
#include "synthetics/synthetics.h"

namespace securebase::synthetics {

namespace {

constexpr std::string_view kHttpRuntime = "securebase-http-1.0";
constexpr std::string_view kLoadRuntime = "securebase-load-1.0";
constexpr std::string_view kPuppeteerRuntime = "syn-nodejs-puppeteer-";
constexpr std::chrono::seconds kLongestRun{840};  // the service's own

struct ScheduleBlock {
  std::string expression;
};
struct RunConfigBlock {
  std::int64_t timeout_in_seconds = 0;
  std::int64_t memory_in_mb = 1000;
  std::map<std::string, std::string> environment_variables;
};
struct CanaryBlock {
  std::string name;
  std::string artifact_s3_location;
  std::string execution_role_arn;
  std::string handler;
  std::string runtime_version;
  std::string zip_file;
  std::string s3_bucket;
  std::string s3_key;
  bool start_canary = false;
  ScheduleBlock schedule;
  RunConfigBlock run_config;
  std::map<std::string, std::string> tags;
};

bool is_known_runtime(std::string_view version) {
  return version == kHttpRuntime || version == kLoadRuntime || version.starts_with(kPuppeteerRuntime);
}

auto schedule_block() {
  auto block = stack::block<ScheduleBlock>("schedule")
                   .required("expression", &ScheduleBlock::expression,
                             "When it runs: rate(5 minutes), rate(10 seconds), cron(0/10 * * * ? *).");
  block.known("duration_in_seconds", "a canary runs until it is stopped")
      .known("retry_config", "a failed run is a failed run");
  return block;
}

auto run_config_block() {
  auto block = stack::block<RunConfigBlock>("run_config")
                   .attribute("timeout_in_seconds", &RunConfigBlock::timeout_in_seconds, 0, stack::between(0, 840),
                              "How long a run may take; by default as long as its interval, at most 840.")
                   .attribute("memory_in_mb", &RunConfigBlock::memory_in_mb, 1000, stack::between(128, 3008),
                              "The heap of a script's node; Chromium takes what it takes.")
                   .attribute("environment_variables", &RunConfigBlock::environment_variables, {},
                              "What a script finds in its environment.");
  block.known("active_tracing", "every request of a canary begins a trace").known("ephemeral_storage");
  return block;
}

auto canary_block() {
  return stack::resource<CanaryBlock>("aws_synthetics_canary", "synthetics",
                                      "A canary: HTTP checks, a load test's or a browser's script, run on a schedule.")
      .required("name", &CanaryBlock::name, stack::matches("[0-9a-z_\\-]{1,255}"),
                "Its name, the dimension CanaryName.")
      .replaces()
      .required("artifact_s3_location", &CanaryBlock::artifact_s3_location, "Where artifacts would be at AWS.")
      .accepted_with_note("a script's pictures are kept in the state directory")
      .required("execution_role_arn", &CanaryBlock::execution_role_arn, "Its role; it is not asked here.")
      .required("handler", &CanaryBlock::handler,
                "Of a script, the file and its function: pageLoad.handler; of HTTP checks and load tests their file: "
                "checks.json, checkout.js.")
      .required("runtime_version", &CanaryBlock::runtime_version,
                "securebase-http-1.0 for declared checks, securebase-load-1.0 for scripts of load tests, "
                "syn-nodejs-puppeteer-* for scripts with a browser.")
      .attribute("zip_file", &CanaryBlock::zip_file, "", "Its code: a zip, or here also a directory.")
      .attribute("s3_bucket", &CanaryBlock::s3_bucket, "", "The bucket of its code, when it is no file.")
      .attribute("s3_key", &CanaryBlock::s3_key, "", "The object with its code.")
      .attribute("start_canary", &CanaryBlock::start_canary, false, "Whether it runs; else the API starts it.")
      .nested(schedule_block(), &CanaryBlock::schedule, "When it runs.")
      .required_block()
      .nested(run_config_block(), &CanaryBlock::run_config, "What a run may use.")
      .attribute("tags", &CanaryBlock::tags, {}, "Labels.")
      .known("s3_version", "the newest is used")
      .known("delete_lambda", "there is no function to delete")
      .known("success_retention_period", "the last 100 runs are kept")
      .known("failure_retention_period", "the last 100 runs are kept")
      .known("artifact_config")
      .known("vpc_config", "a canary reaches what the prober reaches")
      .computed("id", [](const CanaryBlock& canary) { return canary.name; })
      .computed("arn", [](const CanaryBlock& canary,
                          const stack::Context& context) { return context.arn("synthetics", "canary:" + canary.name); })
      .computed("status",
                [](const CanaryBlock& canary) { return std::string(canary.start_canary ? "RUNNING" : "READY"); })
      .rule("Its code is either zip_file, or s3_bucket and s3_key.", [](const CanaryBlock& canary) {
        return canary.zip_file.empty() != canary.s3_bucket.empty() && canary.s3_bucket.empty() == canary.s3_key.empty();
      });
}

}  // namespace

prober::Canary::Kind CanaryConfig::kind() const {
  if (runtime_version == kHttpRuntime) return prober::Canary::Kind::kHttp;
  return runtime_version == kLoadRuntime ? prober::Canary::Kind::kLoad : prober::Canary::Kind::kScript;
}

void declare(stack::Catalogue& catalogue) { catalogue.add(canary_block()); }

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack) {
  auto made = std::make_shared<Config>();
  stack::Diagnostics problems;
  std::map<std::string, std::string> names;
  for (const auto& found : stack.all<CanaryBlock>("aws_synthetics_canary")) {
    const auto& said = found.value;
    const auto& range = found.resource.range();
    if (const auto [at, is_new] = names.try_emplace(said.name, found.resource.address); !is_new) {
      problems.error(
          "Canary declared twice",
          fmt::format("{} and {} are both the canary \"{}\".", at->second, found.resource.address, said.name), range);
    }
    if (!is_known_runtime(said.runtime_version)) {
      problems.error(
          "Unknown runtime of a canary",
          fmt::format("{} asks for the runtime {}, which SecureBase does not run. It runs {} (HTTP checks declared in "
                      "JSON), {} (a load test's script, one visit of it) and {}* (scripts in Node.js with Chromium); "
                      "Python with Selenium, Java and Playwright are not done.",
                      found.resource.address, said.runtime_version, kHttpRuntime, kLoadRuntime, kPuppeteerRuntime),
          range);
    }
    if (said.runtime_version == kLoadRuntime && !prober::is_load_script(said.handler)) {
      problems.error(
          "Not a load test's script",
          fmt::format("{} has the handler {}; expected a file of the package that ends with .js or .mjs (k6), or "
                      ".yml, .yaml or .json (Artillery).",
                      found.resource.address, said.handler),
          range);
    }
    const auto schedule = prober::Schedule::parse(said.schedule.expression);
    if (!schedule) problems.error("Not a schedule", schedule.error().message + ".", range);
    CanaryConfig config;
    config.name = said.name;
    config.runtime_version = said.runtime_version;
    config.handler = said.handler;
    config.schedule = said.schedule.expression;
    if (!said.zip_file.empty()) {
      const std::filesystem::path path(said.zip_file);
      config.code = path.is_absolute() ? path : (stack.directory / path).lexically_normal();
    }
    config.bucket = said.s3_bucket;
    config.key = said.s3_key;
    config.environment = said.run_config.environment_variables;
    config.timeout = std::chrono::seconds{said.run_config.timeout_in_seconds};
    config.memory_mb = static_cast<std::size_t>(said.run_config.memory_in_mb);
    config.start = said.start_canary;
    config.artifact_location = said.artifact_s3_location;
    config.role = said.execution_role_arn;
    config.tags = said.tags;
    if (schedule) {
      // A run that lasts longer than its interval would skip the next one.
      const auto interval = schedule->interval(base::system_clock().now());
      auto most = interval.count() == 0 ? kLongestRun : std::min(kLongestRun, interval);
      config.timeout = config.timeout.count() == 0 ? most : std::min(config.timeout, most);
    }
    made->canaries.push_back(std::move(config));
  }
  if (problems.has_errors()) return problems;
  return std::shared_ptr<const Config>(std::move(made));
}

}  // namespace securebase::synthetics
