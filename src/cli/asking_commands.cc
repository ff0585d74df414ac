// The commands that ask the running platform: status, env, invoke, invalidate, credentials, operations.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <memory>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

struct InvokeOptions {
  std::filesystem::path state;
  std::string function;
  std::string payload = "{}";  // JSON, @file, or - for standard input
  bool log = false;
};

struct InvalidateOptions {
  std::filesystem::path state;
  std::vector<std::string> what;  // paths and #tags
  bool hard = false;
};

struct CredentialsOptions {
  std::filesystem::path state;
  std::string what;  // create, list, delete, rotate
  std::string name;
};

Result<std::string> read_payload(const std::string& given) {
  if (given == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  if (given.starts_with('@')) return base::read_file(given.substr(1));
  return given;
}

int status(const std::filesystem::path& state, bool as_json) {
  auto answer = platform::Control(state).ask("/status");
  if (!answer) return fail(answer.error());
  if (as_json) {
    fmt::print("{}\n", answer->dump(2));
  } else {
    fmt::print("{}", (*answer)["text"].string_or(""));
  }
  return kDone;
}

int environment(const std::filesystem::path& state, bool as_json) {
  auto answer = platform::Control(state).ask("/environment");
  if (!answer) return fail(answer.error());
  if (as_json) {
    fmt::print("{}\n", (*answer)["variables"].dump(2));
    return kDone;
  }
  if (const auto* variables = (*answer)["variables"].as_object()) {
    for (const auto& [name, value] : *variables) fmt::print("export {}={}\n", name, shell_quoted(value.string_or("")));
  }
  if (const auto* directory = (*answer)["programs"].as_string()) {
    const std::string quoted = shell_quoted(*directory);
    fmt::print("case \":$PATH:\" in *:{}:*) ;; *) export PATH={}:\"$PATH\" ;; esac\n", quoted, quoted);
  }
  return kDone;
}

int invoke(const InvokeOptions& options) {
  auto payload = read_payload(options.payload);
  if (!payload) return fail(payload.error());
  auto answer = platform::Control(options.state)
                    .ask("/invoke", base::Json::object({{"function", options.function}, {"payload", *payload}}));
  if (!answer) return fail(answer.error());
  fmt::print("{}\n", (*answer)["payload"].string_or(""));
  if (options.log) fmt::print(stderr, "{}\n", (*answer)["report"].string_or(""));
  return (*answer)["ok"].bool_or(false) ? kDone : kFailed;
}

int invalidate(const InvalidateOptions& options) {
  auto what = base::Json::array();
  for (const auto& one : options.what) what.push_back(one);
  auto answer =
      platform::Control(options.state).ask("/invalidate", base::Json::object({{"what", what}, {"hard", options.hard}}));
  if (!answer) return fail(answer.error());
  fmt::print("{}", (*answer)["text"].string_or(""));
  return kDone;
}

int credentials(const CredentialsOptions& options) {
  auto answer = platform::Control(options.state)
                    .ask("/credentials", base::Json::object({{"what", options.what}, {"name", options.name}}));
  if (!answer) return fail(answer.error());
  if (options.what == "list") {
    fmt::print("{:<24}  {:<20}  {}\n", "USER", "ACCESS KEY", "CREATED");
    fmt::print("{:<24}  {:<20}  {}\n", "root", (*answer)["root"].string_or(""), "at first start");
    if (const auto* users = (*answer)["users"].as_array()) {
      for (const auto& user : *users) {
        fmt::print("{:<24}  {:<20}  {}\n", user["name"].string_or(""), user["access_key_id"].string_or(""),
                   user["created"].string_or(""));
      }
    }
  } else if (options.what != "delete") {
    fmt::print("export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n",
               shell_quoted((*answer)["access_key_id"].string_or("")),
               shell_quoted((*answer)["secret_access_key"].string_or("")));
    fmt::print(stderr, "The secret key of {} is shown this once.\n", options.name);
  }
  return kDone;
}

// As rows of a table in Markdown, which docs/aws-apis.md holds.
int operations(const std::filesystem::path& state) {
  auto answer = platform::Control(state).ask("/operations");
  if (!answer) return fail(answer.error());
  for (const auto& [service, names] : *answer->as_object()) {
    std::string row;
    for (const auto& name : *names.as_array()) row += (row.empty() ? "" : ", ") + std::string(name.string_or(""));
    fmt::print("| {} | {} |\n", service, row);
  }
  return kDone;
}

void add_invoke(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<InvokeOptions>();
  auto* command = app.add_subcommand("invoke", "Call a function");
  command->add_option("function", options->function, "Its name or ARN, with a qualifier or without")->required();
  command->add_option("--payload,-p", options->payload, "The event: JSON, @FILE, or - for standard input")
      ->capture_default_str();
  command->add_flag("--log", options->log, "Say how long it took, on standard error");
  add_state_option(*command, state);
  teach(*command,
        "  securebase invoke securebase-prod-critical-api --log\n"
        "  securebase invoke NAME -p '{\"customer_id\":\"abc123\"}'\n"
        "  securebase invoke NAME:prod -p @event.json > answer.json",
        "0 the function answered; 1 it failed (its error is on standard output), or there is none of that name");
  command->callback([options, &state, &chosen] {
    options->state = state;
    chosen = [options] { return invoke(*options); };
  });
}

void add_invalidate(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<InvalidateOptions>();
  auto* command = app.add_subcommand(
      "invalidate", "Make what is cached stale at edge, gateway and Redis: paths (/a, /a/*) or '#tags'");
  command->add_option("what", options->what, "Paths and #tags")->required()->type_name("PATH|#TAG");
  command->add_flag("--hard", options->hard, "Nothing stale is served while it is fetched again");
  add_state_option(*command, state);
  teach(*command,
        "  securebase invalidate '/assets/*' /index.html\n"
        "  securebase invalidate '#customer:42'                 what belongs to that customer, on every path\n"
        "  securebase invalidate --hard '/*'",
        "0 what was cached is stale; 1 it could not be done");
  command->callback([options, &state, &chosen] {
    options->state = state;
    chosen = [options] { return invalidate(*options); };
  });
}

void add_credentials(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<CredentialsOptions>();
  auto* all = app.add_subcommand("credentials", "Users of the AWS APIs, and their keys");
  all->require_subcommand(1);
  const auto add = [&](const char* what, const char* about, bool named) {
    auto* command = all->add_subcommand(what, about);
    if (named) command->add_option("name", options->name, "The user")->required()->type_name("NAME");
    add_state_option(*command, state);
    command->callback([options, what, &state, &chosen] {
      options->what = what;
      options->state = state;
      chosen = [options] { return credentials(*options); };
    });
  };
  add("create", "Make a user; the secret key is shown this once", true);
  add("list", "Users and their access keys", false);
  add("delete", "A user's key and sessions end at once", true);
  add("rotate", "Another key for a user; the old one and its sessions end at once", true);
}

}  // namespace

void add_asking_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto as_json = std::make_shared<bool>(false);
  auto* status_command = app.add_subcommand("status", "What runs, where, and how it is doing");
  add_state_option(*status_command, state);
  status_command->add_flag("--json", *as_json, "For programs");
  teach(*status_command,
        "  securebase status --json | jq -r .addresses.http\n"
        "  securebase status --json | jq .database.state       ready, starting, backing off, stopped",
        "0 a platform runs and answered; 1 none runs on this state directory");
  status_command->callback(
      [as_json, &state, &chosen] { chosen = [as_json, &state] { return status(state, *as_json); }; });

  auto* environment_command =
      app.add_subcommand("env", "Shell exports for psql, redis-cli and AWS clients: eval \"$(securebase env)\"");
  add_state_option(*environment_command, state);
  auto environment_as_json = std::make_shared<bool>(false);
  environment_command->add_flag("--json", *environment_as_json, "An object of the variables, for programs; no PATH");
  teach(*environment_command,
        "  eval \"$(securebase env)\"\n"
        "  psql                                                 as the cluster's owner\n"
        "  redis-cli --tls --cacert \"$SECUREBASE_CA\" -p \"$REDIS_PORT\" ping\n"
        "  aws s3 ls                                            with the root credentials of this platform\n"
        "  securebase env --json | jq -r .PGPASSWORD",
        "0 done; 1 no platform runs on this state directory");
  environment_command->callback([environment_as_json, &state, &chosen] {
    chosen = [environment_as_json, &state] { return environment(state, *environment_as_json); };
  });

  add_invoke(app, state, chosen);
  add_invalidate(app, state, chosen);
  add_credentials(app, state, chosen);

  auto* operations_command = app.add_subcommand("operations", "What is answered of the AWS APIs, by service");
  add_state_option(*operations_command, state);
  operations_command->callback([&state, &chosen] { chosen = [&state] { return operations(state); }; });
}

}  // namespace securebase::cli
