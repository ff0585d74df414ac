// A virtual user: a JavaScript machine with the script loaded in it, an HTTP client, cookies and tags. Lives and works
// on one thread.
#pragma once

#include <JavaScriptCore/JavaScript.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "k6/answers.h"
#include "k6/cookie_jar.h"
#include "k6/http_client.h"
#include "k6/shared.h"
#include "k6/transfer.h"
#include "k6/vm.h"

namespace securebase::k6 {

class User {
 public:
  // `id` from 1; 0 is the one that sets up, tears down and summarises. `recorder` may be shared with others.
  User(Shared& shared, std::int64_t id, load::Recorder& recorder);
  ~User();
  User(const User&) = delete;
  User& operator=(const User&) = delete;

  // Runs the script's init code.
  Result<Done, ScriptError> initialise();
  // The exported options as JSON; "" when there are none.
  Result<std::string, ScriptError> options_text();
  bool exports(const std::string& function);
  std::string exported_names();
  // From now on it may make requests.
  void begin_requests();

  // Calls an exported function with JSON texts as arguments ("" is undefined); gives what it gave as JSON, "" for
  // undefined. At most until `deadline`; `ended` in the error says that it was reached.
  Result<std::string, ScriptError> call(const std::string& function, const std::vector<std::string>& arguments,
                                        Steady::time_point deadline);
  // textSummary() of our own k6-summary.
  Result<std::string, ScriptError> text_summary(const std::string& data, const std::string& options);

  enum class Ended { kComplete, kThrew, kInterrupted };
  // One iteration. `due`: when it should have begun (an arrival); `deadline`: when it is interrupted.
  Ended iterate(ScenarioRun& run, std::optional<Steady::time_point> due, Steady::time_point deadline);

  Interruption& interruption() { return interruption_; }

 private:
  friend struct Natives;        // natives.cc
  friend struct AnswerNatives;  // answers.cc
  friend struct HttpNatives;    // natives_http.cc
  friend struct Hops;           // hops.cc
  friend struct CookieNatives;  // natives_cookies.cc
  friend struct DataNatives;    // natives_data.cc

  static JSValueRef rejected(JSContextRef context, JSObjectRef function, JSObjectRef self, std::size_t count,
                             const JSValueRef a[], JSValueRef* exception);
  Result<JSObjectRef, ScriptError> function_for(const std::string& name);
  // Until a promise is settled, and no timer and no request is left. `value`: what a call by way of runtime.js's run()
  // gave.
  Result<JSValueRef, ScriptError> run_until_settled(JSValueRef value);
  void reset_after_iteration();
  // What js/k6.js has counted of checks since the last time, for as long as nobody asks for their tags.
  void take_tallies(load::Recorder::Batch& batch);
  void take_tallies();
  void set_tag(std::string_view name, std::int64_t value);
  // The number of a request's endpoint.
  std::size_t endpoint_of(const Transfer& t);
  SampleTags sample_tags(const TagList* extra = nullptr, const TagList* own = nullptr) const;

  Shared& shared_;
  const std::int64_t id_;
  load::Recorder& recorder_;
  Interruption interruption_;
  Answers answers_;
  Vm vm_;
  JSObjectRef runtime_ = nullptr;
  JSObjectRef tick_ = nullptr;
  JSObjectRef run_function_ = nullptr;
  JSObjectRef waiting_ = nullptr;
  double* numbers_ = nullptr;  // of a Float64Array that the runtime holds; and this
  double* tally_ = nullptr;    // fails and passes of each check, by its number
  std::map<std::string, JSObjectRef> functions_;
  JSValueRef setup_value_ = nullptr;
  bool setup_parsed_ = false;
  bool in_init_ = true;
  bool aborted_ = false;
  std::optional<ScriptError> unhandled_;  // a promise that was rejected, and nobody heard
  const ScenarioRun* environment_of_ = nullptr;

  std::unique_ptr<HttpClient> client_;
  std::vector<CookieJar> jars_{1};  // the first is the user's own
  std::size_t init_jars_ = 1;       // how many of them the init code made
  std::vector<Transfer> batch_;
  std::map<std::uint64_t, Transfer> started_;
  std::map<std::uint64_t, Transfer> ready_;
  std::map<std::uint64_t, std::uint64_t> hops_;  // the client's number of a started hop: the transfer's number
  std::vector<std::uint64_t> ready_order_;
  std::uint64_t next_transfer_ = 1;
  std::shared_ptr<const Url> last_url_;             // of the latest request: most are for the same
  std::optional<Endpoints::Names> endpoint_names_;  // these three: with shared_.endpoints
  Endpoints::Shard* endpoints_ = nullptr;
  std::pair<std::shared_ptr<const Url>, std::size_t> latest_endpoint_;  // of a request without a name of its own
  std::vector<Groups::Check*> checks_;                                  // by number: this user's

  ScenarioRun* run_ = nullptr;
  std::optional<Steady::time_point> due_;
  TagList tags_;  // of the scenario and the run, and what the script set
  const ScenarioRun* tags_of_ =
      nullptr;         // whose they are; what the script set stays for as long as it is in that scenario
  TagList group_tag_;  // {"group", path}
  std::size_t group_ = 0;
  std::uint64_t iteration_ = 0;  // of this user, from 0
  std::map<const ScenarioRun*, std::uint64_t> iterations_in_;
  std::uint64_t iteration_in_scenario_ = 0;
  std::uint64_t iteration_in_test_ = 0;
};

}  // namespace securebase::k6
