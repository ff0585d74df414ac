#include "k6/natives.h"

#include <fmt/format.h>

#include <cmath>

#include "base/check.h"
#include "base/json.h"
#include "k6/js.h"
#include "k6/user.h"

namespace securebase::k6 {

namespace {

thread_local User* this_user = nullptr;

double monotonic_ms() { return std::chrono::duration<double, std::milli>(Steady::now().time_since_epoch()).count(); }

// "name\nvalue\n..." as js/k6.js's flatTags makes it.
TagList tags_from(std::string_view flat) {
  TagList tags;
  while (!flat.empty()) {
    const auto name_end = flat.find('\n');
    if (name_end == std::string_view::npos) break;
    const auto value_end = flat.find('\n', name_end + 1);
    if (value_end == std::string_view::npos) break;
    tags.emplace_back(flat.substr(0, name_end), flat.substr(name_end + 1, value_end - name_end - 1));
    flat.remove_prefix(value_end + 1);
  }
  return tags;
}

}  // namespace

User& current_user() {
  check(this_user != nullptr, "natives are called on a user's thread");
  return *this_user;
}

void forget_user() { this_user = nullptr; }

// The functions of `native` that are neither HTTP nor data.
struct Natives {
  using Arguments = const JSValueRef*;
  static JSValueRef undefined(JSContextRef context) { return JSValueMakeUndefined(context); }

  static JSValueRef log(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t count, const JSValueRef a[],
                        JSValueRef*) {
    if (count >= 2) {
      const int level = static_cast<int>(js::to_number(context, a[0]));
      current_user().shared_.console.script(static_cast<Console::Level>(std::clamp(level, 0, 3)),
                                            js::to_text(context, a[1]));
    }
    return undefined(context);
  }

  static JSValueRef now(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[], JSValueRef*) {
    return JSValueMakeNumber(context, monotonic_ms());
  }

  static JSValueRef sleep(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                          JSValueRef* e) {
    User& user = current_user();
    if (user.in_init_)
      return js::fail(context, e, "sleep() cannot be called in the init context: call it in the default function");
    user.take_tallies();
    const double seconds = std::min(js::to_number(context, a[0]), 10.0 * 365 * 86'400);
    const auto until = Steady::now() + std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
    if (!user.interruption_.sleep_until(until)) {
      return js::fail(context, e, "interrupted");
    }
    // How late it wakes is how busy the generator is, in closed models too.
    if (user.run_ && user.client_) {
      const double late = std::chrono::duration<double, std::milli>(Steady::now() - until).count();
      user.shared_.metrics.add(user.recorder_, Metrics::kLateness, late, user.sample_tags());
    }
    return undefined(context);
  }

  static JSValueRef environment(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[],
                                JSValueRef*) {
    const JSObjectRef object = JSObjectMake(context, nullptr, nullptr);
    for (const auto& [name, value] : current_user().shared_.environment) {
      js::set(context, object, name.c_str(), js::make_string(context, value));
    }
    return object;
  }

  // ---- modules

  static JSValueRef main_module(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[],
                                JSValueRef*) {
    return JSValueMakeNumber(context, static_cast<double>(current_user().shared_.modules.main()));
  }

  static JSValueRef load(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                         JSValueRef* e) {
    auto id = current_user().shared_.modules.load(js::to_text(context, a[0]),
                                                  static_cast<std::int64_t>(js::to_number(context, a[1])));
    if (!id) return js::fail(context, e, id.error().message);
    return JSValueMakeNumber(context, static_cast<double>(*id));
  }

  static JSValueRef resolve(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                            JSValueRef* e) {
    auto url = current_user().shared_.modules.resolved(js::to_text(context, a[0]),
                                                       static_cast<std::size_t>(js::to_number(context, a[1])));
    if (!url) return js::fail(context, e, url.error().message);
    return js::make_string(context, *url);
  }

  // What runtime.js needs to know of a module.
  static JSValueRef module(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                           JSValueRef*) {
    const auto& module = current_user().shared_.modules.at(static_cast<std::size_t>(js::to_number(context, a[0])));
    base::Json info = base::Json::object({{"id", static_cast<std::int64_t>(module.id)},
                                          {"name", module.name},
                                          {"url", module.url},
                                          {"kind", module.kind == Modules::Kind::kModule     ? "module"
                                                   : module.kind == Modules::Kind::kCommonJs ? "commonjs"
                                                                                             : "builtin"}});
    const auto number = [](std::size_t value) { return base::Json(static_cast<std::int64_t>(value)); };
    base::Json dependencies = base::Json::array();
    for (const auto id : module.dependencies) dependencies.push_back(number(id));
    base::Json stars = base::Json::array();
    for (const auto star : module.text.stars) stars.push_back(number(star));
    base::Json re_exports = base::Json::array();
    for (const auto& one : module.text.re_exports) {
      re_exports.push_back(base::Json::array({one.exported, number(one.dependency), one.imported}));
    }
    base::Json live = base::Json::array();
    if (module.code.starts_with("(function(__k6){with(")) {
      for (const auto& import : module.text.imports) {
        // Constants in the function hide those that are not read anew each time.
        live.push_back(base::Json::array({import.local, number(import.dependency), import.imported}));
      }
    }
    info.set("dependencies", std::move(dependencies));
    info.set("stars", std::move(stars));
    info.set("reExports", std::move(re_exports));
    info.set("live", std::move(live));
    const JSStringRef text = JSValueToStringCopy(context, js::make_string(context, info.dump()), nullptr);
    const JSValueRef value = JSValueMakeFromJSONString(context, text);
    JSStringRelease(text);
    return value;
  }

  static JSValueRef compile(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                            JSValueRef* e) {
    User& user = current_user();
    const auto& module = user.shared_.modules.at(static_cast<std::size_t>(js::to_number(context, a[0])));
    const JSStringRef code = JSValueToStringCopy(context, js::make_string(context, module.code), nullptr);
    const JSStringRef url = JSStringCreateWithUTF8CString(module.url.c_str());
    user.vm_.note_prefix(module.url, module.prefix_bytes);
    const JSValueRef value = JSEvaluateScript(context, code, nullptr, url, 1, e);
    JSStringRelease(url);
    JSStringRelease(code);
    return value ? value : undefined(context);
  }

  // ---- groups, checks, metrics

  static JSValueRef group(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                          JSValueRef* e) {
    User& user = current_user();
    const std::string path = js::to_text(context, a[0]);
    auto id = user.shared_.groups.group(path);
    if (!id) return js::fail(context, e, id.error().message);
    user.group_ = *id;
    user.group_tag_.front().second = path;
    return undefined(context);
  }

  static JSValueRef group_end(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                              JSValueRef*) {
    User& user = current_user();
    if (!user.in_init_) {
      user.shared_.metrics.add(user.recorder_, Metrics::kGroupDuration, js::to_number(context, a[0]),
                               user.sample_tags());
    }
    return undefined(context);
  }

  static JSValueRef check_id(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                             JSValueRef* e) {
    User& user = current_user();
    if (user.in_init_) return js::fail(context, e, "check() cannot be called in the init context");
    auto id = user.shared_.groups.check(user.group_, js::to_text(context, a[0]));
    if (!id) return js::fail(context, e, id.error().message);
    // js/k6.js asks once for each group and name, so the numbers of a user are close together.
    user.checks_.push_back(&user.shared_.groups.check_at(*id));
    return JSValueMakeNumber(context, static_cast<double>(user.checks_.size() - 1));
  }

  static JSValueRef check_result(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                 JSValueRef*) {
    User& user = current_user();
    Groups::Check& check = *user.checks_.at(static_cast<std::size_t>(js::to_number(context, a[0])));
    const bool passed = JSValueToBoolean(context, a[1]);
    ++(passed ? check.passes : check.fails);
    TagList extra;
    if (user.shared_.metrics.wants_tags()) {
      if (!JSValueIsUndefined(context, a[2])) extra = tags_from(js::to_text(context, a[2]));
      extra.emplace_back("check", check.name);
    }
    user.shared_.metrics.add(user.recorder_, Metrics::kChecks, passed ? 1 : 0, user.sample_tags(&extra));
    return undefined(context);
  }

  static JSValueRef metric(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                           JSValueRef* e) {
    User& user = current_user();
    if (!user.in_init_) {
      return js::fail(context, e,
                      "metrics must be declared in the init context: at the top of the script, outside of functions");
    }
    static constexpr load::Kind kKinds[] = {load::Kind::kCounter, load::Kind::kGauge, load::Kind::kRate,
                                            load::Kind::kTrend};
    auto id = user.shared_.metrics.declare(js::to_text(context, a[0]),
                                           kKinds[static_cast<int>(js::to_number(context, a[1])) & 3],
                                           JSValueToBoolean(context, a[2]));
    if (!id) return js::fail(context, e, id.error().message);
    return JSValueMakeNumber(context, static_cast<double>(*id));
  }

  static JSValueRef add(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                        JSValueRef* e) {
    User& user = current_user();
    if (user.in_init_) return js::fail(context, e, "metrics cannot be added to in the init context");
    TagList extra;
    if (!JSValueIsUndefined(context, a[2])) extra = tags_from(js::to_text(context, a[2]));
    user.shared_.metrics.add(user.recorder_, static_cast<std::size_t>(js::to_number(context, a[0])),
                             js::to_number(context, a[1]), user.sample_tags(&extra));
    return undefined(context);
  }

  static JSValueRef wants_tags(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[],
                               JSValueRef*) {
    return JSValueMakeBoolean(context, current_user().shared_.metrics.wants_tags());
  }

  static JSValueRef throws(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[],
                           JSValueRef*) {
    return JSValueMakeBoolean(context, current_user().shared_.options.throw_errors.value_or(false));
  }

  static JSValueRef duration(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                             JSValueRef* e) {
    auto parsed = parse_duration(js::to_text(context, a[0]));
    if (!parsed) return js::fail(context, e, parsed.error().message);
    return JSValueMakeNumber(context, milliseconds_of(*parsed));
  }

  // ---- k6/execution

  static JSValueRef execution(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                              JSValueRef* e) {
    User& user = current_user();
    const std::string key = js::to_text(context, a[0]);
    const auto number = [context](double value) { return JSValueMakeNumber(context, value); };
    if (key == "test.options") return js::make_string(context, user.shared_.options_json);
    if (key == "instance.vusActive") return number(static_cast<double>(user.shared_.users_active.load()));
    if (key == "instance.vusInitialized") return number(static_cast<double>(user.shared_.users_initialised.load()));
    if (key == "instance.iterationsCompleted")
      return number(static_cast<double>(user.shared_.iterations_completed.load()));
    if (key == "instance.iterationsInterrupted")
      return number(static_cast<double>(user.shared_.iterations_interrupted.load()));
    if (key == "instance.duration") {
      return number(user.run_ ? std::chrono::duration<double, std::milli>(Steady::now() - user.shared_.start).count()
                              : 0);
    }
    if (key == "vu.id") return number(static_cast<double>(user.id_));
    if (key == "vu.iteration") return number(static_cast<double>(user.iteration_));
    if (!user.run_) {
      return js::fail(
          context, e,
          fmt::format("exec.{} is only known while an iteration runs: not in the init context, setup or teardown",
                      key));
    }
    if (key == "vu.iterationInScenario") return number(static_cast<double>(user.iteration_in_scenario_));
    if (key == "scenario.name") return js::make_string(context, user.run_->scenario->name);
    if (key == "scenario.executor") return js::make_string(context, to_string(user.run_->scenario->executor));
    if (key == "scenario.startTime") return number(static_cast<double>(user.run_->start_ms));
    if (key == "scenario.iteration") return number(static_cast<double>(user.iteration_in_test_));
    if (key == "scenario.progress") {
      const Scenario& scenario = *user.run_->scenario;
      const double planned =
          scenario.executor == Executor::kSharedIterations || scenario.executor == Executor::kPerVuIterations
              ? scenario.planned_iterations()
              : 0;
      const double whole = seconds_of(scenario.regular_duration());
      const double gone = std::chrono::duration<double>(Steady::now() - user.run_->start).count();
      const double progress = planned > 0 ? static_cast<double>(user.run_->completed.load()) / planned
                              : whole > 0 ? gone / whole
                                          : 1;
      return number(std::min(1.0, progress));
    }
    return undefined(context);
  }

  static JSValueRef abort(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                          JSValueRef*) {
    User& user = current_user();
    const std::string message = js::to_text(context, a[0]);
    if (!user.shared_.aborted_by_script.exchange(true)) {
      user.shared_.console.say(Console::kError, message.empty() ? std::string("test aborted by exec.test.abort()")
                                                                : fmt::format("test aborted: {}", message));
    }
    user.aborted_ = true;
    user.shared_.stop.stop();
    return undefined(context);
  }

  static JSValueRef mark_failed(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                JSValueRef*) {
    User& user = current_user();
    if (!user.shared_.marked_failed.exchange(true)) {
      user.shared_.console.say(Console::kError,
                               fmt::format("the test is marked as failed: {}", js::to_text(context, a[0])));
    }
    return undefined(context);
  }

  static JSValueRef tag(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                        JSValueRef*) {
    const std::string name = js::to_text(context, a[0]);
    for (const auto& [key, value] : current_user().tags_) {
      if (key == name) return js::make_string(context, value);
    }
    return undefined(context);
  }

  static JSValueRef set_tag(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                            JSValueRef* e) {
    User& user = current_user();
    const std::string name = js::to_text(context, a[0]);
    for (auto& [key, value] : user.tags_) {
      if (key == name) {
        value = js::to_text(context, a[1]);
        return undefined(context);
      }
    }
    if (user.tags_.size() >= 100) return js::fail(context, e, "a user has at most 100 tags");
    user.tags_.emplace_back(name, js::to_text(context, a[1]));
    return undefined(context);
  }

  static JSValueRef delete_tag(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                               JSValueRef*) {
    const std::string name = js::to_text(context, a[0]);
    std::erase_if(current_user().tags_, [&](const auto& tag) { return tag.first == name; });
    return undefined(context);
  }

  static JSValueRef tag_names(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[],
                              JSValueRef*) {
    std::string names;
    for (const auto& [key, value] : current_user().tags_) names += key + "\n";
    return js::make_string(context, names);
  }
};

JSObjectRef make_natives(JSContextRef context, User& user) {
  this_user = &user;
  const JSObjectRef natives = JSObjectMake(context, nullptr, nullptr);
  struct Entry {
    const char* name;
    JSObjectCallAsFunctionCallback function;
  };
  static constexpr Entry kEntries[] = {{"log", Natives::log},
                                       {"now", Natives::now},
                                       {"sleep", Natives::sleep},
                                       {"environment", Natives::environment},
                                       {"mainModule", Natives::main_module},
                                       {"load", Natives::load},
                                       {"resolve", Natives::resolve},
                                       {"module", Natives::module},
                                       {"compile", Natives::compile},
                                       {"group", Natives::group},
                                       {"groupEnd", Natives::group_end},
                                       {"checkId", Natives::check_id},
                                       {"check", Natives::check_result},
                                       {"metric", Natives::metric},
                                       {"add", Natives::add},
                                       {"wantsTags", Natives::wants_tags},
                                       {"throws", Natives::throws},
                                       {"duration", Natives::duration},
                                       {"execution", Natives::execution},
                                       {"abort", Natives::abort},
                                       {"markFailed", Natives::mark_failed},
                                       {"tag", Natives::tag},
                                       {"setTag", Natives::set_tag},
                                       {"deleteTag", Natives::delete_tag},
                                       {"tagNames", Natives::tag_names}};
  for (const auto& entry : kEntries)
    js::set(context, natives, entry.name, js::make_function(context, entry.name, entry.function));
  add_http_natives(context, natives);
  add_cookie_natives(context, natives);
  add_data_natives(context, natives);
  return natives;
}

}  // namespace securebase::k6
