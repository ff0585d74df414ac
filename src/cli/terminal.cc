#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include "cli/commands.h"

namespace securebase::cli {

bool colour_on(int descriptor) {
  const char* refused = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  return isatty(descriptor) == 1 && !(refused && *refused) && !(kind && std::string_view(kind) == "dumb");
}

std::string styled(std::string_view text, Style style, int descriptor) {
  if (style == Style::kPlain || !colour_on(descriptor)) return std::string(text);
  const char* code = "0";
  switch (style) {
    case Style::kPlain:
      break;
    case Style::kBold:
      code = "1";
      break;
    case Style::kDim:
      code = "2";
      break;
    case Style::kGreen:
      code = "32";
      break;
    case Style::kYellow:
      code = "33";
      break;
    case Style::kRed:
      code = "31";
      break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

namespace {

// As a terminal shows it, but for letters that are two cells wide.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> header) {
  std::vector<Cell> row;
  for (auto& name : header) row.push_back({std::move(name), Style::kBold});
  rows_.push_back(std::move(row));
}

void Table::add(std::vector<Cell> row) {
  for (auto& cell : row) {
    // What receivers answered and people wrote must not steer the terminal.
    std::replace_if(
        cell.text.begin(), cell.text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
        ' ');
  }
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_[0].size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], width(row[i].text));
    }
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string gap;  // before the next cell that is not empty
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      if (!row[i].text.empty()) out += std::exchange(gap, "") + styled(row[i].text, row[i].style);
      gap += std::string(widths[i] - width(row[i].text) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,:@";
  const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos;
  return plain ? std::string(text) : shell_quoted(text);
}

bool approved(std::string_view question) {
  if (isatty(0) != 1) {
    fmt::print(stderr, "error: nobody is here to approve it; say --auto-approve\n");
    return false;
  }
  fmt::print("\n{} Only \"yes\" is taken: ", question);
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return true;
  fmt::print(stderr, "nothing was changed\n");
  return false;
}

// A message of the Terraform reader has several parts, of which each says what it is: "Error:", or "Warning:" where
// that came first.
bool names_its_kind(std::string_view message) {
  if (message.starts_with('\n')) message.remove_prefix(1);
  return message.starts_with("Error:") || message.starts_with("Warning:") || message.starts_with("Note:");
}

int fail(const Error& error) {
  fmt::print(stderr, "{}{}\n", names_its_kind(error.message) ? "" : styled("error: ", Style::kRed, 2), error.message);
  return kFailed;
}

}  // namespace securebase::cli
