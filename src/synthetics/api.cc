// Answers the API of CloudWatch Synthetics: what canaries there are, how their runs ended, starting and stopping them.
#include <fmt/format.h>

#include <algorithm>

#include "aws/aws.h"
#include "base/encoding.h"
#include "base/hash.h"
#include "synthetics/synthetics.h"

namespace securebase::synthetics {

namespace {

using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

std::string uuid_of(const std::string& name) {
  const auto digest = base::hex(base::sha256("canary " + name));
  return fmt::format("{}-{}-{}-{}-{}", digest.substr(0, 8), digest.substr(8, 4), digest.substr(12, 4),
                     digest.substr(16, 4), digest.substr(20, 12));
}

std::string_view word_of(State state) {
  switch (state) {
    case State::kReady:
      return "READY";
    case State::kRunning:
      return "RUNNING";
    case State::kStopped:
      break;
  }
  return "STOPPED";
}

Value time_or_none(const std::optional<base::TimePoint>& time) { return time ? Value(*time) : Value(); }

Value show(const Call& call, const Canary& canary) {
  const auto& config = canary.config;
  Value tags = Value::structure();
  for (const auto& [name, value] : config.tags) tags.set(name, value);
  auto timeline = Value::structure({{"Created", canary.created}, {"LastModified", canary.modified}});
  timeline.set("LastStarted", time_or_none(canary.started));
  timeline.set("LastStopped", time_or_none(canary.stopped));
  auto run_config = Value::structure({{"TimeoutInSeconds", std::int64_t{config.timeout.count()}},
                                      {"MemoryInMB", std::uint64_t{config.memory_mb}},
                                      {"ActiveTracing", false}});
  const auto source =
      config.bucket.empty() ? config.code.native() : fmt::format("arn:aws:s3:::{}/{}", config.bucket, config.key);
  return Value::structure(
      {{"Id", uuid_of(config.name)},
       {"Name", config.name},
       {"Code", Value::structure({{"SourceLocationArn", source}, {"Handler", config.handler}})},
       {"ExecutionRoleArn", config.role},
       {"Schedule", Value::structure({{"Expression", config.schedule}, {"DurationInSeconds", 0}})},
       {"RunConfig", std::move(run_config)},
       {"Status", Value::structure({{"State", std::string(word_of(canary.state))}})},
       {"Timeline", std::move(timeline)},
       {"ArtifactS3Location", config.artifact_location},
       {"EngineArn", fmt::format("arn:aws:lambda:{}:{}:function:cwsyn-{}", call.region, call.account, config.name)},
       {"RuntimeVersion", config.runtime_version},
       {"Tags", std::move(tags)}});
}

Value show(const prober::CanaryRun& run, const std::string& artifacts) {
  auto status = Value::structure({{"State", run.passed ? "PASSED" : "FAILED"}});
  if (!run.passed) {
    status.set("StateReason", run.reason);
    status.set("StateReasonCode", run.executed ? "CANARY_FAILURE" : "EXECUTION_FAILURE");
  }
  return Value::structure(
      {{"Id", run.id},
       {"Name", run.canary},
       {"Status", std::move(status)},
       {"Timeline", Value::structure({{"Started", run.begin}, {"Completed", run.begin + run.duration}})},
       {"ArtifactS3Location", artifacts}});
}

Fault not_found(std::string_view name) {
  return {"ResourceNotFoundException", fmt::format("Canary {} was not found", name), 0, {}};
}

// Those whose names the input asks for; all when it asks for none.
std::vector<Canary> asked(const Call& call, const Synthetics& synthetics) {
  auto all = synthetics.canaries();
  const auto& names = call.input["Names"].elements();
  if (names.empty()) return all;
  std::erase_if(all, [&names](const Canary& canary) {
    return std::none_of(names.begin(), names.end(),
                        [&canary](const Value& name) { return name.string_or("") == canary.config.name; });
  });
  return all;
}

std::optional<Canary> find(const Call& call, const Synthetics& synthetics) {
  for (auto& canary : synthetics.canaries()) {
    if (canary.config.name == call.input["Name"].string_or("")) return std::move(canary);
  }
  return std::nullopt;
}

Outcome in_pages(const Call& call, Value output, std::string_view key) {
  auto page = aws::paginate(call, std::move(output), key);
  if (!page) return page.error();
  return aws::Answer(std::move(*page));
}

Outcome change(const Call& call, Result<Done> done) {
  if (done) return aws::Answer(Value::structure());
  if (done.error().code == Errc::kNotFound) return not_found(call.input["Name"].string_or(""));
  if (done.error().code == Errc::kConflict) return Fault{"ConflictException", done.error().message, 0, {}};
  return Fault{"InternalServerException", done.error().message, 0, {}};
}

// The newest first, so not by aws::paginate; the token is the last run that was shown.
Value runs_page(const Call& call, const std::vector<prober::CanaryRun>& runs, const std::string& artifacts) {
  const auto token = call.input["NextToken"].string_or("");
  auto begin = runs.begin();
  if (!token.empty()) {
    begin = std::find_if(runs.begin(), runs.end(), [token](const auto& run) { return run.id == token; });
    if (begin != runs.end()) ++begin;
  }
  const auto most = std::clamp<std::int64_t>(call.input["MaxResults"].integer_or(100), 1, 100);
  auto list = Value::list();
  for (; begin != runs.end() && static_cast<std::int64_t>(list.elements().size()) < most; ++begin) {
    list.push_back(show(*begin, artifacts));
  }
  auto output = Value::structure({{"CanaryRuns", std::move(list)}});
  if (begin != runs.end()) output.set("NextToken", (begin - 1)->id);
  return output;
}

Outcome runtimes(const Call&) {
  auto list = Value::list();
  list.push_back(
      Value::structure({{"VersionName", "securebase-http-1.0"}, {"Description", "HTTP checks declared in JSON."}}));
  list.push_back(Value::structure({{"VersionName", "securebase-load-1.0"},
                                   {"Description", "Scripts of k6 and Artillery: one visit of one user."}}));
  list.push_back(Value::structure({{"VersionName", "syn-nodejs-puppeteer-9.1"},
                                   {"Description",
                                    "Scripts in Node.js with puppeteer-core and Chromium; every version "
                                    "of syn-nodejs-puppeteer is run by this one."}}));
  return aws::Answer(Value::structure({{"RuntimeVersions", std::move(list)}}));
}

}  // namespace

void add_operations(aws::Operations& operations, Synthetics& synthetics) {
  operations.add("synthetics", "DescribeCanaries", [&synthetics](const Call& call) -> Outcome {
    auto list = Value::list();
    for (const auto& canary : asked(call, synthetics)) list.push_back(show(call, canary));
    return in_pages(call, Value::structure({{"Canaries", std::move(list)}}), "Name");
  });
  operations.add("synthetics", "DescribeCanariesLastRun", [&synthetics](const Call& call) -> Outcome {
    auto list = Value::list();
    for (const auto& canary : asked(call, synthetics)) {
      const auto runs = synthetics.runs(canary.config.name);
      if (runs.empty()) continue;
      list.push_back(Value::structure(
          {{"CanaryName", canary.config.name}, {"LastRun", show(runs.front(), canary.config.artifact_location)}}));
    }
    return in_pages(call, Value::structure({{"CanariesLastRun", std::move(list)}}), "CanaryName");
  });
  operations.add("synthetics", "GetCanary", [&synthetics](const Call& call) -> Outcome {
    const auto canary = find(call, synthetics);
    if (!canary) return not_found(call.input["Name"].string_or(""));
    return aws::Answer(Value::structure({{"Canary", show(call, *canary)}}));
  });
  operations.add("synthetics", "GetCanaryRuns", [&synthetics](const Call& call) -> Outcome {
    const auto canary = find(call, synthetics);
    if (!canary) return not_found(call.input["Name"].string_or(""));
    return aws::Answer(runs_page(call, synthetics.runs(canary->config.name), canary->config.artifact_location));
  });
  operations.add("synthetics", "StartCanary", [&synthetics](const Call& call) {
    return change(call, synthetics.start(call.input["Name"].string_or("")));
  });
  operations.add("synthetics", "StopCanary", [&synthetics](const Call& call) {
    return change(call, synthetics.stop(call.input["Name"].string_or("")));
  });
  operations.add("synthetics", "DescribeRuntimeVersions", runtimes);
}

}  // namespace securebase::synthetics
