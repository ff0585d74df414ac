// `securebase check`: the checklists as gates. `securebase rollback`: the way back to a configuration before.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

using base::Json;

constexpr int kNotEnoughEvidence = 3;
constexpr std::chrono::seconds kTestTime{30};  // that a test message has to arrive

constexpr const char* kCheckExamples =
    "Each check says pass, fail or insufficient evidence, how it was decided, on what, and what to do.\n\n"
    "  securebase check pre-deploy --send-tests     a test message to every topic that alarms act on\n"
    "  securebase check post-deploy --watch 24h     until the time is over, or something fails\n"
    "  securebase check monthly --markdown review.md\n"
    "  securebase check pre-deploy --load-test checkout.js   that script alone decides\n"
    "  securebase check pre-deploy --junit gate.xml for CI\n"
    "  securebase check waive pre-deploy/load-test --owner ana --for 7d --reason \"the generator's host is down\"\n\n"
    "Exit codes: 0 all pass or are waived; 1 something fails; 3 nothing fails, and some evidence is missing; 64 the\n"
    "command line was wrong.";

constexpr const char* kRollbackExamples =
    "Every configuration that was applied is kept with all its files, code and objects among them, up to ten.\n"
    "What functions, routes, caches and alarms are goes back; what is in databases and buckets of visitors stays.\n\n"
    "  securebase rollback --rehearse     reads the one before, has every room configure it, says what would change\n"
    "  securebase rollback                goes back to it; once more: forward again\n"
    "  securebase rollback --list\n"
    "  securebase rollback --to 4 --auto-approve";

struct CheckOptions {
  std::filesystem::path& state;
  std::int64_t window = 0;  // seconds; 0: the gate's own
  std::int64_t fresh = 86'400;
  std::int64_t watch = 0;
  std::int64_t every = 60;
  std::string json;
  std::string junit;
  std::string markdown;
  std::string load_test;
  bool send_tests = false;
};

struct WaiveOptions {
  std::string check;
  std::string owner;
  std::string reason;
  std::int64_t seconds = 0;
};

struct RollbackOptions {
  std::int64_t to = 0;
  bool list = false;
  bool rehearse = false;
  bool auto_approve = false;
};

Result<Done> write_to(const std::string& file, std::string_view text) {
  if (file.empty()) return Done{};
  if (file == "-") {
    fmt::print("{}", text);
    return Done{};
  }
  return base::replace_file(file, text);
}

Json question_for(std::string_view gate, const CheckOptions& options) {
  auto question = Json::object({{"gate", gate}, {"fresh_seconds", options.fresh}});
  if (options.window > 0) question.set("window_seconds", options.window);
  if (!options.load_test.empty()) question.set("load_test", options.load_test);
  return question;
}

std::map<std::string, std::string> decisions_of(const Json& answer) {
  std::map<std::string, std::string> decisions;
  for (const auto& check : *answer["report"]["checks"].as_array()) {
    decisions[text_of(check, "title")] =
        text_of(check, "decision") + (check.find("waiver") ? " (waived)" : "") + ": " + text_of(check, "reason");
  }
  return decisions;
}

std::string decision_word(const std::string& decision) { return decision.substr(0, decision.find(':')); }

// Asks each `every` seconds until the time is over or something fails; says what turned.
Result<Json> watch(std::string_view gate, const CheckOptions& options, std::int64_t seconds) {
  const auto until = base::system_clock().steady() + std::chrono::seconds{seconds};
  const auto question = question_for(gate, options);
  std::map<std::string, std::string> before;
  bool seen = false;
  bool gone = false;
  for (;;) {
    auto answer = platform::Control(options.state).ask("/check", question);
    // One that restarts is seen by its prober, not by this.
    if (!answer && (!seen || answer.error().code != Errc::kUnavailable)) return answer;
    if (!answer && !gone) fmt::print(stderr, "{}  the platform is away\n", base::iso8601(base::system_clock().now()));
    gone = !answer;
    if (answer) {
      seen = true;
      for (const auto& [title, decision] : decisions_of(*answer)) {
        if (decision_word(before[title]) == decision_word(decision)) continue;
        fmt::print(stderr, "{}  {}: {}\n", base::iso8601(base::system_clock().now()), title, decision);
        before[title] = decision;
      }
      if ((*answer)["exit_code"].integer_or(0) != kNotEnoughEvidence && (*answer)["exit_code"].integer_or(0) != 0) {
        return answer;
      }
    }
    const auto now = base::system_clock().steady();
    if (now >= until) return answer;
    std::this_thread::sleep_for(
        std::min<std::chrono::steady_clock::duration>(std::chrono::seconds{options.every}, until - now));
  }
}

// Until all of what was sent has arrived, or its time is over; the check tells what came of it.
Result<Done> send_tests(const CheckOptions& options) {
  const platform::Control control(options.state);
  auto sent = control.ask("/check/tests");
  if (!sent) return sent.error();
  const auto topics = (*sent)["sent"].as_array()->size();
  if (topics == 0) return Done{};
  fmt::print(stderr, "a test message went to {} topics\n", topics);
  const auto until = base::system_clock().steady() + kTestTime;
  while (base::system_clock().steady() < until) {
    auto status = control.ask("/notify", Json::object({{"what", "status"}}));
    if (!status) return status.error();
    if ((*status)["waiting"].integer_or(0) == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
  }
  return Done{};
}

// The report with the verdict at the beginning of a check in its colour.
std::string coloured(std::string_view report) {
  std::string text;
  while (!report.empty()) {
    const auto end = std::min(report.find('\n'), report.size() - 1) + 1;
    auto line = report.substr(0, end);
    report.remove_prefix(end);
    for (const auto& [word, style] :
         {std::pair{"pass ", Style::kGreen}, std::pair{"fail ", Style::kRed},
          std::pair{"insufficient evidence ", Style::kYellow}, std::pair{"waived ", Style::kDim}}) {
      if (!line.starts_with(word)) continue;
      text += styled(word, style);
      line.remove_prefix(std::string_view(word).size());
    }
    text += line;
  }
  return text;
}

int check(std::string_view gate, const CheckOptions& options) {
  const auto to_output = (options.json == "-") + (options.junit == "-") + (options.markdown == "-");
  if (to_output > 1) {
    fail({Errc::kMalformed, "standard output takes one report: of --json, --junit and --markdown one may be -"});
    return kUsage;
  }
  if (options.send_tests) {
    if (auto sent = send_tests(options); !sent) return fail(sent.error());
  }
  auto answer = options.watch > 0 ? watch(gate, options, options.watch)
                                  : platform::Control(options.state).ask("/check", question_for(gate, options));
  if (!answer) return fail(answer.error());
  if (options.json != "-" && options.junit != "-" && options.markdown != "-") {
    fmt::print("{}", coloured((*answer)["text"].string_or("")));
  }
  for (const auto& [file, text] : {std::pair{options.json, (*answer)["report"].dump(2) + "\n"},
                                   std::pair{options.junit, text_of(*answer, "junit")},
                                   std::pair{options.markdown, text_of(*answer, "markdown")}}) {
    if (auto written = write_to(file, text); !written) return fail(written.error());
  }
  return static_cast<int>((*answer)["exit_code"].integer_or(kFailed));
}

int waivers(const std::filesystem::path& state, const Json& question) {
  auto answer = platform::Control(state).ask("/waivers", question);
  if (!answer) return fail(answer.error());
  Table table({"CHECK", "OWNER", "UNTIL", "REASON"});
  for (const auto& one : *(*answer)["waivers"].as_array()) {
    const bool expired = one["expired"].bool_or(false);
    const Style style = expired ? Style::kDim : Style::kPlain;
    table.add({{text_of(one, "check"), style},
               {text_of(one, "owner"), style},
               {text_of(one, "until") + (expired ? " (expired)" : ""), style},
               {text_of(one, "reason"), style}});
  }
  fmt::print("{}", table.text());
  return kDone;
}

int list_generations(const platform::Control& control) {
  auto answer = control.ask("/rollback", Json::object({{"what", "list"}}));
  if (!answer) return fail(answer.error());
  Table table({"GENERATION", "SINCE", "DIGEST", "FILES", "FROM"});
  for (const auto& one : *(*answer)["generations"].as_array()) {
    const bool current = one["in_force"].bool_or(false);
    const auto back_to = one["back_to"].integer_or(0);
    table.add({{std::to_string(one["number"].integer_or(0)) + (current ? " (in force)" : ""),
                current ? Style::kBold : Style::kPlain},
               {text_of(one, "since"), Style::kPlain},
               {text_of(one, "digest"), Style::kPlain},
               {std::to_string(one["files"].integer_or(0)), Style::kPlain},
               {back_to > 0 ? fmt::format("rollback to {}", back_to) : text_of(one, "directory"), Style::kPlain}});
  }
  fmt::print("{}", table.text());
  if (const auto why = text_of(*answer, "not_kept"); !why.empty()) {
    fmt::print("\nThe configuration in force is not among them: {}\n", why);
  }
  return kDone;
}

// What is only shown or tried changes nothing, so there is nothing to try, to choose, or to approve.
Result<Done> check_rollback(const RollbackOptions& options) {
  const auto wrong = [](const char* why) { return Error{Errc::kMalformed, why}; };
  if (options.list && options.rehearse) {
    return wrong(
        "--list shows what is kept, and --rehearse tries a way back: one at a time; `securebase rollback --list`, then "
        "`securebase rollback --rehearse` or `--rehearse --to N`");
  }
  if (options.list && options.to > 0) {
    return wrong("--list shows everything that is kept, and --to names what to go back to: leave one of them out");
  }
  if (options.auto_approve && (options.list || options.rehearse)) {
    return wrong("--list and --rehearse change nothing, so there is nothing to approve: leave --auto-approve out");
  }
  return Done{};
}

int rollback(const std::filesystem::path& state, const RollbackOptions& options) {
  if (auto fit = check_rollback(options); !fit) {
    fail(fit.error());
    return kUsage;
  }
  const platform::Control control(state);
  if (options.list) return list_generations(control);
  auto question = Json::object({{"what", options.rehearse ? "rehearse" : "plan"}, {"to", options.to}});
  auto planned = control.ask("/rollback", question);
  if (!planned) return fail(planned.error());
  fmt::print("The way back to {}:\n\n{}", text_of(*planned, "to"), text_of(*planned, "text"));
  if (options.rehearse) {
    fmt::print(
        "\nRehearsed: it was read from what is kept, every room understood it, its code is there; nothing was "
        "changed.\n");
    return kDone;
  }
  if (!options.auto_approve && !approved("Go back?")) return kFailed;
  question.set("what", "apply");
  question.set("fingerprint", (*planned)["fingerprint"]);
  auto done = control.ask("/rollback", question);
  if (!done) return fail(done.error());
  fmt::print(
      "\nBack at {}. The files in {} are as they were: take the change back there too, since the next `up` or "
      "`apply` reads them.\n",
      text_of(*done, "to"), text_of(*done, "directory"));
  return kDone;
}

void add_gate(CLI::App& check_command, const char* name, const char* about,
              const std::shared_ptr<CheckOptions>& options, Chosen& chosen) {
  auto* gate = check_command.add_subcommand(name, about);
  add_state_option(*gate, options->state);
  const bool before = std::string_view(name) == "pre-deploy";
  if (!before) {
    gate->add_option("--window", options->window, "How long a time is looked at; by default 24h, of monthly 30d")
        ->transform(durations())
        ->check(CLI::PositiveNumber)
        ->type_name("TIME");
  }
  auto* watched = gate->add_option("--watch", options->watch, "Look again and again for so long, until something fails")
                      ->transform(durations())
                      ->check(CLI::PositiveNumber)
                      ->type_name("TIME");
  gate->add_option("--every", options->every, "How often --watch looks; a second at least")
      ->transform(durations())
      ->check(CLI::Range(1, 86400))
      ->type_name("TIME")
      ->needs(watched)
      ->default_str("60s");
  gate->add_option("--json", options->json, "Write the report there as JSON; - is standard output")->type_name("FILE");
  gate->add_option("--junit", options->junit, "The same as JUnit's XML, for CI servers")->type_name("FILE");
  gate->add_option("--markdown", options->markdown, "The same as Markdown, for pull requests")->type_name("FILE");
  if (before) {
    gate->add_option("--fresh", options->fresh, "How old a load test may be")
        ->transform(durations())
        ->check(CLI::PositiveNumber)
        ->type_name("TIME")
        ->default_str("24h");
    gate->add_option("--load-test", options->load_test,
                     "The load test that counts: its script's file name, or its name in the stack; by default all "
                     "do")
        ->type_name("NAME");
    gate->add_flag("--send-tests", options->send_tests,
                   "First send a test message to topics that none reached a subscriber of within a day");
  }
  gate->callback(
      [name = std::string(name), options, &chosen] { chosen = [name, options] { return check(name, *options); }; });
}

void add_waivers(CLI::App& check_command, std::filesystem::path& state, Chosen& chosen) {
  auto waive = std::make_shared<WaiveOptions>();
  auto* add = check_command.add_subcommand("waive", "A check that does not pass counts as passed, for a while");
  add_state_option(*add, state);
  add->add_option("check", waive->check, "pre-deploy/load-test")->required()->type_name("GATE/CHECK");
  add->add_option("--owner", waive->owner, "Who answers for it")->required()->type_name("NAME");
  add->add_option("--reason", waive->reason, "Why")->required()->type_name("TEXT");
  add->add_option("--for", waive->seconds, "How long, up to 90d")
      ->required()
      ->transform(durations())
      ->check(CLI::PositiveNumber)
      ->type_name("TIME");
  add->callback([waive, &state, &chosen] {
    chosen = [waive, &state] {
      return waivers(state, Json::object({{"what", "add"},
                                          {"check", waive->check},
                                          {"owner", waive->owner},
                                          {"reason", waive->reason},
                                          {"for_seconds", waive->seconds}}));
    };
  });
  auto* remove = check_command.add_subcommand("unwaive", "Takes a waiver back");
  add_state_option(*remove, state);
  remove->add_option("check", waive->check, "pre-deploy/load-test")->required()->type_name("GATE/CHECK");
  remove->callback([waive, &state, &chosen] {
    chosen = [waive, &state] { return waivers(state, Json::object({{"what", "remove"}, {"check", waive->check}})); };
  });
  auto* list = check_command.add_subcommand("waivers", "What is waived, by whom, until when and why");
  add_state_option(*list, state);
  list->callback([&state, &chosen] { chosen = [&state] { return waivers(state, Json::object({{"what", "list"}})); }; });
}

}  // namespace

void add_gate_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto* check_command = app.add_subcommand("check", "The checklists as gates: pre-deploy, post-deploy, monthly");
  check_command->footer(kCheckExamples);
  check_command->require_subcommand(1);
  auto options = std::make_shared<CheckOptions>(CheckOptions{.state = state});
  add_gate(*check_command, "pre-deploy", "Tested, watched, and with a way back?", options, chosen);
  add_gate(*check_command, "post-deploy", "Does it keep the targets since it was deployed?", options, chosen);
  add_gate(*check_command, "monthly", "Slow queries, evictions, memory, cost, baselines", options, chosen);
  add_waivers(*check_command, state, chosen);

  auto back = std::make_shared<RollbackOptions>();
  auto* rollback_command = app.add_subcommand("rollback", "Go back to the configuration that was in force before");
  rollback_command->footer(kRollbackExamples);
  add_state_option(*rollback_command, state);
  rollback_command->add_flag("--list", back->list, "Only show the configurations that are kept");
  rollback_command->add_flag("--rehearse", back->rehearse,
                             "Try everything but the change itself, and note that it was");
  rollback_command->add_option("--to", back->to, "A generation of --list; by default the one before")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  rollback_command->add_flag("--auto-approve", back->auto_approve, "Do not ask");
  rollback_command->callback([back, &state, &chosen] { chosen = [back, &state] { return rollback(state, *back); }; });
}

}  // namespace securebase::cli
