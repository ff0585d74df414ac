// What the command line asks the running platform: plan, apply, invalidate, invoke.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "platform/await.h"
#include "platform/rooms.h"
#include "stack/plan.h"

namespace securebase::platform {

namespace {

Result<StackSource> source_from(const base::Json& question) {
  StackSource source;
  source.directory = question["directory"].string_or("");
  if (source.directory.empty()) return Error{Errc::kMalformed, "which directory?"};
  if (const auto* variables = question["variables"].as_array()) {
    for (const auto& pair : *variables) {
      const auto* both = pair.as_array();
      if (both && both->size() == 2) source.variables.emplace_back((*both)[0].string_or(""), (*both)[1].string_or(""));
    }
  }
  const auto paths = [&question](std::string_view name, std::vector<std::filesystem::path>& into) {
    if (const auto* array = question[name].as_array()) {
      for (const auto& path : *array) into.emplace_back(path.string_or(""));
    }
  };
  paths("variable_files", source.variable_files);
  paths("file_roots", source.file_roots);
  source.programs = question["programs"].bool_or(false);
  return source;
}

// What was shown is what is applied: the fingerprint is of the change and of what it starts from.
std::string fingerprint_of(const stack::Plan& plan, const stack::Stack& wanted) {
  return base::hex(base::sha256(stack::render_plan(plan, wanted))).substr(0, 16);
}

std::string summary_of(const stack::Plan& plan) {
  int added = 0;
  int changed = 0;
  int deleted = 0;
  for (const auto& change : plan.changes) {
    using Action = stack::Change::Action;
    added += change.action == Action::kCreate || change.action == Action::kReplace;
    deleted += change.action == Action::kDelete || change.action == Action::kReplace;
    changed += change.action == Action::kUpdate;
  }
  return fmt::format("{} added, {} changed, {} destroyed", added, changed, deleted);
}

template <class Duration>
std::string microseconds(Duration duration) {
  return fmt::format("{} us", std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

Result<base::Json> Rooms::plan(const base::Json& question) const {
  auto source = source_from(question);
  if (!source) return source.error();
  auto files = read(*source);
  if (!files) return files.error();
  const std::lock_guard lock(mutex_);
  auto next = wanted(std::move(*files), recorded_);
  if (!next) return next.error();
  const auto& after = *next->configuration.stack;
  const auto changes = plan_of(next->configuration);
  if (!changes) return changes.error();
  return base::Json::object({{"text", stack::render_plan(*changes, after)},
                             {"changes", !changes->empty()},
                             {"fingerprint", fingerprint_of(*changes, after)}});
}

Result<base::Json> Rooms::apply(const base::Json& question) {
  auto source = source_from(question);
  if (!source) return source.error();
  auto files = read(*source);
  if (!files) return files.error();
  const std::lock_guard lock(mutex_);
  auto next = wanted(std::move(*files), recorded_);
  if (!next) return next.error();
  const auto changes = plan_of(next->configuration);
  if (!changes) return changes.error();
  if (question["fingerprint"].string_or("") != fingerprint_of(*changes, *next->configuration.stack)) {
    return Error{Errc::kConflict, "the files or the platform changed since the plan was shown; plan again"};
  }
  if (auto done = go_over_and_keep(std::move(*next), *source); !done) return done.error();
  return base::Json::object({{"text", fmt::format("Applied: {}.", summary_of(*changes))}});
}

Result<base::Json> Rooms::invalidate(const base::Json& question) {
  std::vector<std::string> paths;
  std::vector<std::string> tags;
  if (const auto* what = question["what"].as_array()) {
    for (const auto& one : *what) {
      const std::string text(one.string_or(""));
      if (text.size() > 1 && text.front() == '#') {
        tags.push_back(text.substr(1));
      } else if (!text.empty() && text.front() == '/') {
        paths.push_back(text);
      } else {
        return Error{Errc::kMalformed,
                     fmt::format("\"{}\" is neither a path (/images/*) nor a tag (#customer:42)", text)};
      }
    }
  }
  const bool hard = question["hard"].bool_or(false);

  const auto begin = base::system_clock().steady();
  auto at_edge = edge_->invalidate(paths, tags, hard ? edge::Strength::kHard : edge::Strength::kSoft);
  if (!at_edge) return at_edge.error();
  const auto edge_done = base::system_clock().steady();
  // The edge raised the tags, which the gateway shares.
  gateway_->invalidate_tags(tags);
  const std::size_t dropped = gateway_->invalidate_paths(paths, hard ? store::Strength::kHard : store::Strength::kSoft);
  const auto gateway_done = base::system_clock().steady();
  cache::Receipt in_redis;
  std::string redis_failure;
  if (!tags.empty()) {
    auto receipt = cache_->invalidate(tags);
    if (receipt) {
      in_redis = *receipt;
    } else {
      redis_failure = receipt.error().message;
    }
  }

  auto text = fmt::format("edge     {} path rules, {} tags, generation {}, {}\n", paths.size(), tags.size(),
                          at_edge->generation, microseconds(edge_done - begin));
  text += fmt::format("gateway  {} stored responses by path, {} tags, {}\n", dropped, tags.size(),
                      microseconds(gateway_done - edge_done));
  if (!redis_failure.empty()) {
    text += fmt::format("Redis    {}\n", redis_failure);
  } else {
    std::uint64_t keys = 0;
    for (const auto& tag : in_redis.tags) keys += tag.keys;
    text += fmt::format("Redis    {} keys of {} tags, {}\n", keys, in_redis.tags.size(), microseconds(in_redis.took));
  }
  return base::Json::object({{"text", text}, {"generation", at_edge->generation}});
}

Result<base::Json> Rooms::invoke(const base::Json& question) {
  const std::string function(question["function"].string_or(""));
  const std::string payload(question["payload"].string_or(""));
  if (auto valid = base::Json::parse(payload); !valid) return valid.error().within("the payload");
  if (!functions_->knows(function)) {
    return Error{Errc::kNotFound, fmt::format("there is no function \"{}\"; `securebase status` lists them", function)};
  }
  const auto outcome = await_on((*workers_)[0], functions_->invoke(function, payload, {}));
  using Kind = functions::InvokeOutcome::Kind;
  const auto milliseconds = [](std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000; };
  return base::Json::object(
      {{"ok", outcome.kind == Kind::kOk},
       {"payload", outcome.payload},
       {"report",
        fmt::format("RequestId: {} Duration: {:.2f} ms{}", outcome.request_id, milliseconds(outcome.duration),
                    outcome.cold_start ? fmt::format(" Init Duration: {:.2f} ms", milliseconds(outcome.init_duration))
                                       : std::string())}});
}

namespace {

base::Json user_as_json(const secrets::User& user) {
  auto json = base::Json::object(
      {{"name", user.name}, {"access_key_id", user.access_key_id}, {"created", base::iso8601(user.created)}});
  if (const auto& key = user.secret_access_key.reveal(); !key.empty()) json.set("secret_access_key", key);
  return json;
}

}  // namespace

// Who may call the AWS APIs. What this changes counts for the next request.
Result<base::Json> Rooms::credentials(const base::Json& question) {
  const auto what = question["what"].string_or("");
  const auto name = question["name"].string_or("");
  if (what == "list") {
    auto users = base::Json::array();
    for (const auto& user : secrets_->users()) users.push_back(user_as_json(user));
    return base::Json::object({{"root", secrets_->root().access_key_id}, {"users", users}});
  }
  if (what == "delete") {
    if (auto deleted = secrets_->delete_user(name); !deleted) return deleted.error();
    return base::Json::object();
  }
  if (what != "create" && what != "rotate") {
    return Error{Errc::kMalformed, "what about the credentials: create, list, delete or rotate?"};
  }
  auto user = what == "create" ? secrets_->create_user(name) : secrets_->rotate_user(name);
  if (!user) return user.error();
  return user_as_json(*user);
}

// What is answered of the AWS APIs: {"sts": ["AssumeRole", ...]}.
base::Json Rooms::operations() const {
  auto services = base::Json::object();
  for (const auto& [service, operation] : operations_.all()) {
    auto list = services[service];
    list.push_back(operation);
    services.set(service, std::move(list));
  }
  return services;
}

}  // namespace securebase::platform
