#include "k6/user.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "k6/js.h"
#include "k6/natives.h"

namespace securebase::k6 {

namespace {

constexpr std::size_t kNumbers = 32;
constexpr std::size_t kTalliedChecks = 512;  // k6.js
constexpr std::size_t kTallied = 29;         // k6.js
constexpr std::size_t kIteration = 30;       // these two: runtime.js
constexpr std::size_t kTimers = 31;

}  // namespace

// (promise, reason): called by the engine when its turn is over and nobody has taken the rejection up.
JSValueRef User::rejected(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t count, const JSValueRef a[],
                          JSValueRef*) {
  User& user = current_user();
  if (count >= 2 && !user.unhandled_) {
    user.unhandled_ = user.vm_.describe(a[1]);
    user.unhandled_->message = "Uncaught (in promise) " + user.unhandled_->message;
  }
  return JSValueMakeUndefined(context);
}

User::User(Shared& shared, std::int64_t id, load::Recorder& recorder)
    : shared_(shared), id_(id), recorder_(recorder), interruption_(shared.stop), vm_(interruption_) {
  tags_ = shared_.run_tags;
  group_tag_ = {{"group", ""}};
}

User::~User() {
  client_.reset();
  forget_user();
}

Result<Done, ScriptError> User::initialise() {
  vm_.name_urls([this](std::string_view url) { return shared_.modules.name_of_url(url); });
  auto made = vm_.evaluate(builtin_source("runtime"), "k6:runtime");
  if (!made) return made.error();
  const JSContextRef context = vm_.context();
  const JSObjectRef factory = JSValueToObject(context, *made, nullptr);
  const JSObjectRef natives = make_natives(context, *this);
  const auto shared_doubles = [&](std::size_t count, double*& place) {
    const JSObjectRef array = JSObjectMakeTypedArray(context, kJSTypedArrayTypeFloat64Array, count, nullptr);
    JSValueProtect(context, array);
    // Asking for the pointer pins the memory: it stays where it is.
    place = static_cast<double*>(JSObjectGetTypedArrayBytesPtr(context, array, nullptr));
    return array;
  };
  const JSObjectRef numbers = shared_doubles(kNumbers, numbers_);
  const JSObjectRef tally = shared_doubles(2 * kTalliedChecks, tally_);
  auto runtime = vm_.call(factory, {natives, numbers, tally});
  if (!runtime) return runtime.error();
  runtime_ = JSValueToObject(context, *runtime, nullptr);
  JSValueProtect(context, runtime_);
  const auto keep = [&](const char* name) {
    const JSObjectRef function = js::function_of(context, runtime_, name);
    check(function != nullptr, "runtime.js has the functions that are called from here");
    JSValueProtect(context, function);
    return function;
  };
  tick_ = keep("tick");
  run_function_ = keep("run");
  waiting_ = keep("waiting");
  js::set(context, vm_.global(), "__VU", JSValueMakeNumber(context, static_cast<double>(id_)));
  vm_.hear_rejections(js::make_function(context, "rejected", rejected));
  auto loaded = vm_.call(keep("main"));
  if (!loaded) return loaded.error();
  auto settled = run_until_settled(*loaded);
  if (!settled) return settled.error();
  in_init_ = false;
  init_jars_ = jars_.size();
  return Done{};
}

void User::begin_requests() {
  check(shared_.http != nullptr, "the run has settings for requests before users make them");
  client_ = std::make_unique<HttpClient>(*shared_.http, interruption_, id_);
  if (!shared_.endpoints) return;
  endpoint_names_.emplace(*shared_.endpoints);
  endpoints_ = &shared_.endpoints->shard_of(recorder_);
}

Result<std::string, ScriptError> User::options_text() {
  const JSObjectRef function = js::function_of(vm_.context(), runtime_, "optionsText");
  auto value = vm_.call(function);
  if (!value) return value.error();
  return js::to_text(vm_.context(), *value);
}

std::string User::exported_names() {
  auto value = vm_.call(js::function_of(vm_.context(), runtime_, "exportedNames"));
  return value ? js::to_text(vm_.context(), *value) : "";
}

bool User::exports(const std::string& function) { return function_for(function).has_value(); }

Result<JSObjectRef, ScriptError> User::function_for(const std::string& name) {
  if (const auto known = functions_.find(name); known != functions_.end()) return known->second;
  const JSContextRef context = vm_.context();
  auto value = vm_.call(js::function_of(context, runtime_, "exported"), {js::make_string(context, name)});
  if (!value) return value.error();
  const JSObjectRef function = JSValueIsObject(context, *value) ? JSValueToObject(context, *value, nullptr) : nullptr;
  if (!function || !JSObjectIsFunction(context, function)) {
    return ScriptError{fmt::format("the script exports no function '{}'", name), "", "", false};
  }
  JSValueProtect(context, function);
  functions_[name] = function;
  return function;
}

Result<JSValueRef, ScriptError> User::run_until_settled(JSValueRef value) {
  const JSContextRef context = vm_.context();
  bool promised = false;
  if (JSValueIsObject(context, value)) {
    const JSObjectRef object = JSValueToObject(context, value, nullptr);
    promised = js::function_of(context, object, "then") != nullptr;
  }
  if (!promised && numbers_[kTimers] == 0 && (!client_ || !client_->anything_started())) return value;
  JSObjectRef waiting = nullptr;
  if (promised) {
    auto state = vm_.call(waiting_);
    if (!state) return state.error();
    waiting = JSValueToObject(context, *state, nullptr);
  }
  const auto is_true = [&](const char* name) {
    const JSValueRef flag = js::property(context, waiting, name);
    return flag && JSValueToBoolean(context, flag);
  };
  while (true) {
    if (interruption_.due()) return ScriptError{"interrupted", "", "", true};
    auto next = vm_.call(tick_);
    if (!next) return next.error();
    if (waiting && is_true("done") && is_true("failed")) return vm_.describe(js::property(context, waiting, "value"));
    const double wait_ms = js::to_number(context, *next);
    const bool requests = client_ && client_->anything_started();
    if (!requests && wait_ms < 0) break;
    const auto until = wait_ms < 0 ? Steady::time_point::max()
                                   : Steady::now() + std::chrono::nanoseconds(static_cast<std::int64_t>(wait_ms * 1e6));
    if (requests) {
      client_->work_until(until);
      if (interruption_.due()) return ScriptError{"interrupted", "", "", true};
      const JSObjectRef complete = js::function_of(context, runtime_, "complete");
      auto completed = vm_.call(complete);
      if (!completed) return completed.error();
    } else {
      take_tallies();
      interruption_.sleep_until(until);
    }
  }
  if (!waiting) return value;
  if (!is_true("done")) {
    return ScriptError{"the promise that the function gave was never settled: nothing is left that could settle it", "",
                       "", false};
  }
  return js::property(context, waiting, "value");
}

Result<std::string, ScriptError> User::call(const std::string& function, const std::vector<std::string>& arguments,
                                            Steady::time_point deadline) {
  const JSContextRef context = vm_.context();
  auto found = function_for(function);
  if (!found) return found.error();
  std::vector<JSValueRef> values;
  for (const auto& argument : arguments) {
    JSValueRef value = JSValueMakeUndefined(context);
    if (!argument.empty()) {
      const JSStringRef text = JSValueToStringCopy(context, js::make_string(context, argument), nullptr);
      value = JSValueMakeFromJSONString(context, text);
      JSStringRelease(text);
      if (!value) value = JSValueMakeUndefined(context);
    }
    JSValueProtect(context, value);
    values.push_back(value);
  }
  interruption_.set_deadline(deadline);
  values.insert(values.begin(), *found);
  auto value = vm_.call(run_function_, values);
  if (value) value = run_until_settled(*value);
  take_tallies();
  for (std::size_t i = 1; i < values.size(); ++i) JSValueUnprotect(context, values[i]);
  const bool late = interruption_.due();
  interruption_.clear_deadline();
  if (!value) {
    ScriptError error = value.error();
    error.ended = error.ended || (late && Steady::now() >= deadline);
    vm_.watch_again();
    return error;
  }
  if (JSValueIsUndefined(context, *value)) return std::string();
  JSValueRef exception = nullptr;
  const JSStringRef text = JSValueCreateJSONString(context, *value, 0, &exception);
  if (exception) return vm_.describe(exception);
  if (!text) return std::string();
  const std::string out = js::to_text(context, JSValueMakeString(context, text));
  JSStringRelease(text);
  return out;
}

Result<std::string, ScriptError> User::text_summary(const std::string& data, const std::string& options) {
  const JSContextRef context = vm_.context();
  auto module = vm_.call(js::function_of(context, runtime_, "builtin"), {js::make_string(context, "jslib/k6-summary")});
  if (!module) return module.error();
  const JSObjectRef function = js::function_of(context, JSValueToObject(context, *module, nullptr), "textSummary");
  // On the stack, where the collector sees them.
  const auto parse = [&](const std::string& json) {
    const JSStringRef text = JSValueToStringCopy(context, js::make_string(context, json), nullptr);
    const JSValueRef value = JSValueMakeFromJSONString(context, text);
    JSStringRelease(text);
    return value ? value : JSValueMakeUndefined(context);
  };
  const JSValueRef first = parse(data);
  const JSValueRef second = parse(options);
  auto text = vm_.call(function, {first, second});
  if (!text) return text.error();
  return js::to_text(context, *text);
}

void User::take_tallies(load::Recorder::Batch& batch) {
  if (numbers_[kTallied] == 0) return;
  numbers_[kTallied] = 0;
  const SampleTags tags = sample_tags();
  for (std::size_t i = 0; i < std::min(checks_.size(), kTalliedChecks); ++i) {
    const auto take = [&](double& counted, std::atomic<std::uint64_t>& total, double value) {
      if (counted == 0) return;
      const auto times = static_cast<std::uint64_t>(std::exchange(counted, 0));
      total += times;
      shared_.metrics.add(batch, Metrics::kChecks, value, tags, times);
    };
    take(tally_[2 * i], checks_[i]->fails, 0);
    take(tally_[2 * i + 1], checks_[i]->passes, 1);
  }
}

void User::take_tallies() {
  if (numbers_[kTallied] == 0) return;
  load::Recorder::Batch batch(recorder_);
  take_tallies(batch);
}

void User::set_tag(std::string_view name, std::int64_t value) {
  const auto known = std::find_if(tags_.begin(), tags_.end(), [&](const auto& tag) { return tag.first == name; });
  auto& tag = known != tags_.end() ? *known : tags_.emplace_back(std::string(name), std::string());
  tag.second = fmt::format("{}", value);
}

std::size_t User::endpoint_of(const Transfer& t) {
  if (!t.name.empty()) return endpoint_names_->number_of(t.name);
  // The URL is the same object for as long as it stays the same: then there is nothing to look up.
  if (latest_endpoint_.first != t.url) latest_endpoint_ = {t.url, endpoint_names_->number_of(t.url->text())};
  return latest_endpoint_.second;
}

SampleTags User::sample_tags(const TagList* extra, const TagList* own) const {
  SampleTags tags;
  tags.lists[0] = extra;
  tags.lists[1] = own;
  tags.lists[2] = &group_tag_;
  tags.lists[3] = &tags_;
  return tags;
}

void User::reset_after_iteration() {
  const JSContextRef context = vm_.context();
  const auto call_if_there = [&](const char* name) {
    if (const JSObjectRef function = js::function_of(context, runtime_, name)) {
      if (auto called = vm_.call(function); !called) vm_.watch_again();
    }
  };
  if (group_ != 0) call_if_there("leaveGroups");
  if (numbers_[kTimers] != 0) call_if_there("clearTimers");
  if (!started_.empty() || !ready_.empty()) {
    call_if_there("forgetRequests");
    client_->drop_started();
    started_.clear();
    ready_.clear();
    hops_.clear();
    ready_order_.clear();
  }
  batch_.clear();
  jars_.resize(init_jars_);  // those that the iteration made
}

User::Ended User::iterate(ScenarioRun& run, std::optional<Steady::time_point> due, Steady::time_point deadline) {
  const JSContextRef context = vm_.context();
  const auto began = Steady::now();
  run_ = &run;
  due_ = due;
  aborted_ = false;
  iteration_in_test_ = run.started.fetch_add(1);
  iteration_in_scenario_ = iterations_in_[&run]++;
  if (tags_of_ != &run) {
    tags_of_ = &run;
    tags_ = run.tags;
  }
  if (shared_.system_tags.has("vu")) set_tag("vu", id_);
  if (shared_.system_tags.has("iter")) set_tag("iter", static_cast<std::int64_t>(iteration_));
  if (!shared_.options.no_cookies_reset.value_or(false) && !jars_.front().empty()) jars_.front().clear();
  numbers_[kIteration] = static_cast<double>(iteration_);
  if (environment_of_ != &run) {
    environment_of_ = &run;
    auto merged = shared_.environment;
    for (const auto& [name, value] : run.scenario->env) merged[name] = value;
    const JSObjectRef environment = JSObjectMake(context, nullptr, nullptr);
    for (const auto& [name, value] : merged)
      js::set(context, environment, name.c_str(), js::make_string(context, value));
    js::set(context, vm_.global(), "__ENV", environment);
  }
  if (!setup_parsed_) {
    setup_parsed_ = true;
    setup_value_ = JSValueMakeUndefined(context);
    if (!shared_.setup_data.empty()) {
      const JSStringRef text = JSValueToStringCopy(context, js::make_string(context, shared_.setup_data), nullptr);
      if (const JSValueRef parsed = JSValueMakeFromJSONString(context, text)) setup_value_ = parsed;
      JSStringRelease(text);
      JSValueProtect(context, setup_value_);
    }
  }
  interruption_.set_deadline(deadline);
  auto function = function_for(run.scenario->exec);
  Result<JSValueRef, ScriptError> value =
      function ? vm_.call(run_function_, {*function, setup_value_}) : Result<JSValueRef, ScriptError>(function.error());
  if (value) value = run_until_settled(*value);
  take_tallies();
  if (value && unhandled_) value = *unhandled_;
  unhandled_.reset();
  const bool interrupted = interruption_.due() && (!value || aborted_);
  interruption_.clear_deadline();
  const auto took = Steady::now() - began;
  reset_after_iteration();
  ++iteration_;
  if (shared_.options.no_vu_connection_reuse.value_or(false)) client_->close_idle();
  if (interrupted) {
    vm_.watch_again();
    ++shared_.iterations_interrupted;
    return Ended::kInterrupted;
  }
  {
    load::Recorder::Batch batch(recorder_);
    const SampleTags tags = sample_tags();
    shared_.metrics.add(batch, Metrics::kIterationDuration, std::chrono::duration<double, std::milli>(took).count(),
                        tags);
    shared_.metrics.add(batch, Metrics::kIterations, 1, tags);
  }
  ++shared_.iterations_completed;
  ++run.completed;
  if (!value) {
    ++shared_.script_errors;
    shared_.console.repeated(Console::kError, value.error().text());
  }
  if (const auto least = shared_.options.min_iteration_duration.value_or(Nanoseconds{0}); took < least) {
    interruption_.set_deadline(deadline);
    interruption_.sleep_until(began + least);
    interruption_.clear_deadline();
  }
  return value ? Ended::kComplete : Ended::kThrew;
}

}  // namespace securebase::k6
