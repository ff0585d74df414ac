// CloudFront's API: CreateInvalidation, GetInvalidation, ListInvalidations, ListDistributions, GetDistribution,
// GetDistributionConfig. Distributions are what the stack makes them; the API shows them.
#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "aws/aws.h"
#include "edge/describe.h"
#include "edge/engine.h"

namespace securebase::edge {

namespace {

using aws::Answer;
using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;

constexpr std::size_t kMostPathsAtOnce = 3000;  // CloudFront's own, of all invalidations in progress
constexpr std::int64_t kMostListed = 100;       // CloudFront's own

Fault no_such_distribution() { return {"NoSuchDistribution", "The specified distribution does not exist.", 404, {}}; }

const Distribution* find(const Live& live, std::string_view id) {
  for (const auto& each : live.distributions) {
    if (each.config.id == id) return &each;
  }
  return nullptr;
}

// ---- Invalidations

Value describe(const Invalidation& made) {
  auto paths = Value::list();
  for (const auto& path : made.paths) paths.push_back(path);
  const auto batch =
      Value::structure({{"Paths", Value::structure({{"Quantity", made.paths.size()}, {"Items", std::move(paths)}})},
                        {"CallerReference", made.caller_reference}});
  // One place, which is done at once.
  return Value::structure(
      {{"Id", made.id}, {"Status", "Completed"}, {"CreateTime", made.created}, {"InvalidationBatch", batch}});
}

Answer created(const Invalidation& made) {
  Answer answer;
  answer.status = 201;
  answer.output = Value::structure(
      {{"Location", fmt::format("https://cloudfront.amazonaws.com/2020-05-31/distribution/{}/invalidation/{}",
                                made.distribution, made.id)},
       {"Invalidation", describe(made)}});
  return answer;
}

Result<Invalidation, Fault> read_batch(const Call& call) {
  const auto& batch = call.input["InvalidationBatch"];
  Invalidation asked;
  asked.distribution = call.input["DistributionId"].string_or("");
  asked.caller_reference = batch["CallerReference"].string_or("");
  asked.created = call.now;
  for (const auto& path : batch["Paths"]["Items"].elements()) asked.paths.emplace_back(path.string_or(""));
  const auto quantity = batch["Paths"]["Quantity"].integer_or(0);
  if (quantity != static_cast<std::int64_t>(asked.paths.size())) {
    return Fault{
        "InconsistentQuantities",
        fmt::format("The value of Quantity is {}, and the number of Items is {}.", quantity, asked.paths.size()),
        400,
        {}};
  }
  if (asked.paths.size() > kMostPathsAtOnce) {
    return Fault{"BatchTooLarge", fmt::format("An invalidation has at most {} paths.", kMostPathsAtOnce), 413, {}};
  }
  if (asked.paths.empty() || asked.caller_reference.empty()) {
    return Fault{
        "InvalidArgument", "Your request needs a caller reference and one or more invalidation paths.", 400, {}};
  }
  return asked;
}

Outcome create(Engine& engine, const Raised& raised, std::mutex& one_at_a_time, const Call& call) {
  auto asked = read_batch(call);
  if (!asked) return asked.error();
  if (!find(*engine.live.get(), asked->distribution)) return no_such_distribution();
  const std::lock_guard lock(one_at_a_time);
  if (const auto before = engine.invalidations.find_reference(asked->distribution, asked->caller_reference)) {
    if (before->paths == asked->paths) return created(*before);
    return Fault{"InvalidArgument",
                 fmt::format("The caller reference that you are using to create an invalidation batch is associated "
                             "with another one, {}, whose paths are others.",
                             before->id),
                 400,
                 {}};
  }
  std::vector<std::string> paths, tags;
  for (const auto& path : asked->paths) {
    if (path.starts_with('#')) {
      tags.push_back(path.substr(1));
    } else {
      paths.push_back(path);
    }
  }
  auto receipt = engine.invalidate(asked->distribution, paths, tags, Strength::kHard);
  if (!receipt) {
    return Fault{"InvalidArgument",
                 "Your request contains one or more invalid invalidation paths: " + receipt.error().message,
                 400,
                 {}};
  }
  if (!tags.empty() && engine.doors.invalidated) engine.doors.invalidated(tags);
  if (!tags.empty() && raised) raised(tags);
  asked->id = receipt->id;
  if (auto kept = engine.invalidations.add(*asked); !kept) {
    return Fault{"InternalError", kept.error().message, 500, {}};
  }
  return created(*asked);
}

Outcome get(const Engine& engine, const Call& call) {
  const auto distribution = call.input["DistributionId"].string_or("");
  if (!find(*engine.live.get(), distribution)) return no_such_distribution();
  const auto found = engine.invalidations.find(distribution, call.input["Id"].string_or(""));
  if (!found) return Fault{"NoSuchInvalidation", "The specified invalidation does not exist.", 404, {}};
  return Answer(Value::structure({{"Invalidation", describe(*found)}}));
}

// The newest first, so not by aws::paginate, which sorts: a marker is the id of the last that was given.
Outcome list(const Engine& engine, const Call& call) {
  const auto distribution = call.input["DistributionId"].string_or("");
  if (!find(*engine.live.get(), distribution)) return no_such_distribution();
  const auto all = engine.invalidations.of(distribution);
  const auto marker = call.input["Marker"].string_or("");
  // Texts in some models, numbers in others.
  const auto& said = call.input["MaxItems"];
  auto limit = said.integer_or(std::atoll(std::string(said.string_or("100")).c_str()));
  limit = std::clamp<std::int64_t>(limit, 1, kMostListed);
  auto at = all.begin();
  if (!marker.empty()) {
    at = std::find_if(all.begin(), all.end(), [marker](const Invalidation& each) { return each.id == marker; });
    if (at == all.end()) return Fault{"InvalidArgument", "The marker is of no invalidation.", 400, {}};
    ++at;
  }
  auto items = Value::list();
  std::string last;
  for (; at != all.end() && static_cast<std::int64_t>(items.elements().size()) < limit; ++at) {
    items.push_back(Value::structure({{"Id", at->id}, {"CreateTime", at->created}, {"Status", "Completed"}}));
    last = at->id;
  }
  auto page = Value::structure({{"Marker", marker},
                                {"MaxItems", limit},
                                {"IsTruncated", at != all.end()},
                                {"Quantity", items.elements().size()}});
  if (at != all.end()) page.set("NextMarker", last);
  if (!items.elements().empty()) page.set("Items", std::move(items));
  return Answer(Value::structure({{"InvalidationList", std::move(page)}}));
}

// ---- Distributions

// The members that a distribution and its summary share.
Value around(const Distribution& distribution, const Call& call) {
  const auto& config = distribution.config;
  return Value::structure({{"Id", config.id},
                           {"ARN", fmt::format("arn:aws:cloudfront::{}:distribution/{}", call.account, config.id)},
                           {"Status", "Deployed"},
                           {"LastModifiedTime", distribution.since},
                           {"DomainName", config.domain_name}});
}

Outcome get_distribution(const Engine& engine, const Call& call) {
  const auto live = engine.live.get();
  const auto* found = find(*live, call.input["Id"].string_or(""));
  if (!found) return no_such_distribution();
  auto made = around(*found, call);
  made.set("InProgressInvalidationBatches", 0);
  made.set("ActiveTrustedSigners", Value::structure({{"Enabled", false}, {"Quantity", 0}}));
  made.set("ActiveTrustedKeyGroups", Value::structure({{"Enabled", false}, {"Quantity", 0}}));
  made.set("DistributionConfig", describe(found->config));
  return Answer(Value::structure({{"Distribution", std::move(made)}, {"ETag", etag_of(found->config)}}));
}

Outcome get_distribution_config(const Engine& engine, const Call& call) {
  const auto live = engine.live.get();
  const auto* found = find(*live, call.input["Id"].string_or(""));
  if (!found) return no_such_distribution();
  return Answer(Value::structure({{"DistributionConfig", describe(found->config)}, {"ETag", etag_of(found->config)}}));
}

Outcome list_distributions(const Engine& engine, const Call& call) {
  const auto live = engine.live.get();
  auto items = Value::list();
  for (const auto& each : live->distributions) {
    auto summary = around(each, call);
    const auto config = describe(each.config);
    for (const char* member : {"Aliases", "Origins", "OriginGroups", "DefaultCacheBehavior", "CacheBehaviors",
                               "CustomErrorResponses", "Comment", "PriceClass", "Enabled", "ViewerCertificate",
                               "Restrictions", "WebACLId", "HttpVersion", "IsIPV6Enabled", "Staging"}) {
      summary.set(member, config[member]);
    }
    items.push_back(std::move(summary));
  }
  const auto& said = call.input["MaxItems"];
  auto page = Value::structure({{"Marker", call.input["Marker"].string_or("")},
                                {"MaxItems", said.integer_or(std::atoll(std::string(said.string_or("100")).c_str()))},
                                {"IsTruncated", false},
                                {"Quantity", items.elements().size()},
                                {"Items", std::move(items)}});
  auto paged = aws::paginate(call, Value::structure({{"DistributionList", std::move(page)}}), "Id");
  if (!paged) return paged.error();
  return Answer(std::move(*paged));
}

}  // namespace

void add_operations(aws::Operations& operations, Edge& edge, Raised raised) {
  add_operations(operations, *edge.engine_, std::move(raised));
}

void add_operations(aws::Operations& operations, Engine& engine, Raised raised) {
  // Two with one caller's reference are one, also at the same time.
  const auto one_at_a_time = std::make_shared<std::mutex>();
  operations.add("cloudfront", "CreateInvalidation", [&engine, raised, one_at_a_time](const Call& call) {
    return create(engine, raised, *one_at_a_time, call);
  });
  operations.add("cloudfront", "GetInvalidation", [&engine](const Call& call) { return get(engine, call); });
  operations.add("cloudfront", "ListInvalidations", [&engine](const Call& call) { return list(engine, call); });
  operations.add("cloudfront", "GetDistribution",
                 [&engine](const Call& call) { return get_distribution(engine, call); });
  operations.add("cloudfront", "GetDistributionConfig",
                 [&engine](const Call& call) { return get_distribution_config(engine, call); });
  operations.add("cloudfront", "ListDistributions",
                 [&engine](const Call& call) { return list_distributions(engine, call); });
}

}  // namespace securebase::edge
