#include "cli/aws_program.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "cli/commands.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Global options of the AWS CLI that have a value of their own ("AWS CLI command reference", aws).
constexpr std::array kWithValue = {"--endpoint-url",     "--output",           "--query",
                                   "--profile",          "--region",           "--color",
                                   "--ca-bundle",        "--cli-read-timeout", "--cli-connect-timeout",
                                   "--cli-binary-format"};

// The first words that are no options: service, operation, ...
Words subject_of(const Words& words) {
  Words subject;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) {
      subject.push_back(words[i]);
    } else if (std::find(kWithValue.begin(), kWithValue.end(), words[i]) != kWithValue.end()) {
      ++i;
    } else if (!subject.empty()) {
      break;  // the operation's own options begin
    }
  }
  return subject;
}

bool has(const Words& words, std::string_view option) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return word == option || (word.starts_with(option) && word.size() > option.size() && word[option.size()] == '=');
  });
}

// Replaces the value of an option, however it was written. Gives the old one.
std::optional<std::string> value_of(const Words& words, std::string_view option) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == option && i + 1 < words.size()) return words[i + 1];
    if (words[i].starts_with(option) && words[i].size() > option.size() && words[i][option.size()] == '=') {
      return words[i].substr(option.size() + 1);
    }
  }
  return std::nullopt;
}

void set_value(Words& words, std::string_view option, const std::string& value) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == option && i + 1 < words.size()) {
      words[i + 1] = value;
      return;
    }
    if (words[i].starts_with(option) && words[i].size() > option.size() && words[i][option.size()] == '=') {
      words[i] = fmt::format("{}={}", option, value);
      return;
    }
  }
}

Words split(const std::string& list) {
  Words parts;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const auto end = std::min(list.find(',', begin), list.size());
    if (end > begin) parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::vector<Words> metric_statistics(Words words, base::TimePoint now) {
  const auto add = [&words](std::string_view option, std::initializer_list<std::string> values) {
    if (has(words, option)) return;
    words.emplace_back(option);
    words.insert(words.end(), values);
  };
  // An end that was given and a beginning that was not: still an hour.
  add("--start-time", {base::iso8601(now - std::chrono::hours{1})});
  add("--end-time", {base::iso8601(now)});
  add("--period", {"300"});
  if (!has(words, "--extended-statistics")) {
    add("--statistics", {"SampleCount", "Average", "Sum", "Minimum", "Maximum"});
  }
  const auto names = split(value_of(words, "--metric-name").value_or(""));
  if (names.size() < 2) return {words};
  std::vector<Words> calls;
  for (const auto& name : names) {
    calls.push_back(words);
    set_value(calls.back(), "--metric-name", name);
  }
  return calls;
}

// Becomes a program; gives an exit code when that is not possible.
int become(const std::string& program, const Words& words) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execv(program.c_str(), argv.data());
  fail(system_error(errno, "execute", program));
  return 127;
}

// Runs a program to its end, or to ours; gives its exit code, as a shell does.
int run_program(const std::string& program, const Words& words) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return fail(system_error(errno, "fork", program));
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    _exit(getppid() == parent ? become(program, words) : 0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return fail(system_error(errno, "waitpid", program));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

AwsCalls aws_calls(const Words& words, const std::string& endpoint, base::TimePoint now) {
  const Words subject = subject_of(words);
  const auto is = [&subject](std::initializer_list<std::string_view> expected) {
    return subject.size() >= expected.size() && std::equal(expected.begin(), expected.end(), subject.begin());
  };
  if (is({"logs", "insights"})) return {{words}, AwsCalls::Program::kSecureBase};
  std::vector<Words> calls{words};
  if (is({"cloudwatch", "get-metric-statistics"}) && !has(words, "help") && !has(words, "--cli-input-json")) {
    calls = metric_statistics(words, now);
  }
  if (!endpoint.empty() && !has(words, "--endpoint-url")) {
    for (auto& call : calls) call.insert(call.begin(), {"--endpoint-url", endpoint});
  }
  return {std::move(calls), AwsCalls::Program::kAws};
}

std::string find_aws(const std::string& path, const std::string& not_this) {
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const auto end = std::min(path.find(':', begin), path.size());
    const fs::path directory = end > begin ? path.substr(begin, end - begin) : ".";
    begin = end + 1;
    const fs::path candidate = directory / "aws";
    std::error_code failure;
    if (access(candidate.c_str(), X_OK) != 0 || fs::is_directory(candidate, failure)) continue;
    if (fs::weakly_canonical(candidate, failure).native() == not_this) continue;
    return candidate.native();
  }
  return "";
}

int aws_main(int argc, char** argv) {
  std::error_code failure;
  const std::string self = fs::read_symlink("/proc/self/exe", failure).native();
  const char* const path = std::getenv("PATH");
  const char* const endpoint = std::getenv("AWS_ENDPOINT_URL");
  const auto made = aws_calls(Words(argv + 1, argv + argc), endpoint ? endpoint : "", base::system_clock().now());
  std::string program = self;
  if (made.program == AwsCalls::Program::kAws) {
    program = find_aws(path ? path : "", self);
    if (program.empty()) {
      return fail(Error{Errc::kNotFound,
                        "the AWS CLI is not installed (no other `aws` on the PATH); on Debian: apt install awscli"});
    }
  }
  // A command that runs until it is told to end (logs tail --follow) has to hear that itself.
  if (made.calls.size() == 1) return become(program, made.calls.front());
  int code = 0;
  for (const auto& call : made.calls) {
    const int ended = run_program(program, call);
    if (ended != 0) code = ended;
  }
  return code;
}

}  // namespace securebase::cli
