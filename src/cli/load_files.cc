#include "cli/load_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <memory>

#include "base/file.h"
#include "cli/load_runs.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = std::size_t{64} << 20;  // base::Json reads no more

Result<load::RunResult> read_result(const fs::path& file) {
  auto text = base::read_file(file, kMostBytes);
  if (!text) return text.error();
  auto json = base::Json::parse(*text);
  if (!json) return json.error().within(file.native());
  auto result = load::result_from_json(*json);
  if (!result) return result.error().within(file.native());
  return result;
}

Result<std::vector<load::RunResult>> read_results(const std::vector<fs::path>& files) {
  std::vector<load::RunResult> results;
  for (const auto& file : files) {
    auto result = read_result(file);
    if (!result) return result.error();
    results.push_back(std::move(*result));
  }
  return results;
}

struct CompareOptions {
  fs::path before;
  fs::path after;
  std::vector<fs::path> more_before;
  std::vector<fs::path> more_after;
  double margin = 5;  // percent
  bool json = false;
};

int compare(const CompareOptions& options) {
  auto before_files = options.more_before;
  before_files.insert(before_files.begin(), options.before);
  auto after_files = options.more_after;
  after_files.insert(after_files.begin(), options.after);
  auto before = read_results(before_files);
  if (!before) return fail(before.error());
  auto after = read_results(after_files);
  if (!after) return fail(after.error());
  load::CompareSettings settings;
  settings.margin = options.margin / 100;
  auto differences = load::compare(*before, *after, settings);
  if (!differences) return fail(differences.error());
  if (options.json) {
    fmt::print("{}\n", load::to_json(*differences).dump(2));
  } else {
    fmt::print("{}", load::as_text(*differences, settings));
  }
  return load::any_worse(*differences) ? load::kCrossed : kDone;
}

void add_compare(CLI::App& all, Chosen& chosen) {
  auto options = std::make_shared<CompareOptions>();
  auto* command = all.add_subcommand("compare", "Which differences between two runs are none of noise");
  command->footer(
      "Latency, rate and errors, each with the 99 % interval of its change: better, worse, no difference that matters, "
      "or\n"
      "unclear. Runs of the same program differ by themselves; several runs of each tell by how much:\n\n"
      "  securebase load compare before.json after.json --before before2.json --after after2.json\n\n"
      "Exit codes: 0 nothing is worse, 3 something is.");
  command->add_option("a", options->before, "The run before")->required()->type_name("FILE");
  command->add_option("b", options->after, "The run after")->required()->type_name("FILE");
  command->add_option("--before", options->more_before, "More runs before; may be repeated")->type_name("FILE");
  command->add_option("--after", options->more_after, "More runs after; may be repeated")->type_name("FILE");
  command->add_option("--margin", options->margin, "Percent of change that does not matter")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->add_flag("--json", options->json, "For programs");
  command->callback([=, &chosen] { chosen = [=] { return compare(*options); }; });
}

// The file of the newest baseline that the platform was told of.
Result<fs::path> newest_baseline(const fs::path& state) {
  auto answer = platform::Control(state).ask("/load/runs", base::Json::object({{"what", "list"}}));
  if (!answer) return answer.error().within("--baseline newest");
  const auto* runs = (*answer)["runs"].as_array();
  for (std::size_t i = runs ? runs->size() : 0; i-- > 0;) {
    const auto& run = (*runs)[i];
    const fs::path file = run["report"].string_or("");
    std::error_code failure;
    if (run["scenario"].string_or("") == "baseline" && !file.empty() && fs::exists(file, failure)) return file;
  }
  return Error{Errc::kNotFound,
               "--baseline newest: the platform was told of no baseline whose file is still there; make one with "
               "`securebase load baseline --json baseline.json`"};
}

struct ReportOptions {
  fs::path result;
  LoadFiles files;
};

int show(const fs::path& state, ReportOptions& options) {
  auto result = read_result(options.result);
  if (!result) return fail(result.error());
  if (auto found = find_baseline(options.files, state); !found) return fail(found.error());
  if (auto fit = check_files(options.files); !fit) return fail(fit.error());
  if (auto written = write_files(options.files, *result); !written) return fail(written.error());
  fmt::print("{}{}", text_of(*result), comparison_text(options.files, *result));
  return say_verdict(*result);
}

void add_report(CLI::App& all, fs::path& state, Chosen& chosen) {
  auto options = std::make_shared<ReportOptions>();
  auto* command = all.add_subcommand("report", "A result that was written with --json, again: as text, a page, JUnit");
  command->add_option("result", options->result, "What --json wrote")->required()->type_name("FILE");
  command->add_option("--html", options->files.html, "Write it as one page")->type_name("FILE");
  command->add_option("--junit", options->files.junit, "Write its checks for CI")->type_name("FILE");
  add_baseline_option(*command, options->files);
  add_state_option(*command, state);
  command->callback([=, &state, &chosen] { chosen = [=, &state] { return show(state, *options); }; });
}

void add_runs(CLI::App& all, fs::path& state, Chosen& chosen) {
  auto most = std::make_shared<std::size_t>(20);
  auto json = std::make_shared<bool>(false);
  auto* command = all.add_subcommand("runs", "The load tests that the running platform was told of, for its gates");
  command->add_option("--most", *most, "At most so many, the newest")->capture_default_str();
  command->add_flag("--json", *json, "For programs");
  add_state_option(*command, state);
  command->callback([=, &state, &chosen] { chosen = [=, &state] { return load_runs(state, *most, *json); }; });
}

struct RecordOptions {
  std::string group = "/aws/apigateway/";
  fs::path file;
  fs::path output;
  std::string strip;
  std::int64_t since_seconds = 3600;
};

Result<Done> record_file(const fs::path& file, load::Recording& recording) {
  std::ifstream lines(file);
  if (!lines) return Error{Errc::kNotFound, file.native() + " cannot be read"};
  for (std::string line; std::getline(lines, line);) recording.add(line);
  return Done{};
}

Result<Done> record_group(const fs::path& state, const RecordOptions& options, load::Recording& recording) {
  const auto since = base::system_clock().now() - std::chrono::seconds(options.since_seconds);
  auto question = base::Json::object(
      {{"group", options.group},
       {"since_ms", std::int64_t{std::chrono::floor<std::chrono::milliseconds>(since).time_since_epoch().count()}}});
  for (;;) {
    auto answer = platform::Control(state).ask("/logs/tail", question);
    if (!answer) return answer.error();
    if (const auto* events = (*answer)["events"].as_array()) {
      for (const auto& event : *events) recording.add(event["message"].string_or(""));
    }
    if (!(*answer)["more"].bool_or(false)) return Done{};
    question.set("after", (*answer)["after"]);
  }
}

int record(const fs::path& state, const RecordOptions& options) {
  load::Recording recording(options.strip);
  auto done = options.file.empty() ? record_group(state, options, recording) : record_file(options.file, recording);
  if (!done) return fail(done.error());
  fmt::print(stderr,
             "{} requests taken; {} left out (not GET or HEAD, answered with an error, or too many paths); {} lines "
             "not understood\n",
             recording.taken(), recording.left_out(), recording.not_understood());
  if (recording.taken() == 0) return fail({Errc::kNotFound, "nothing was recorded"});
  const auto text = recording.scenario().dump(2) + "\n";
  if (options.output.empty()) {
    fmt::print("{}", text);
    return kDone;
  }
  auto written = base::replace_file(options.output, text);
  return written ? kDone : fail(written.error());
}

void add_record(CLI::App& all, fs::path& state, Chosen& chosen) {
  auto options = std::make_shared<RecordOptions>();
  auto* command =
      all.add_subcommand("record", "A scenario out of access lines: which paths, how often, without secrets");
  command->footer(
      "Only GET and HEAD; query strings are dropped, and what looks like a token in a path is replaced.\n\n"
      "  securebase load record --since 1h -o shop.json\n"
      "  securebase load run http://127.0.0.1:8080 --scenario shop.json --rate 50 -H 'Authorization: Bearer ...'");
  auto* group = command->add_option("--group", options->group, "The log group, or how the names of some begin")
                    ->capture_default_str()
                    ->type_name("GROUP");
  auto* since = command->add_option("--since", options->since_seconds, "How far back: 10m, 2h, 7d")
                    ->transform(durations())
                    ->default_str("1h");
  command->add_option("--file", options->file, "A file of access lines instead: JSON, or the common log format")
      ->type_name("FILE")
      ->excludes(group)
      ->excludes(since);
  command->add_option("--strip", options->strip, "What is cut off the front of paths, like the stage: /prod")
      ->type_name("PREFIX");
  command->add_option("--output,-o", options->output, "Where the scenario is written; else standard output")
      ->type_name("FILE");
  add_state_option(*command, state);
  command->callback([=, &state, &chosen] { chosen = [=, &state] { return record(state, *options); }; });
}

std::string page_of(const LoadFiles& files, const load::RunResult& result) {
  auto view = load::view_of(result);
  if (files.compared_with) load::add_comparison(result, *files.compared_with, view);
  return load::html_report(view);
}

}  // namespace

void add_file_options(CLI::App& command, LoadFiles& files) {
  command.add_option("--json", files.json, "Write the result there, to be compared and shown again (docs/load.md)")
      ->type_name("FILE");
  command.add_option("--html", files.html, "Write it as one page for people")->type_name("FILE");
  command.add_option("--junit", files.junit, "Write its checks for CI")->type_name("FILE");
  add_baseline_option(command, files);
}

void add_baseline_option(CLI::App& command, LoadFiles& files) {
  command
      .add_option("--baseline", files.baseline,
                  "What to compare with, here and in the page: a file that --json wrote, or newest: of the baselines "
                  "that the platform knows")
      ->type_name("FILE|newest");
}

Result<Done> find_baseline(LoadFiles& files, const fs::path& state) {
  if (files.baseline.empty()) return Done{};
  fs::path file = files.baseline;
  if (files.baseline == "newest") {
    auto newest = newest_baseline(state);
    if (!newest) return newest.error();
    file = std::move(*newest);
  }
  auto baseline = read_result(file);
  if (!baseline) return baseline.error().within("--baseline");
  files.compared_with = std::make_shared<const load::RunResult>(std::move(*baseline));
  return Done{};
}

std::string comparison_text(const LoadFiles& files, const load::RunResult& result) {
  if (!files.compared_with) return {};
  const load::CompareSettings settings;
  const auto differences = load::compare({*files.compared_with}, {result}, settings);
  if (!differences) return fmt::format("  not compared with the baseline: {}\n", differences.error().message);
  return fmt::format("\nCompared with the baseline, {} of {}:\n{}", files.compared_with->scenario,
                     base::iso8601(files.compared_with->started), load::as_text(*differences, settings));
}

Result<Done> check_files(const LoadFiles& files) {
  for (const auto& [option, file] :
       {std::pair{"--json", files.json}, std::pair{"--html", files.html}, std::pair{"--junit", files.junit}}) {
    if (file.empty()) continue;
    std::error_code failure;
    const auto directory = fs::absolute(file).parent_path();
    if (fs::is_directory(file, failure)) {
      return Error{Errc::kMalformed, fmt::format("{} {} is a directory; a file is expected", option, file.native())};
    }
    if (!fs::is_directory(directory, failure)) {
      return Error{Errc::kNotFound,
                   fmt::format("{} {}: there is no directory {}", option, file.native(), directory.native())};
    }
    if (::access(directory.c_str(), W_OK) != 0) {
      return Error{Errc::kDenied,
                   fmt::format("{} {}: nothing may be written into {}", option, file.native(), directory.native())};
    }
  }
  return Done{};
}

Result<Done> write_files(const LoadFiles& files, const load::RunResult& result) {
  const auto write = [](const fs::path& file, const auto& make) -> Result<Done> {
    if (file.empty()) return Done{};
    return base::replace_file(file, make());
  };
  if (auto done = write(files.json, [&] { return load::to_json(result).dump(1) + "\n"; }); !done) return done;
  if (auto done = write(files.html, [&] { return page_of(files, result); }); !done) return done;
  return write(files.junit, [&] { return load::as_junit(result); });
}

std::string text_of(const load::RunResult& result) {
  std::string text = load::as_text(result);
  const auto kind = result.findings["kind"].string_or("");
  if (kind == "capacity") text += load::capacity_text(result.findings);
  if (kind == "spike") text += load::spike_text(result.findings);
  if (kind == "endurance") text += load::endurance_text(result.findings);
  return text;
}

int say_verdict(const load::RunResult& result) {
  const auto verdict = result.verdict();
  if (verdict != "none") {
    const auto style = verdict == "pass" ? Style::kGreen : verdict == "fail" ? Style::kRed : Style::kYellow;
    fmt::print("{}\n", styled(verdict, style));
  }
  return load::exit_code(result);
}

void add_load_file_commands(CLI::App& all, fs::path& state, Chosen& chosen) {
  add_compare(all, chosen);
  add_report(all, state, chosen);
  add_runs(all, state, chosen);
  add_record(all, state, chosen);
}

}  // namespace securebase::cli
