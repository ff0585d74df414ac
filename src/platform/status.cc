// How the platform is doing, and what clients need to reach it.
#include <fmt/format.h>
#include <unistd.h>

#include "platform/programs.h"
#include "platform/rooms.h"

namespace securebase::platform {

namespace {

base::Json child_status(const process::Status& status) {
  auto json = base::Json::object({{"state", process::to_string(status.state)}, {"restarts", status.restarts}});
  if (status.pid != 0) json.set("pid", static_cast<std::int64_t>(status.pid));
  if (!status.reason.empty()) json.set("reason", status.reason);
  return json;
}

// The first resource of the type, or null.
const stack::Resource* first(const stack::Stack& stack, std::string_view type) {
  for (const auto& resource : stack.resources) {
    if (resource.type == type && resource.mode == stack::Declaration::Mode::kResource) return &resource;
  }
  return nullptr;
}

std::string text_of(const stack::Resource& resource, std::string_view attribute) {
  return resource.attributes[attribute].to_text().value_or("");
}

const stack::Resource* first_cache(const stack::Stack& stack) {
  const auto* group = first(stack, "aws_elasticache_replication_group");
  return group ? group : first(stack, "aws_elasticache_cluster");
}

std::string cache_host(const stack::Resource& cache) {
  const std::string host = text_of(cache, "primary_endpoint_address");
  return host.empty() ? text_of(cache, "cluster_address") : host;
}

// The stack's own, or the one in the secret that RDS made.
std::string master_password(const stack::Resource& cluster, const secrets::Secrets& secrets) {
  const auto& managed = cluster.attributes["master_user_secret"];
  if (!managed.is_sequence() || managed.size() == 0) return text_of(cluster, "master_password");
  auto secret = secrets.value(managed.elements()[0]["secret_arn"].to_text().value_or(""));
  auto credentials = secret ? base::Json::parse(secret->reveal()) : Result<base::Json>(secret.error());
  return credentials ? std::string((*credentials)["password"].string_or("")) : "";
}

std::string as_text(const base::Json& status) {
  std::string text;
  const auto row = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("{:<14} {}\n", name, value);
  };
  for (const auto& [name, address] : *status["addresses"].as_object()) row(name, address.string_or(""));
  row("state", status["state"].string_or(""));
  row("up for", fmt::format("{} s", status["uptime_seconds"].integer_or(0)));
  for (const char* child : {"database", "cache"}) {
    const auto& one = status[child];
    row(child,
        fmt::format(
            "{}{}{}", one["state"].string_or(""),
            one["restarts"].integer_or(0) > 0 ? fmt::format(", restarted {} times", one["restarts"].integer_or(0)) : "",
            one.find("reason") ? fmt::format(" ({})", one["reason"].string_or("")) : ""));
  }
  const auto& edge = status["edge"];
  row("edge", fmt::format("{} requests, {} hits, {} misses, {} responses in {} bytes", edge["requests"].integer_or(0),
                          edge["hits"].integer_or(0), edge["misses"].integer_or(0), edge["stored"].integer_or(0),
                          edge["stored_bytes"].integer_or(0)));
  const auto& traces = status["traces"];
  row("traces", fmt::format("{} requests, {} kept; {} stored in {} bytes", traces["requests"].integer_or(0),
                            traces["kept"].integer_or(0), traces["stored_traces"].integer_or(0),
                            traces["stored_bytes"].integer_or(0)));
  text += "\nfunction                          invocations  errors  throttles  cold  busy  idle\n";
  for (const auto& function : *status["functions"].as_array()) {
    text += fmt::format("{:<32}  {:>11}  {:>6}  {:>9}  {:>4}  {:>4}  {:>4}\n", function["function"].string_or(""),
                        function["invocations"].integer_or(0), function["errors"].integer_or(0),
                        function["throttles"].integer_or(0), function["cold_starts"].integer_or(0),
                        function["busy"].integer_or(0), function["idle"].integer_or(0));
  }
  return text;
}

}  // namespace

base::Json Rooms::status() const {
  const auto in_force = current();
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(base::system_clock().steady() - begun_);
  const auto url = [this](std::string_view scheme, std::uint16_t port) { return settings_.url(scheme, port); };
  auto addresses = base::Json::object({{"http", url("http", settings_.http_port)},
                                       {"https", url("https", settings_.https_port)},
                                       {"aws", url("http", settings_.aws_port)},
                                       {"operator", url("http", settings_.operator_port)}});
  if (settings_.xray_port != 0) addresses.set("xray", url("udp", settings_.xray_port));
  if (const auto* cluster = first(*in_force, "aws_rds_cluster")) {
    addresses.set("postgres", fmt::format("{}:{}", text_of(*cluster, "endpoint"), text_of(*cluster, "port")));
  }
  if (const auto* cache = first_cache(*in_force)) {
    addresses.set("redis", fmt::format("{}:{}", cache_host(*cache), text_of(*cache, "port")));
  }

  auto functions = base::Json::array();
  const auto statistics = functions_->statistics();
  for (const auto& one : statistics.functions) {
    functions.push_back(base::Json::object({{"function", one.function},
                                            {"invocations", one.invocations},
                                            {"errors", one.errors},
                                            {"throttles", one.throttles},
                                            {"cold_starts", one.cold_starts},
                                            {"busy", std::uint64_t{one.busy}},
                                            {"idle", std::uint64_t{one.idle}},
                                            {"under_way", std::uint64_t{one.under_way}}}));
    if (one.reserved) functions.as_array()->back().set("reserved", std::uint64_t{*one.reserved});
  }
  auto database = child_status(database_->status());
  if (const auto facts = database_->facts(); facts.max_connections > 0) {
    database.set("connections", facts.connections);
    database.set("max_connections", facts.max_connections);
  }
  const auto edge = edge_->statistics();
  auto status = base::Json::object(
      {{"addresses", addresses},
       {"state", state_.directory().native()},
       {"stack", std::filesystem::absolute(in_force->directory).lexically_normal().native()},
       {"pid", std::int64_t{::getpid()}},
       {"uptime_seconds", std::int64_t{uptime.count()}},
       {"database", std::move(database)},
       {"cache", child_status(cache_->status())},
       {"edge", base::Json::object({{"requests", edge.requests},
                                    {"hits", edge.hits},
                                    {"misses", edge.misses},
                                    {"stored", std::uint64_t{edge.stored}},
                                    {"stored_bytes", std::uint64_t{edge.stored_bytes}}})},
       {"functions", functions},
       {"unreserved_concurrency", base::Json::object({{"under_way", std::uint64_t{statistics.unreserved_under_way}},
                                                      {"limit", std::uint64_t{statistics.unreserved_limit}}})}});
  status.set("traces", traces_->status());
  status.set("text", as_text(status));
  return status;
}

Result<base::Json> Rooms::environment() const {
  const auto in_force = current();
  const stack::Stack& stack = *in_force;
  auto variables = base::Json::object({{"SECUREBASE_STATE", state_.directory().native()},
                                       {"SECUREBASE_URL", settings_.url("http", settings_.http_port)},
                                       {"SECUREBASE_CA", authority_->certificate_file().native()},
                                       {"AWS_ACCESS_KEY_ID", secrets_->root().access_key_id},
                                       {"AWS_SECRET_ACCESS_KEY", secrets_->root().secret_access_key.reveal()},
                                       {"AWS_DEFAULT_REGION", stack.region},
                                       {"AWS_REGION", stack.region},
                                       {"AWS_ENDPOINT_URL", settings_.url("http", settings_.aws_port)}});
  if (const auto* cluster = first(stack, "aws_rds_cluster")) {
    variables.set("PGHOST", text_of(*cluster, "endpoint"));
    variables.set("PGPORT", text_of(*cluster, "port"));
    variables.set("PGDATABASE", text_of(*cluster, "database_name"));
    variables.set("PGUSER", text_of(*cluster, "master_username"));
    variables.set("PGPASSWORD", master_password(*cluster, *secrets_));
    variables.set("PGSSLMODE", "require");
    const std::string app = cluster->attributes["tags"]["securebase:app-credentials"].to_text().value_or("");
    if (auto secret = app.empty() ? Result<secrets::Secret>(Error{Errc::kNotFound, ""}) : secrets_->value(app)) {
      if (auto credentials = base::Json::parse(secret->reveal())) {
        variables.set("SECUREBASE_APP_USER", (*credentials)["username"]);
        variables.set("SECUREBASE_APP_PASSWORD", (*credentials)["password"]);
      }
    }
  }
  if (const auto* cache = first_cache(stack)) {
    variables.set("REDIS_HOST", cache_host(*cache));
    variables.set("REDIS_PORT", text_of(*cache, "port"));
    variables.set("REDIS_AUTH_TOKEN", text_of(*cache, "auth_token"));
    variables.set("REDISCLI_AUTH", text_of(*cache, "auth_token"));
  }
  auto programs = lay_out_programs(state_.directory());
  if (!programs) return programs.error().within("the programs of the environment");
  return base::Json::object({{"variables", variables}, {"programs", programs->native()}});
}

}  // namespace securebase::platform
