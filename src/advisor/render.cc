#include <fmt/format.h>

#include "advisor/advisor.h"

namespace securebase::advisor {

namespace {

std::string value_of(const Row& row) {
  if (!row.value) return "-";
  const double value = *row.value;
  const int digits = row.unit == "%" ? (value > 99 && value < 100 ? 3 : 1) : value < 10 ? 2 : value < 100 ? 1 : 0;
  return fmt::format("{:.{}f}{}{}", value, digits, row.unit.empty() ? "" : " ", row.unit);
}

std::string in_words(std::chrono::seconds window) {
  const auto count = window.count();
  if (count % 86'400 == 0) return fmt::format("{} d", count / 86'400);
  if (count % 3600 == 0) return fmt::format("{} h", count / 3600);
  if (count % 60 == 0) return fmt::format("{} min", count / 60);
  return fmt::format("{} s", count);
}

}  // namespace

std::string render(const std::vector<Row>& rows, std::chrono::seconds window) {
  std::string text = fmt::format("{:<26} {:>11} {:>11}  {:<15}  {:>9}  measured\n", "target, last " + in_words(window),
                                 "goal", "value", "verdict", "samples");
  for (const auto& row : rows) {
    std::string_view where = row.measured;
    if (where.empty()) where = row.note;
    std::string verdict(to_string(row.verdict));
    if (row.verdict == Verdict::kTooFew) verdict = fmt::format("needs {}", row.samples_needed);
    text += fmt::format("{:<26} {:>11} {:>11}  {:<15}  {:>9}  {}\n", row.name, row.target, value_of(row), verdict,
                        row.samples, where);
  }
  text += "\nevidence\n";
  for (const auto& row : rows) {
    if (!row.evidence.empty()) text += fmt::format("  # {}\n  {}\n", row.name, row.evidence);
  }
  return text;
}

base::Json to_json(const std::vector<Row>& rows, base::TimePoint now, std::chrono::seconds window) {
  auto list = base::Json::array();
  for (const auto& row : rows) {
    auto one = base::Json::object({{"name", row.name}, {"target", row.target}, {"verdict", to_string(row.verdict)}});
    one.set("value", row.value ? base::Json(*row.value) : base::Json());
    one.set("unit", row.unit);
    one.set("samples", row.samples);
    one.set("samples_needed", row.samples_needed);
    one.set("measured", row.measured);
    one.set("evidence", row.evidence);
    one.set("note", row.note);
    list.push_back(std::move(one));
  }
  return base::Json::object({{"from", base::iso8601(now - window)},
                             {"to", base::iso8601(now)},
                             {"window_seconds", std::int64_t{window.count()}},
                             {"pass", exit_code(rows) == 0},
                             {"targets", std::move(list)}});
}

}  // namespace securebase::advisor
