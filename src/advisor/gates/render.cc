// A report for a terminal, a pull request, a CI server, and a program.
#include <algorithm>

#include "advisor/gates/checks.h"
#include "base/markup.h"

namespace securebase::advisor {

namespace {

std::string_view verdict_of(const Check& check) {
  if (check.waiver && check.decision != Decision::kPass) return "waived";
  return to_string(check.decision);
}

std::string waiver_in_words(const Waiver& waiver) {
  return fmt::format("waived by {} until {}: {}", waiver.owner, base::iso8601(waiver.until), waiver.reason);
}

std::string summary(const GateReport& report) {
  std::size_t passed = 0;
  std::size_t waived = 0;
  std::size_t failed = 0;
  for (const auto& check : report.checks) {
    passed += check.decision == Decision::kPass;
    waived += check.decision != Decision::kPass && check.waiver;
    failed += check.decision == Decision::kFail && !check.waiver;
  }
  const auto unknown = report.checks.size() - passed - waived - failed;
  return fmt::format("{} passed, {} failed, {} without enough evidence, {} waived", passed, failed, unknown, waived);
}

// A line of Markdown, also within a table or HTML, that shows `text` as it is: names of tests, topics and statements
// are other people's words.
std::string cell(std::string_view text) {
  constexpr std::string_view kMarks = "\\`*_[]|~#!";
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
    } else if (c == '<' || c == '>' || c == '&') {
      out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;";
    } else {
      if (kMarks.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string evidence_as_text(const Check& check) {
  std::string text = check.reason + "\n";
  for (const auto& line : check.evidence) text += line + "\n";
  text += "decided by: " + check.how + "\n";
  if (!check.fix.empty()) text += "to do: " + check.fix + "\n";
  if (!check.command.empty()) text += "see: " + check.command + "\n";
  return text;
}

}  // namespace

std::string render(const GateReport& report) {
  std::string text = fmt::format("{}, configuration {}, in force for {}\n\n", to_string(report.gate),
                                 report.configuration, in_words(report.at - report.deployed));
  for (const auto& check : report.checks) {
    text += fmt::format("{:<22}  {}\n", verdict_of(check), check.title);
    text += fmt::format("{:24}{}\n", "", check.reason);
    for (const auto& line : check.evidence) text += fmt::format("{:26}{}\n", "", line);
    if (check.waiver) text += fmt::format("{:24}{}\n", "", waiver_in_words(*check.waiver));
    if (check.decision != Decision::kPass) {
      text += fmt::format("{:24}decided by  {}\n", "", check.how);
      text += fmt::format("{:24}to do       {}\n", "", check.fix);
      if (!check.command.empty()) text += fmt::format("{:24}see         {}\n", "", check.command);
    }
  }
  return text + "\n" + summary(report) + "\n";
}

std::string to_markdown(const GateReport& report) {
  std::string text =
      fmt::format("## {}: {}\n\nConfiguration `{}`, in force since {}, looked at {}.\n\n", to_string(report.gate),
                  summary(report), report.configuration, base::iso8601(report.deployed), base::iso8601(report.at));
  text += "| Check | Verdict | Why |\n|---|---|---|\n";
  for (const auto& check : report.checks) {
    auto why = check.reason;
    if (check.waiver) why += "; " + waiver_in_words(*check.waiver);
    text += fmt::format("| {} | {} | {} |\n", cell(check.title), verdict_of(check), cell(why));
  }
  for (const auto& check : report.checks) {
    text += fmt::format("\n<details><summary>{}</summary>\n\n", base::markup_escaped(check.title));
    for (const auto& line : check.evidence) text += fmt::format("- {}\n", cell(line));
    text += fmt::format("- Decided by: {}\n", cell(check.how));
    if (!check.fix.empty()) text += fmt::format("- To do: {}\n", cell(check.fix));
    if (!check.command.empty()) text += fmt::format("\n```\n{}\n```\n", check.command);
    text += "\n</details>\n";
  }
  return text;
}

std::string to_junit(const GateReport& report) {
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
  std::string cases;
  for (const auto& check : report.checks) {
    cases += fmt::format("    <testcase classname=\"securebase.{}\" name=\"{}\" time=\"0\">\n", to_string(report.gate),
                         base::markup_escaped(check.title));
    const auto text = base::markup_escaped(evidence_as_text(check));
    if (check.decision == Decision::kPass) {
      cases += fmt::format("      <system-out>{}</system-out>\n", text);
    } else if (check.waiver) {
      ++skipped;
      cases += fmt::format("      <skipped message=\"{}\"/>\n", base::markup_escaped(waiver_in_words(*check.waiver)));
    } else {
      const bool fails = check.decision == Decision::kFail;
      ++(fails ? failures : errors);
      const std::string_view element = fails ? "failure" : "error";
      cases += fmt::format("      <{} message=\"{}\" type=\"{}\">{}</{}>\n", element,
                           base::markup_escaped(check.reason), to_string(check.decision), text, element);
    }
    cases += "    </testcase>\n";
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
      "  <testsuite name=\"securebase {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
      "timestamp=\"{}\">\n{}  </testsuite>\n</testsuites>\n",
      to_string(report.gate), report.checks.size(), failures, errors, skipped, base::iso8601(report.at), cases);
}

base::Json to_json(const GateReport& report) {
  auto checks = base::Json::array();
  for (const auto& check : report.checks) {
    auto evidence = base::Json::array();
    for (const auto& line : check.evidence) evidence.push_back(line);
    auto one = base::Json::object({{"id", check.id},
                                   {"title", check.title},
                                   {"decision", to_string(check.decision)},
                                   {"reason", check.reason},
                                   {"evidence", std::move(evidence)},
                                   {"how", check.how},
                                   {"command", check.command},
                                   {"fix", check.fix}});
    if (check.waiver) {
      one.set("waiver", base::Json::object({{"owner", check.waiver->owner},
                                            {"reason", check.waiver->reason},
                                            {"until", base::iso8601(check.waiver->until)}}));
    }
    checks.push_back(std::move(one));
  }
  return base::Json::object({{"gate", to_string(report.gate)},
                             {"at", base::iso8601(report.at)},
                             {"configuration", report.configuration},
                             {"deployed", base::iso8601(report.deployed)},
                             {"exit_code", exit_code(report)},
                             {"checks", std::move(checks)}});
}

}  // namespace securebase::advisor
