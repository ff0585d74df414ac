#include "cli/insights.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <thread>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

using base::Json;

constexpr std::size_t kLeastColumn = 8;
constexpr std::string_view kPointer = "@ptr";

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// One line, of at most `most` characters.
std::string fitted(std::string_view text, std::size_t most) {
  std::string line(text);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  if (most == 0 || characters(line) <= most) return line;
  std::size_t count = 0;
  std::size_t end = 0;
  while (end < line.size() && count < most - 1) {
    ++end;
    while (end < line.size() && (line[end] & 0xC0) == 0x80) ++end;
    ++count;
  }
  return line.substr(0, end) + "…";
}

std::size_t terminal_width() {
  winsize size{};
  return isatty(1) == 1 && ioctl(1, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// Cuts the widest columns until all of them fit.
void narrow(std::vector<std::size_t>& widths, std::size_t total) {
  const auto needed = [&widths] {
    std::size_t sum = 0;
    for (const auto width : widths) sum += width + 2;
    return sum;
  };
  while (total != 0 && needed() > total) {
    auto& widest = *std::max_element(widths.begin(), widths.end());
    if (widest <= kLeastColumn) return;
    --widest;
  }
}

std::string scanned_in_words(const Json& progress) {
  const auto bytes = static_cast<double>(progress["bytes"].integer_or(0));
  return fmt::format("{} of {} events matched, {:.1f} MB scanned", progress["matched"].integer_or(0),
                     progress["scanned"].integer_or(0), bytes / 1e6);
}

Json rows_as_objects(const Json& progress) {
  Json rows = Json::array();
  const auto& names = *progress["names"].as_array();
  for (const auto& row : *progress["rows"].as_array()) {
    Json object = Json::object();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto& value = (*row.as_array())[i];
      if (!value.is_null()) object.set(names[i].string_or(""), value);
    }
    rows.push_back(std::move(object));
  }
  return Json::object({{"status", progress["status"]},
                       {"statistics", Json::object({{"recordsMatched", progress["matched"]},
                                                    {"recordsScanned", progress["scanned"]},
                                                    {"bytesScanned", progress["bytes"]}})},
                       {"results", std::move(rows)}});
}

bool is_under_way(const Json& progress) {
  const auto status = progress["status"].string_or("");
  return status == "Scheduled" || status == "Running";
}

Result<std::int64_t> seconds_of(const std::string& text, std::string_view option) {
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure != std::errc{} || end != text.data() + text.size() || seconds < 0) {
    return Error{Errc::kMalformed,
                 fmt::format("{} takes seconds since 1970, as `date +%s` prints them, not \"{}\"", option, text)};
  }
  return seconds;
}

}  // namespace

Result<std::pair<std::int64_t, std::int64_t>> window_of(const InsightsOptions& options, base::TimePoint now) {
  std::int64_t end = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (!options.end.empty()) {
    auto given = seconds_of(options.end, "--end-time");
    if (!given) return given.error();
    end = *given;
  }
  std::int64_t begin = end - 3600;
  if (!options.begin.empty()) {
    auto given = seconds_of(options.begin, "--start-time");
    if (!given) return given.error();
    begin = *given;
  }
  if (begin > end) return Error{Errc::kMalformed, "--start-time is after --end-time"};
  return std::pair{begin, end};
}

std::string table_of(const Json& progress, std::size_t width) {
  const auto& names = *progress["names"].as_array();
  const auto& rows = *progress["rows"].as_array();
  std::vector<std::size_t> shown;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].string_or("") == kPointer) continue;
    shown.push_back(i);
    std::size_t widest = characters(names[i].string_or(""));
    for (const auto& row : rows) {
      widest = std::max(widest, characters(fitted((*row.as_array())[i].string_or(""), 0)));
    }
    widths.push_back(widest);
  }
  narrow(widths, width);
  std::string table;
  const auto add_line = [&](const Json::Array& cells, Style style) {
    std::string line;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const auto text = fitted(cells[shown[i]].string_or(""), widths[i]);
      line += text;
      if (i + 1 < shown.size()) line.append(widths[i] - characters(text) + 2, ' ');
    }
    table += styled(line, style) + "\n";
  };
  add_line(names, Style::kBold);
  for (const auto& row : rows) add_line(*row.as_array(), Style::kPlain);
  return table;
}

std::string marked(const std::string& query, std::size_t begin, std::size_t end) {
  std::size_t line_begin = 0;
  std::size_t character = 0;
  std::size_t line_character = 0;
  for (std::size_t i = 0; i < query.size() && character < begin; ++i) {
    if ((query[i] & 0xC0) != 0x80) ++character;
    if (query[i] != '\n') continue;
    line_begin = i + 1;
    line_character = character;
  }
  const auto line = query.substr(line_begin, query.find('\n', line_begin) - line_begin);
  const auto last = std::min(std::max(end, begin + 1), line_character + std::max<std::size_t>(characters(line), 1));
  const auto length = last > begin ? last - begin : 1;
  return fmt::format("  {}\n  {}^{}\n", line, std::string(begin - line_character, ' '), std::string(length - 1, '~'));
}

namespace {

int ask_insights(const std::filesystem::path& state, const InsightsOptions& options) {
  const auto window = window_of(options, base::system_clock().now());
  if (!window) {
    fail(window.error());
    return kUsage;
  }
  const platform::Control control(state);
  Json groups = Json::array();
  for (const auto& group : options.groups) groups.push_back(group);
  auto started = control.ask("/insights", Json::object({{"groups", std::move(groups)},
                                                        {"query", options.query},
                                                        {"begin", window->first},
                                                        {"end", window->second},
                                                        {"limit", options.limit}}));
  if (!started) return fail(started.error());
  if (const auto* malformed = started->find("malformed")) {
    fail(Error{Errc::kMalformed, std::string((*malformed)["message"].string_or(""))});
    fmt::print(stderr, "{}",
               marked(options.query, static_cast<std::size_t>((*malformed)["begin"].integer_or(0)),
                      static_cast<std::size_t>((*malformed)["end"].integer_or(0))));
    return kFailed;
  }
  const auto question = Json::object({{"id", (*started)["id"]}});
  std::chrono::milliseconds pause{10};
  const bool watched = isatty(2) == 1;
  while (true) {
    auto progress = control.ask("/insights", question);
    if (!progress) return fail(progress.error());
    if (is_under_way(*progress)) {
      if (watched && pause > std::chrono::milliseconds{100}) fmt::print(stderr, "\r{}", scanned_in_words(*progress));
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::milliseconds{500});
      continue;
    }
    if (watched) fmt::print(stderr, "\r\x1b[K");
    if (const auto failure = (*progress)["failure"].string_or(""); !failure.empty()) {
      return fail(Error{Errc::kUnavailable, std::string(failure)});
    }
    if (options.json || options.output == "json") {
      fmt::print("{}\n", rows_as_objects(*progress).dump(2));
    } else {
      fmt::print("{}", table_of(*progress, terminal_width()));
      std::fflush(stdout);
      fmt::print(stderr, "{}\n", styled(scanned_in_words(*progress), Style::kDim, 2));
    }
    return (*progress)["status"].string_or("") == "Complete" ? kDone : kFailed;
  }
}

}  // namespace

void add_insights_command(CLI::App& logs, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<InsightsOptions>();
  auto* command =
      logs.add_subcommand("insights", "Run a query of CloudWatch Logs Insights (docs/insights.md), and show its rows");
  command->add_option("query", options->verb, "May be said, as for `aws logs insights query`")
      ->check(CLI::IsMember({"query"}))
      ->type_name("");
  command
      ->add_option("--log-group-name,--log-group-names", options->groups,
                   "Log groups, or how the names of some begin; none where the query says SOURCE")
      ->type_name("GROUP");
  command->add_option("--query-string", options->query, "The query")->required()->type_name("QUERY");
  command->add_option("--start-time", options->begin, "Seconds since 1970; else an hour before the end")
      ->type_name("SECONDS");
  command->add_option("--end-time", options->end, "Seconds since 1970, inclusive; else now")->type_name("SECONDS");
  command->add_option("--limit", options->limit, "Rows at most")->capture_default_str();
  command->add_flag("--json", options->json, "For programs");
  command->add_option("--output", options->output, "json is --json; as the AWS CLI says it")
      ->check(CLI::IsMember({"json", "table", "text"}));
  command->add_option("--region", options->region, "Taken and not looked at")->type_name("REGION");
  add_state_option(*command, state);
  command->callback([=, &state, &chosen] { chosen = [=, &state] { return ask_insights(state, *options); }; });
}

}  // namespace securebase::cli
