#include "traces/sampling/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/file.h"

namespace securebase::traces {

using base::Json;

namespace {

constexpr std::string_view kDefault = "Default";
constexpr std::size_t kMostRules = 25;  // X-Ray's quota of an account
constexpr std::size_t kMostClients = 1000;
constexpr std::int64_t kInterval = 10;  // seconds from one report of a client to its next
constexpr std::chrono::seconds kClientTime{30};

double seconds(base::TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }
base::TimePoint time_from(double seconds) {
  return base::TimePoint{std::chrono::microseconds{static_cast<std::int64_t>(seconds * 1e6)}};
}

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

double random_share() { return static_cast<double>(telemetry::new_span_id() >> 11) * 0x1p-53; }

}  // namespace

bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last '*', and where its text began
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || to_lower(pattern[p]) == to_lower(text[t]))) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

SamplingRules::SamplingRules(std::filesystem::path file, const base::Clock& clock, std::string arn_prefix)
    : file_(std::move(file)),
      clock_(clock),
      arn_prefix_(std::move(arn_prefix)),
      rules_(std::make_shared<const Set>()) {}

Result<std::unique_ptr<SamplingRules>> SamplingRules::open(std::filesystem::path file, const base::Clock& clock,
                                                           std::string arn_prefix) {
  std::unique_ptr<SamplingRules> rules(new SamplingRules(std::move(file), clock, std::move(arn_prefix)));
  if (auto loaded = rules->load(); !loaded) return loaded.error();
  return rules;
}

Result<Done> SamplingRules::load() {
  auto set = std::make_shared<Set>();
  if (std::filesystem::exists(file_)) {
    auto text = base::read_file(file_);
    if (!text) return text.error();
    auto json = Json::parse(*text);
    if (!json || !(*json)["SamplingRuleRecords"].is_array()) {
      return Error{
          Errc::kMalformed,
          fmt::format("{} holds no sampling rules; move it away to begin with the default one", file_.native())};
    }
    for (const auto& each : *(*json)["SamplingRuleRecords"].as_array()) {
      auto rule = read_rule(each["SamplingRule"], nullptr);
      if (!rule) return rule.error().within(file_.native());
      rule->created = time_from(each["CreatedAt"].number_or(0));
      rule->modified = time_from(each["ModifiedAt"].number_or(0));
      set->changed = std::max(set->changed, rule->modified);
      set->rules.push_back(std::make_shared<Live>());
      set->rules.back()->rule = std::move(*rule);
    }
  }
  if (std::ranges::none_of(set->rules, [](const auto& live) { return live->rule.name == kDefault; })) {
    auto live = std::make_shared<Live>();
    live->rule.name = kDefault;
    live->rule.arn = fmt::format("{}:sampling-rule/{}", arn_prefix_, kDefault);
    live->rule.created = live->rule.modified = clock_.now();
    set->changed = std::max(set->changed, live->rule.modified);
    set->rules.push_back(std::move(live));
  }
  rules_.set(std::move(set));
  return Done{};
}

bool SamplingRules::sample(const telemetry::Arrival& arrival) {
  const auto set = rules_.get();
  for (const auto& live : set->rules) {
    const auto& rule = live->rule;
    // Rules for particular callers (attributes, resources) speak of segments of the SDKs, which judge those themselves.
    if (!fits(rule.service_name, arrival.service) || !fits(rule.service_type, arrival.type) ||
        !fits(rule.host, arrival.host) || !fits(rule.method, arrival.method) || !fits(rule.url_path, arrival.path) ||
        !fits(rule.resource_arn, "") || (rule.attributes.as_object() && !rule.attributes.as_object()->empty())) {
      continue;
    }
    live->requests.fetch_add(1, std::memory_order_relaxed);
    const auto second = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::seconds>(clock_.steady()).time_since_epoch().count());
    auto used = live->used.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t taken = used >> 32 == (second & 0xffffffff) ? used & 0xffffffff : 0;
      if (taken >= static_cast<std::uint64_t>(rule.reservoir)) break;
      if (live->used.compare_exchange_weak(used, (second & 0xffffffff) << 32 | (taken + 1))) {
        live->sampled.fetch_add(1, std::memory_order_relaxed);
        return true;
      }
    }
    if (random_share() >= rule.fixed_rate) return false;
    live->sampled.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

Json SamplingRules::record(const SamplingRule& rule) {
  return Json::object({{"SamplingRule", Json::object({{"RuleName", rule.name},
                                                      {"RuleARN", rule.arn},
                                                      {"ResourceARN", rule.resource_arn},
                                                      {"Priority", rule.priority},
                                                      {"FixedRate", rule.fixed_rate},
                                                      {"ReservoirSize", rule.reservoir},
                                                      {"ServiceName", rule.service_name},
                                                      {"ServiceType", rule.service_type},
                                                      {"Host", rule.host},
                                                      {"HTTPMethod", rule.method},
                                                      {"URLPath", rule.url_path},
                                                      {"Version", 1},
                                                      {"Attributes", rule.attributes}})},
                       {"CreatedAt", seconds(rule.created)},
                       {"ModifiedAt", seconds(rule.modified)}});
}

Json SamplingRules::list() const {
  Json records = Json::array();
  const auto set = rules_.get();
  for (const auto& live : set->rules) records.push_back(record(live->rule));
  return Json::object({{"SamplingRuleRecords", std::move(records)}});
}

// What `json` says over `before`.
Result<SamplingRule> SamplingRules::read_rule(const Json& json, const SamplingRule* before) const {
  SamplingRule rule = before ? *before : SamplingRule{};
  const auto wrong = [](std::string message) { return Error{Errc::kMalformed, std::move(message)}; };
  if (!before) {
    rule.name = json["RuleName"].string_or("");
    if (rule.name.empty() || rule.name.size() > 32) return wrong("RuleName has 1 to 32 characters");
    rule.arn = fmt::format("{}:sampling-rule/{}", arn_prefix_, rule.name);
    if (json["Version"].integer_or(1) != 1) return wrong("Version is 1");
  }
  const bool is_default = rule.name == kDefault;
  if (const auto* priority = json.find("Priority"); priority && !is_default) rule.priority = priority->integer_or(0);
  if (!is_default && (rule.priority < 1 || rule.priority > 9999)) return wrong("Priority lies between 1 and 9999");
  rule.fixed_rate = json["FixedRate"].number_or(rule.fixed_rate);
  if (!(rule.fixed_rate >= 0 && rule.fixed_rate <= 1)) return wrong("FixedRate lies between 0 and 1");
  rule.reservoir = json["ReservoirSize"].integer_or(rule.reservoir);
  if (rule.reservoir < 0 || rule.reservoir > 1'000'000) return wrong("ReservoirSize lies between 0 and 1000000");
  if (is_default) return rule;
  const std::pair<const char*, std::string*> texts[] = {
      {"ResourceARN", &rule.resource_arn}, {"ServiceName", &rule.service_name},
      {"ServiceType", &rule.service_type}, {"Host", &rule.host},
      {"HTTPMethod", &rule.method},        {"URLPath", &rule.url_path}};
  for (const auto& [name, text] : texts) *text = json[name].string_or(*text);
  if (json["Attributes"].is_object()) rule.attributes = json["Attributes"];
  return rule;
}

Result<Done> SamplingRules::replace(std::vector<SamplingRule> rules) {
  std::ranges::sort(rules, {}, [](const SamplingRule& rule) { return std::tie(rule.priority, rule.name); });
  Json records = Json::array();
  for (const auto& rule : rules) records.push_back(record(rule));
  const auto text = Json::object({{"SamplingRuleRecords", std::move(records)}}).dump(2);
  if (auto saved = base::replace_file(file_, text + "\n", 0600); !saved) return saved;
  const auto before = rules_.get();
  auto set = std::make_shared<Set>();
  set->changed = clock_.now();
  for (auto& rule : rules) {
    const auto same = std::ranges::find_if(before->rules, [&](const auto& live) { return live->rule == rule; });
    if (same != before->rules.end()) {
      set->rules.push_back(*same);
      continue;
    }
    set->rules.push_back(std::make_shared<Live>());
    set->rules.back()->rule = std::move(rule);
  }
  rules_.set(std::move(set));
  return Done{};
}

std::shared_ptr<SamplingRules::Live> SamplingRules::find(const Json& named) const {
  const auto name = named["RuleName"].string_or("");
  const auto arn = named["RuleARN"].string_or("");
  const auto set = rules_.get();
  for (const auto& live : set->rules) {
    if ((!name.empty() && live->rule.name == name) || (!arn.empty() && live->rule.arn == arn)) return live;
  }
  return nullptr;
}

Result<Json> SamplingRules::create(const Json& input) {
  const auto& json = input["SamplingRule"];
  auto rule = read_rule(json, nullptr);
  if (!rule) return rule.error();
  const std::lock_guard lock(mutex_);
  if (find(json)) return Error{Errc::kMalformed, fmt::format("there is a sampling rule {} already", rule->name)};
  const auto set = rules_.get();
  if (set->rules.size() > kMostRules) {
    return Error{Errc::kLimit, fmt::format("there are {} sampling rules, as many as there may be", kMostRules)};
  }
  rule->created = rule->modified = clock_.now();
  std::vector<SamplingRule> rules;
  for (const auto& live : set->rules) rules.push_back(live->rule);
  rules.push_back(*rule);
  if (auto done = replace(std::move(rules)); !done) return done.error();
  return Json::object({{"SamplingRuleRecord", record(*rule)}});
}

Result<Json> SamplingRules::update(const Json& input) {
  const auto& json = input["SamplingRuleUpdate"];
  const std::lock_guard lock(mutex_);
  const auto old = find(json);
  if (!old) return Error{Errc::kMalformed, "there is no sampling rule of that RuleName or RuleARN"};
  auto rule = read_rule(json, &old->rule);
  if (!rule) return rule.error();
  rule->modified = clock_.now();
  std::vector<SamplingRule> rules;
  const auto set = rules_.get();
  for (const auto& live : set->rules) rules.push_back(live->rule.name == rule->name ? *rule : live->rule);
  if (auto done = replace(std::move(rules)); !done) return done.error();
  return Json::object({{"SamplingRuleRecord", record(*rule)}});
}

Result<Json> SamplingRules::remove(const Json& input) {
  const std::lock_guard lock(mutex_);
  const auto old = find(input);
  if (!old) return Error{Errc::kMalformed, "there is no sampling rule of that RuleName or RuleARN"};
  if (old->rule.name == kDefault) return Error{Errc::kMalformed, "the rule Default can be changed, not deleted"};
  std::vector<SamplingRule> rules;
  const auto set = rules_.get();
  for (const auto& live : set->rules) {
    if (live != old) rules.push_back(live->rule);
  }
  if (auto done = replace(std::move(rules)); !done) return done.error();
  return Json::object({{"SamplingRuleRecord", record(old->rule)}});
}

Json SamplingRules::targets(const Json& input) {
  const auto now = clock_.now();
  Json documents = Json::array();
  Json unprocessed = Json::array();
  const auto set = rules_.get();
  if (const auto* reports = input["SamplingStatisticsDocuments"].as_array()) {
    for (const auto& report : *reports) {
      const auto live = find(report);
      if (!live) {
        unprocessed.push_back(Json::object({{"RuleName", report["RuleName"]},
                                            {"ErrorCode", "404"},
                                            {"Message", "there is no sampling rule of that name"}}));
        continue;
      }
      const auto count = [&report](const char* name) {
        return static_cast<std::uint64_t>(std::clamp<std::int64_t>(report[name].integer_or(0), 0, 1'000'000'000));
      };
      live->requests += count("RequestCount");
      live->sampled += count("SampledCount");
      live->borrowed += count("BorrowCount");
      std::size_t clients = 0;
      {
        const std::lock_guard lock(live->mutex);
        std::erase_if(live->clients, [&](const auto& client) { return now - client.second > kClientTime; });
        if (live->clients.size() < kMostClients) {
          live->clients.insert_or_assign(std::string(report["ClientID"].string_or("").substr(0, 64)), now);
        }
        clients = std::max<std::size_t>(live->clients.size(), 1);
      }
      // The remainder goes to the first: a reservoir of one is not nobody's.
      const auto share = (static_cast<std::size_t>(live->rule.reservoir) + clients - 1) / clients;
      documents.push_back(Json::object({{"RuleName", live->rule.name},
                                        {"FixedRate", live->rule.fixed_rate},
                                        {"ReservoirQuota", static_cast<std::int64_t>(share)},
                                        {"ReservoirQuotaTTL", std::floor(seconds(now)) + kInterval * 2},
                                        {"Interval", kInterval}}));
    }
  }
  return Json::object({{"SamplingTargetDocuments", std::move(documents)},
                       {"LastRuleModification", seconds(set->changed)},
                       {"UnprocessedStatistics", std::move(unprocessed)}});
}

Json SamplingRules::statistics() const {
  Json all = Json::array();
  const double now = seconds(clock_.now());
  const auto set = rules_.get();
  for (const auto& live : set->rules) {
    all.push_back(Json::object({{"RuleName", live->rule.name},
                                {"Timestamp", now},
                                {"RequestCount", live->requests.load()},
                                {"BorrowCount", live->borrowed.load()},
                                {"SampledCount", live->sampled.load()}}));
  }
  return Json::object({{"SamplingStatisticSummaries", std::move(all)}});
}

}  // namespace securebase::traces
