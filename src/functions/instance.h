// One sandboxed process with a Runtime API of its own: a loopback port that only its user may speak to. Belongs to the
// worker that started it. AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
//
//   starting --next--> idle <--> busy --> ended        (a timeout, a crash or a failed init lead to ended from
//   anywhere)
#pragma once

#include <memory>
#include <set>
#include <string>

#include "functions/function.h"
#include "functions/log_writer.h"
#include "functions/peer.h"
#include "functions/warden_client.h"
#include "net/http/server.h"

namespace securebase::functions {

class Instance final : public http::Handler, public std::enable_shared_from_this<Instance> {
 public:
  // What instances share. Outlives them.
  struct Doors {
    const Settings& settings;
    const base::Clock& clock;
    WardenClient& warden;
    LogWriter& logs;
    std::string python_runtime;  // the directory that becomes /var/runtime
  };

  Instance(Doors& doors, std::shared_ptr<Function> function, std::uint64_t id, std::uint32_t uid);

  // From the start to the end of the process; on the worker that it will belong to.
  net::Task<Ending> live();

  // Any thread, under the function's lock: gives a job to an instance that the dispatch had idle.
  void hand_over(std::shared_ptr<Job> job) { mailbox_.answer(std::move(job)); }
  void kill() { doors_.warden.kill(id_); }
  std::uint64_t id() const { return id_; }

  // After live().
  bool initialised() const { return initialised_; }
  const std::string& init_error() const { return init_error_; }  // what the runtime posted, or ""
  const std::string& init_error_type() const { return init_error_type_; }
  std::uint32_t uid() const { return uid_; }
  // A job that was handed over and never reached the process, which had just died; null: none.
  net::Task<std::shared_ptr<Job>> take_stranded();

  net::Task<http::Response> answer(http::Request& request) override;

 private:
  std::shared_ptr<Job> look_for_work();
  net::Task<http::Response> next();
  net::Task<http::Response> response(http::Request& request);
  net::Task<http::Response> error(http::Request& request);
  net::Task<http::Response> init_failed(http::Request& request);
  http::Response deliver(std::shared_ptr<Job> job);
  void on_first_next();
  void expect_return();
  void on_timeout();
  void finish(InvokeOutcome outcome, std::string_view status);
  void record_spans(const Job& job, const InvokeOutcome& outcome) const;
  void finish_by_ending(const Ending& ending);
  void open_log(int pipe);
  // The answer to a result: an acknowledgement, or the next event where the runtime asked for that with it.
  net::Task<http::Response> after_result(bool with_next);
  bool speaks_for_itself(const http::Request& request);
  std::chrono::microseconds elapsed_since(base::SteadyPoint start) const;

  // Constant after construction.
  Doors& doors_;
  const std::shared_ptr<Function> function_;
  const std::uint64_t id_;
  const std::uint32_t uid_;
  // Any thread.
  net::Reply<std::shared_ptr<Job>> mailbox_;  // replaced by next(), between two jobs
  net::Reply<Ending> ended_;
  // Worker only.
  net::Worker& worker_;
  std::unique_ptr<http::WorkerServer> server_;
  PeerUsers users_;
  std::set<std::uint64_t> proven_;  // connections that the instance's own user has made
  net::Timer timer_;
  LogWriter::StreamPointer log_;
  std::string log_name_;
  base::SteadyPoint started_;
  base::SteadyPoint delivered_;
  std::chrono::microseconds init_duration_{0};
  bool initialised_ = false;
  bool polling_ = false;       // a connection waits for the mailbox
  bool mailbox_open_ = false;  // idle: a job may come, whether or not a connection waits for it
  bool first_job_ = true;
  bool over_ = false;  // killed on purpose: asks for no more work
  std::string init_error_, init_error_type_;
  std::shared_ptr<Job> job_;
  std::shared_ptr<Job> stranded_;
};

// {"errorType":...,"errorMessage":...}
std::string error_payload(std::string_view type, std::string_view message);
// "Runtime exited with error: signal: killed", as Lambda words an ending.
std::string describe_ending(const Ending& ending);

}  // namespace securebase::functions
