// The commands that ask the running platform: status, env, invoke, invalidate, targets, traces, uptime, rum.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <thread>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

// 'text' for a POSIX shell.
std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

Result<std::string> read_payload(const std::string& given) {
  if (given == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  }
  if (given.starts_with('@')) return base::read_file(given.substr(1));
  return given;
}

}  // namespace

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

int environment(const std::filesystem::path& state) {
  auto answer = platform::Control(state).ask("/environment");
  if (!answer) return fail(answer.error());
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

int targets(const TargetsOptions& options) {
  const auto question = base::Json::object({{"window_seconds", std::int64_t{options.window.count()}}});
  for (;;) {
    auto answer = platform::Control(options.state).ask("/targets", question);
    if (!answer) return fail(answer.error());
    if (options.watch && !options.json && colour_on(1)) fmt::print("\x1b[H\x1b[2J");  // the screen anew
    if (options.json) {
      fmt::print("{}\n", (*answer)["report"].dump(options.watch ? 0 : 2));
    } else {
      fmt::print("{}", (*answer)["text"].string_or(""));
    }
    std::fflush(stdout);
    if (!options.watch) return (*answer)["report"]["pass"].bool_or(false) ? kDone : kFailed;
    std::this_thread::sleep_for(std::chrono::seconds{2});
  }
}

int traces(const TracesOptions& options) {
  std::string route;
  for (const auto& word : options.route) route += (route.empty() ? "" : " ") + word;
  auto answer = platform::Control(options.state)
                    .ask("/traces", base::Json::object({{"what", options.what},
                                                        {"id", options.id},
                                                        {"route", route},
                                                        {"filter", options.filter},
                                                        {"most", options.most},
                                                        {"window_seconds", std::int64_t{options.window.count()}}}));
  if (!answer) return fail(answer.error());
  if (options.json) {
    fmt::print("{}\n", (*answer)["report"].dump(2));
  } else {
    fmt::print("{}", (*answer)["text"].string_or(""));
  }
  return kDone;
}

int uptime(const UptimeOptions& options) {
  auto answer = platform::Control(options.state)
                    .ask("/uptime", base::Json::object({{"window_seconds", std::int64_t{options.window.count()}},
                                                        {"objective", options.objective}}));
  if (!answer) return fail(answer.error());
  if (options.json) {
    fmt::print("{}\n", (*answer)["report"].dump(2));
  } else {
    fmt::print("{}", (*answer)["text"].string_or(""));
  }
  return (*answer)["report"]["pass"].bool_or(false) ? kDone : kFailed;
}

int rum(const RumOptions& options) {
  auto answer =
      platform::Control(options.state)
          .ask("/rum", base::Json::object({{"most", std::uint64_t{options.most}}, {"slowest", options.slowest}}));
  if (!answer) return fail(answer.error());
  if (options.json) {
    fmt::print("{}\n", (*answer)["report"].dump(2));
  } else {
    fmt::print("{}", (*answer)["text"].string_or(""));
  }
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

}  // namespace securebase::cli
