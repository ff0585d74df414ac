// What the room's tests share: the whole room with real processes, real Python and real sandboxes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <map>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "functions/functions.h"

namespace securebase::functions {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using Kind = InvokeOutcome::Kind;
namespace fs = std::filesystem;

inline net::Task<void> call_and_count(Functions& functions, std::string name, std::string event, InvokeOptions options,
                                      InvokeOutcome& outcome, std::mutex& mutex, std::condition_variable& changed,
                                      std::size_t& left) {
  outcome = co_await functions.invoke(std::move(name), std::move(event), std::move(options));
  const std::lock_guard lock(mutex);
  --left;
  changed.notify_all();
}

// By group, a line each.
class KeptLines final : public telemetry::LogSink {
 public:
  void write(const telemetry::LogLine& line) override {
    const std::lock_guard lock(mutex_);
    groups_[std::string(line.group)].append(line.message).append("\n");
  }
  std::string of(const std::string& group) {
    const std::lock_guard lock(mutex_);
    return groups_[group];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> groups_;
};

class FunctionsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "sandboxes with users of their own need root";
    state_ = fs::temp_directory_path() / ("functions-test-" + base::random_hex(12));
    fs::create_directories(state_);
    fs::permissions(state_, fs::perms::owner_all);
    std::ofstream(state_ / "master-key") << "the secret of the state directory";
    Settings settings;
    settings.state_directory = state_;
    settings.sandbox_program = SECUREBASE_SANDBOX_PROGRAM;
    settings.logs = &lines_;
    for (int port = 0; port < 65'536; ++port) {
      if (is_taken(static_cast<std::uint16_t>(port))) settings.taken_ports.insert(static_cast<std::uint16_t>(port));
    }
    functions_ = std::make_unique<Functions>(settings, workers_);
    auto started = functions_->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  void TearDown() override {
    if (functions_) functions_->stop();
    workers_.stop();
    functions_.reset();
    std::error_code ignored;
    if (!state_.empty()) fs::remove_all(state_, ignored);
  }

  // Half of all, whatever parity the kernel prefers.
  static bool is_taken(std::uint16_t port) { return (port & 16) != 0; }

  FunctionConfig& python(const std::string& name, const std::string& code) {
    const fs::path directory = state_ / "source" / name;
    fs::create_directories(directory);
    std::ofstream(directory / "app.py") << code;
    FunctionConfig made;
    made.name = name;
    made.arn = "arn:aws:lambda:us-east-1:123456789012:function:" + name;
    made.runtime = Runtime::kPython311;
    made.runtime_name = "python3.11";
    made.handler = "app.handler";
    made.code = directory;
    made.memory_mb = 512;
    config_.functions.push_back(made);
    return config_.functions.back();
  }
  // A custom runtime: `code` has call(), which asks the Runtime API, and serve(), which answers events from now on.
  FunctionConfig& runtime(const std::string& name, const std::string& code) {
    const fs::path directory = state_ / "source" / name;
    fs::create_directories(directory);
    std::ofstream(directory / "bootstrap") << R"(#!/usr/bin/python3.11
import http.client, json, os, time

def call(method, path, body=None, headers={}, timeout=None):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"], timeout=timeout)
    connection.request(method, "/2018-06-01/runtime/" + path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()

def serve(handler):
    while True:
        status, fields, event = call("GET", "invocation/next")
        answer = json.dumps(handler(json.loads(event))).encode()
        call("POST", "invocation/%s/response" % fields["Lambda-Runtime-Aws-Request-Id"], answer)
)" << code;
    fs::permissions(directory / "bootstrap", fs::perms(0755));
    FunctionConfig made;
    made.name = name;
    made.arn = "arn:aws:lambda:us-east-1:123456789012:function:" + name;
    made.runtime_name = "provided.al2023";
    made.code = directory;
    made.memory_mb = 512;
    config_.functions.push_back(made);
    return config_.functions.back();
  }
  void apply() {
    auto applied = functions_->apply(std::make_shared<const Config>(config_));
    ASSERT_TRUE(applied) << applied.error().message;
  }
  InvokeOutcome invoke(const std::string& name, const std::string& event = "{}", InvokeOptions options = {}) {
    return invoke_all(name, {event}, options).front();
  }
  // All at once, spread over the workers.
  std::vector<InvokeOutcome> invoke_all(const std::string& name, const std::vector<std::string>& events,
                                        InvokeOptions options = {}) {
    std::vector<InvokeOutcome> outcomes(events.size());
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t left = events.size();
    for (std::size_t i = 0; i < events.size(); ++i) {
      workers_[i % workers_.size()].post([&, i] {
        net::Worker::current().tasks().spawn(
            call_and_count(*functions_, name, events[i], options, outcomes[i], mutex, changed, left));
      });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return left == 0; });
    return outcomes;
  }
  std::string log_of(const std::string& name, std::string_view awaited) {
    for (int attempt = 0; attempt < 2000; ++attempt) {
      const auto all = lines_.of("/aws/lambda/" + name);
      if (all.find(awaited) != all.npos) return all;
      std::this_thread::sleep_for(10ms);
    }
    return "not found: " + std::string(awaited);
  }

  fs::path state_;
  KeptLines lines_;
  Config config_;
  net::Workers workers_{2};
  std::unique_ptr<Functions> functions_;
};

// The processes that run with `marker` in their environment.
inline std::vector<pid_t> processes_with(const std::string& marker) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    std::ifstream file(entry.path() / "environ");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.find(marker) != text.npos) found.push_back(pid);
  }
  return found;
}

inline bool all_gone_soon(const std::string& marker) {
  for (int attempt = 0; attempt < 200; ++attempt) {
    if (processes_with(marker).empty()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

}  // namespace securebase::functions
