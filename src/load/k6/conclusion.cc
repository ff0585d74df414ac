#include "k6/conclusion.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "base/file.h"
#include "k6/page.h"
#include "k6/platform_hops.h"
#include "k6/summary.h"
#include "load/report/html.h"

namespace securebase::k6 {

namespace {

class Conclusion {
 public:
  Conclusion(const RunSettings& settings, Shared& shared, User& main, Ending ending)
      : settings_(settings),
        shared_(shared),
        main_(main),
        ending_(std::move(ending)),
        hops_(ask_for_hops(settings.platform_socket, ending_.measured.duration, ending_.measured.total("http_reqs"))) {}

  int conclude() {
    if (auto whole = shared_.metrics.finish_files(); !whole)
      shared_.console.say(Console::kError, whole.error().message);
    const int code = judge_run();
    if (!settings_.html.empty()) write_page(code);
    return code;
  }

 private:
  int say(int code, const std::string& message) {
    shared_.console.say(Console::kError, message);
    return code;
  }

  void write_page(int code) {
    PageFacts facts;
    facts.script = settings_.script == "-" ? "script" : std::filesystem::path(settings_.script).filename().native();
    facts.started = base::system_clock().now() - std::chrono::duration_cast<base::TimePoint::duration>(ending_.elapsed);
    facts.elapsed = ending_.elapsed;
    facts.exit_code = code;
    facts.hops = hops_;
    if (shared_.endpoints) facts.endpoints = shared_.endpoints->totals();
    const auto page = load::html_report(view_of(facts, shared_.metrics, shared_.groups, ending_.measured));
    if (auto written = base::replace_file(settings_.html, page); !written) {
      shared_.console.say(Console::kError, fmt::format("--html: {}", written.error().message));
    }
  }

  int judge_run() {
    const load::Values& values = ending_.measured.values;
    const Validity validity = validity_of(shared_.metrics, values);
    const base::Json data = summary_data(shared_, values, ending_.elapsed);
    const int summarised = settings_.summary_mode == "disabled" ? 0 : summarise(data);
    if (!settings_.summary_export.empty()) export_summary(data, validity);
    if (!settings_.quiet) shared_.console.say(Console::kInfo, validity.text);

    std::vector<std::string> crossed;
    if (!settings_.no_thresholds) {
      for (const auto& verdict : judge(shared_.metrics, values, ending_.elapsed)) {
        if (!verdict.ok) crossed.push_back(verdict.metric);
      }
      crossed.erase(std::unique(crossed.begin(), crossed.end()), crossed.end());
    }
    if (shared_.aborted_by_script) return exit_code::kScriptAborted;
    if (ending_.by_signal) return say(exit_code::kExternalAbort, "the test was ended by a signal");
    if (ending_.torn_down != 0) return ending_.torn_down;
    if (shared_.marked_failed) return exit_code::kMarkedAsFailed;
    if (!validity.valid) return say(exit_code::kInvalidRun, fmt::format("the run is not valid: {}", validity.text));
    if (!crossed.empty()) {
      std::string names;
      for (const auto& name : crossed) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
      return say(exit_code::kThresholds, fmt::format("thresholds on metrics '{}' have been crossed", names));
    }
    return summarised;
  }

  int summarise(const base::Json& data) {
    main_.interruption().ignore_stop(true);
    const std::string text = data.dump();
    if (main_.exports("handleSummary")) {
      auto made = main_.call("handleSummary", {text},
                             Steady::now() + shared_.options.handle_summary_timeout.value_or(std::chrono::minutes{2}));
      if (made && !made->empty()) {
        auto outputs = base::Json::parse(*made);
        if (outputs && outputs->is_object()) {
          write_outputs(*outputs);
          return exit_code::kDone;
        }
      }
      if (!made) {
        shared_.console.say(Console::kError,
                            fmt::format("handleSummary(): {}; the usual summary follows", made.error().text()));
      }
    }
    const base::Json options = base::Json::object(
        {{"indent", " "}, {"enableColors", settings_.colours && isatty(1) == 1}, {"mode", settings_.summary_mode}});
    auto summary = main_.text_summary(text, options.dump());
    if (!summary)
      return say(exit_code::kScriptException, fmt::format("the summary cannot be made: {}", summary.error().text()));
    std::cout << *summary << std::endl << hops_text(hops_) << std::flush;
    return exit_code::kDone;
  }

  // What handleSummary() gave. As in k6, one that cannot be written is said and changes no verdict on what was
  // measured.
  void write_outputs(const base::Json& outputs) {
    for (const auto& [target, content] : *outputs.as_object()) {
      const std::string text = content.is_string() ? *content.as_string() : content.dump(2);
      if (target == "stdout") {
        std::cout << text << std::flush;
      } else if (target == "stderr") {
        std::cerr << text << std::flush;
      } else if (auto written = base::replace_file(target, text); !written) {
        shared_.console.say(Console::kError, fmt::format("handleSummary(): {}", written.error().message));
      }
    }
  }

  // The old form of --summary-export: a metric's values stand in the metric itself; plus what was found of the
  // generator.
  void export_summary(const base::Json& data, const Validity& validity) {
    base::Json metrics = base::Json::object();
    for (const auto& [name, metric] : *data["metrics"].as_object()) {
      base::Json one = metric["values"];
      if (const auto* thresholds = metric.find("thresholds")) {
        base::Json crossed = base::Json::object();
        for (const auto& [source, verdict] : *thresholds->as_object())
          crossed.set(source, !verdict["ok"].bool_or(true));
        one.set("thresholds", std::move(crossed));
      }
      metrics.set(name, std::move(one));
    }
    base::Json all =
        base::Json::object({{"metrics", std::move(metrics)},
                            {"root_group", data["root_group"]},
                            {"generator", base::Json::object({{"valid", validity.valid},
                                                              {"lateness_p99_ms", validity.lateness_p99_ms},
                                                              {"samples", static_cast<std::int64_t>(validity.samples)},
                                                              {"text", validity.text}})}});
    if (!hops_.is_null()) all.set("hops", hops_);
    if (auto written = base::replace_file(settings_.summary_export, all.dump(2) + "\n"); !written) {
      shared_.console.say(Console::kError, fmt::format("--summary-export: {}", written.error().message));
    }
  }

  const RunSettings& settings_;
  Shared& shared_;
  User& main_;
  const Ending ending_;
  const base::Json hops_;  // of the platform, when it is what was asked
};

}  // namespace

int conclude(const RunSettings& settings, Shared& shared, User& main, Ending ending) {
  return Conclusion(settings, shared, main, std::move(ending)).conclude();
}

}  // namespace securebase::k6
