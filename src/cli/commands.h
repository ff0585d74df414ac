// The commands of `securebase`. Each file of commands adds its own to the command line; the one that was typed puts
// what it does into `chosen`. Exit codes: 0 done, 1 failed (the reason is on standard error), 2 `plan
// -detailed-exitcode` found changes, 64 the command line was wrong (sysexits.h).
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "platform/platform.h"

namespace CLI {
class App;
}

namespace securebase::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kChanges = 2;
inline constexpr int kUsage = 64;

// What a command does once all words are read.
using Chosen = std::function<int()>;

// `state` is filled by --state; it and `chosen` outlive the parsing and the run.
void add_stack_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen);   // up, plan, apply
void add_asking_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen);  // status, env, invoke, ...
void add_view_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen);    // targets, traces, uptime, rum
void add_lighthouse_command(CLI::App& app, std::filesystem::path& state, Chosen& chosen);
void add_alarm_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen);
void add_notify_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen);
void add_log_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen);
void add_load_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen);
void add_artillery_commands(CLI::App& app, Chosen& chosen);
void add_gate_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen);  // check, rollback

// The line that gives another shell the credentials of the platform on this state directory.
std::string command_for_credentials(const std::filesystem::path& state);

// Runs the platform until it is told to end (up.cc).
int up(const platform::Settings& settings);

// Parses the arguments and runs the command that they name.
int run(int argc, char** argv);

}  // namespace securebase::cli
