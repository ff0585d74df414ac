// X-Ray's sampling rules: which traces are told to everybody who can add to them. In rising order of priority, the
// first rule that fits decides: so many a second (the reservoir), and a share of the rest. The rule "Default" is always
// there and fits always. Traces are kept by other reasons too (collect/tail.h); this one is decided at the beginning.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "telemetry/span.h"

namespace securebase::traces {

struct SamplingRule {
  std::string name;
  std::string arn;
  std::string resource_arn = "*";
  std::int64_t priority = 10'000;  // 1 to 9999; the default's own is 10000
  double fixed_rate = 0.05;
  std::int64_t reservoir = 1;  // a second
  // Patterns: '*' is any text, '?' any letter; without case.
  std::string service_name = "*";
  std::string service_type = "*";
  std::string host = "*";
  std::string method = "*";
  std::string url_path = "*";
  base::Json attributes = base::Json::object();
  base::TimePoint created{};
  base::TimePoint modified{};
  bool operator==(const SamplingRule&) const = default;
};

// Any thread.
class SamplingRules final : public telemetry::HeadSampler {
 public:
  // From `file`, if it is there.
  static Result<std::unique_ptr<SamplingRules>> open(std::filesystem::path file, const base::Clock& clock,
                                                     std::string arn_prefix);

  bool sample(const telemetry::Arrival& arrival) override;

  // Inputs and answers as the X-Ray API's, in JSON. On disk when they return. kMalformed: InvalidRequestException;
  // kLimit: RuleLimitExceededException.
  base::Json list() const;
  Result<base::Json> create(const base::Json& input);
  Result<base::Json> update(const base::Json& input);
  Result<base::Json> remove(const base::Json& input);
  // What clients that sample by themselves are given: a share of each rule's reservoir.
  base::Json targets(const base::Json& input);
  base::Json statistics() const;

 private:
  struct Live {
    SamplingRule rule;
    // The second, and how many were taken of the reservoir in it.
    std::atomic<std::uint64_t> used{0};
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> sampled{0};
    std::atomic<std::uint64_t> borrowed{0};
    std::mutex mutex;
    std::map<std::string, base::TimePoint> clients;  // under mutex: by id, when last heard of
  };
  struct Set {
    std::vector<std::shared_ptr<Live>> rules;  // by priority, then by name; the default last
    base::TimePoint changed{};                 // when a rule was made, changed or deleted
  };

  SamplingRules(std::filesystem::path file, const base::Clock& clock, std::string arn_prefix);
  Result<Done> load();
  // With mutex_ held. Rules that stay as they are keep what they have counted and given away.
  Result<Done> replace(std::vector<SamplingRule> rules);
  Result<SamplingRule> read_rule(const base::Json& json, const SamplingRule* before) const;
  static base::Json record(const SamplingRule& rule);
  std::shared_ptr<Live> find(const base::Json& named) const;

  const std::filesystem::path file_;
  const base::Clock& clock_;
  const std::string arn_prefix_;
  std::mutex mutex_;  // changes one at a time
  base::Snapshot<Set> rules_;
};

// '*' and '?', without case.
bool fits(std::string_view pattern, std::string_view text);

}  // namespace securebase::traces
