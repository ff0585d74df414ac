#include "stack/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace securebase::stack {

namespace {

std::string_view severity_word(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "Error";
    case Severity::kWarning:
      return "Warning";
    case Severity::kNote:
      return "Note";
  }
  return "Error";
}

std::string_view severity_colour(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "\x1b[1;31m";
    case Severity::kWarning:
      return "\x1b[1;33m";
    case Severity::kNote:
      return "\x1b[1;36m";
  }
  return "";
}

std::string_view line_at(const SourceFile& file, std::size_t byte) {
  const std::string_view text = file.text;
  byte = std::min(byte, text.size());
  const std::size_t before = byte == 0 ? std::string_view::npos : text.rfind('\n', byte - 1);
  const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
  std::string_view line = text.substr(start, text.find('\n', start) - start);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The line of the range's start with its number, and below it a marker under the part in range.
std::string excerpt(const SourceRange& range, std::string_view colour, std::string_view plain) {
  constexpr std::size_t kMostShown = 200;  // minified JSON has lines of megabytes
  std::string_view line = line_at(*range.file, range.start.byte);
  const auto line_start = static_cast<std::size_t>(line.data() - range.file->text.data());
  const std::size_t in_line = range.start.byte > line_start ? range.start.byte - line_start : 0;
  if (in_line > kMostShown) return {};
  line = line.substr(0, kMostShown);
  const std::string number = fmt::format("{:>4}: ", range.start.line);
  std::string out = fmt::format("  {}{}\n", number, line);
  std::string pad;
  for (const char c : line.substr(0, std::min(in_line, line.size()))) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) pad += c == '\t' ? '\t' : ' ';
  }
  const std::size_t line_characters =
      static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
  const std::size_t end_column = range.end.line == range.start.line ? range.end.column : line_characters + 1;
  const std::size_t width = end_column > range.start.column ? end_column - range.start.column : 1;
  return out + fmt::format("  {}{}{}{}{}\n", std::string(number.size(), ' '), pad, colour,
                           std::string(std::min(width, kMostShown), '^'), plain);
}

// Optimal string alignment: insertions, deletions, changes, and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_above(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
    two_above.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::string SourceRange::text() const {
  return file ? fmt::format("{}:{}:{}", file->name, start.line, start.column) : std::string();
}

Diagnostic& Diagnostics::error(std::string summary, std::string detail, SourceRange range) {
  return all_.emplace_back(
      Diagnostic{Severity::kError, std::move(summary), std::move(detail), std::move(range), {}, {}});
}

Diagnostic& Diagnostics::warning(std::string summary, std::string detail, SourceRange range) {
  return all_.emplace_back(
      Diagnostic{Severity::kWarning, std::move(summary), std::move(detail), std::move(range), {}, {}});
}

Diagnostic& Diagnostics::note(std::string summary, std::string detail, SourceRange range) {
  return all_.emplace_back(
      Diagnostic{Severity::kNote, std::move(summary), std::move(detail), std::move(range), {}, {}});
}

void Diagnostics::append(Diagnostics others) {
  all_.insert(all_.end(), std::make_move_iterator(others.all_.begin()), std::make_move_iterator(others.all_.end()));
}

bool Diagnostics::has_errors() const {
  return std::any_of(all_.begin(), all_.end(), [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

void Diagnostics::truncate(std::size_t count) {
  if (count < all_.size()) all_.resize(count);
}

void Diagnostics::soften(std::size_t count) {
  for (std::size_t i = count; i < all_.size(); ++i) {
    if (all_[i].severity == Severity::kError) all_[i].severity = Severity::kWarning;
  }
}

std::string render(const Diagnostic& diagnostic, Colour colour) {
  const bool coloured = colour == Colour::kAlways;
  const std::string_view on = coloured ? severity_colour(diagnostic.severity) : "";
  const std::string_view bold = coloured ? "\x1b[1m" : "";
  const std::string_view off = coloured ? "\x1b[0m" : "";
  std::string out =
      fmt::format("{}{}:{} {}{}{}\n\n", on, severity_word(diagnostic.severity), off, bold, diagnostic.summary, off);
  if (diagnostic.range.file) {
    out += fmt::format("  on {}{}{}:\n", diagnostic.range.text(), diagnostic.context.empty() ? "" : ", in ",
                       diagnostic.context);
    out += excerpt(diagnostic.range, on, off) + "\n";
  } else if (!diagnostic.context.empty()) {
    out += fmt::format("  in {}\n\n", diagnostic.context);
  }
  out += diagnostic.detail;
  if (!diagnostic.suggestion.empty()) out += fmt::format(" Did you mean \"{}\"?", diagnostic.suggestion);
  return out + "\n";
}

std::string render(const Diagnostics& diagnostics, Colour colour) {
  std::string out;
  for (const auto& diagnostic : diagnostics) {
    if (!out.empty()) out += '\n';
    out += render(diagnostic, colour);
  }
  return out;
}

std::string closest(std::string_view word, std::span<const std::string> candidates) {
  const std::size_t allowed = std::clamp<std::size_t>(word.size() / 4, 1, 3);
  std::string best;
  std::size_t best_distance = allowed + 1;
  for (const auto& candidate : candidates) {
    const std::size_t least =
        candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
    if (least >= best_distance) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace securebase::stack
