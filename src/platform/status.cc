// How the platform is doing, and what clients need to reach it.
#include <fmt/format.h>

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
  const std::lock_guard lock(mutex_);
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(base::system_clock().steady() - begun_);
  const auto url = [this](std::string_view scheme, std::uint16_t port) {
    return fmt::format("{}://{}:{}", scheme, settings_.bind, port);
  };
  auto addresses = base::Json::object({{"http", url("http", settings_.http_port)},
                                       {"https", url("https", settings_.https_port)},
                                       {"aws", url("http", settings_.aws_port)},
                                       {"operator", url("http", settings_.operator_port)}});
  if (first(*applied_.stack, "aws_rds_cluster")) {
    addresses.set("postgres", fmt::format("127.0.0.1:{}", settings_.postgres_port));
  }
  if (first(*applied_.stack, "aws_elasticache_replication_group") ||
      first(*applied_.stack, "aws_elasticache_cluster")) {
    addresses.set("redis", fmt::format("127.0.0.1:{}", settings_.redis_port));
  }

  auto functions = base::Json::array();
  for (const auto& one : functions_->statistics().functions) {
    functions.push_back(base::Json::object({{"function", one.function},
                                            {"invocations", one.invocations},
                                            {"errors", one.errors},
                                            {"throttles", one.throttles},
                                            {"cold_starts", one.cold_starts},
                                            {"busy", std::uint64_t{one.busy}},
                                            {"idle", std::uint64_t{one.idle}}}));
  }
  const auto edge = edge_->statistics();
  auto status = base::Json::object({{"addresses", addresses},
                                    {"state", state_.directory().native()},
                                    {"stack", applied_.stack->directory.native()},
                                    {"uptime_seconds", std::int64_t{uptime.count()}},
                                    {"database", child_status(database_->status())},
                                    {"cache", child_status(cache_->status())},
                                    {"edge", base::Json::object({{"requests", edge.requests},
                                                                 {"hits", edge.hits},
                                                                 {"misses", edge.misses},
                                                                 {"stored", std::uint64_t{edge.stored}},
                                                                 {"stored_bytes", std::uint64_t{edge.stored_bytes}}})},
                                    {"functions", functions}});
  status.set("text", as_text(status));
  return status;
}

Result<base::Json> Rooms::environment() const {
  const std::lock_guard lock(mutex_);
  const stack::Stack& stack = *applied_.stack;
  auto variables =
      base::Json::object({{"SECUREBASE_STATE", state_.directory().native()},
                          {"SECUREBASE_URL", fmt::format("http://{}:{}", settings_.bind, settings_.http_port)},
                          {"SECUREBASE_CA", authority_->certificate_file().native()},
                          {"AWS_ACCESS_KEY_ID", secrets_->root().access_key_id},
                          {"AWS_SECRET_ACCESS_KEY", secrets_->root().secret_access_key.reveal()},
                          {"AWS_DEFAULT_REGION", stack.region},
                          {"AWS_REGION", stack.region},
                          {"AWS_ENDPOINT_URL", fmt::format("http://{}:{}", settings_.bind, settings_.aws_port)}});
  if (const auto* cluster = first(stack, "aws_rds_cluster")) {
    variables.set("PGHOST", "127.0.0.1");
    variables.set("PGPORT", std::to_string(settings_.postgres_port));
    variables.set("PGDATABASE", text_of(*cluster, "database_name"));
    variables.set("PGUSER", text_of(*cluster, "master_username"));
    variables.set("PGPASSWORD", text_of(*cluster, "master_password"));
    variables.set("PGSSLMODE", "require");
    const std::string app = cluster->attributes["tags"]["securebase:app-credentials"].to_text().value_or("");
    if (auto secret = app.empty() ? Result<secrets::Secret>(Error{Errc::kNotFound, ""}) : secrets_->value(app)) {
      if (auto credentials = base::Json::parse(secret->reveal())) {
        variables.set("SECUREBASE_APP_USER", (*credentials)["username"]);
        variables.set("SECUREBASE_APP_PASSWORD", (*credentials)["password"]);
      }
    }
  }
  const auto* group = first(stack, "aws_elasticache_replication_group");
  if (group) {
    variables.set("REDIS_HOST", "127.0.0.1");
    variables.set("REDIS_PORT", std::to_string(settings_.redis_port));
    variables.set("REDIS_AUTH_TOKEN", text_of(*group, "auth_token"));
    variables.set("REDISCLI_AUTH", text_of(*group, "auth_token"));
  }
  auto programs = lay_out_programs(state_.directory());
  if (!programs) return programs.error().within("the programs of the environment");
  return base::Json::object({{"variables", variables}, {"programs", programs->native()}});
}

}  // namespace securebase::platform
