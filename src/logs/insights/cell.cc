#include "logs/insights/cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

namespace securebase::logs::insights {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int sign_of(double a, double b) { return a < b ? -1 : a > b ? 1 : 0; }
int sign_of(std::string_view a, std::string_view b) {
  const int order = a.compare(b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

// Runs of digits by length and then by value; other runs by code point, which is the order of UTF-8's bytes.
int compare_runs(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const bool digits = is_digit(a[0]);
    if (digits != is_digit(b[0])) return sign_of(a, b);
    const auto run = [digits](std::string_view text) {
      std::size_t length = 1;
      while (length < text.size() && is_digit(text[length]) == digits) ++length;
      return text.substr(0, length);
    };
    const auto first = run(a);
    const auto second = run(b);
    if (digits && first.size() != second.size()) return first.size() < second.size() ? -1 : 1;
    if (const int order = sign_of(first, second); order != 0) return order;
    a.remove_prefix(first.size());
    b.remove_prefix(second.size());
  }
  return a.empty() ? (b.empty() ? 0 : -1) : 1;
}

}  // namespace

std::optional<double> number_of(std::string_view text) {
  if (text.empty() || text.size() > 40) return std::nullopt;
  const char* first = text.data();
  const char* const last = first + text.size();
  const char* digits = *first == '-' || *first == '+' ? first + 1 : first;
  if (digits == last || !(is_digit(*digits) || (*digits == '.' && digits + 1 < last && is_digit(digits[1])))) {
    return std::nullopt;
  }
  if (*first == '+') ++first;
  double number = 0;
  const auto [end, failure] = std::from_chars(first, last, number);
  if (failure != std::errc{} || end != last) return std::nullopt;
  return number;
}

double number_of(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kMissing:
      return std::nan("");
    case Cell::Kind::kText:
      return number_of(cell.text).value_or(std::nan(""));
    default:
      return cell.number;
  }
}

int compare(const Cell& a, const Cell& b) {
  const double left = number_of(a);
  const double right = number_of(b);
  if (!std::isnan(left) && !std::isnan(right)) return sign_of(left, right);
  if (a.kind == Cell::Kind::kText && b.kind == Cell::Kind::kText) return sign_of(a.text, b.text);
  return sign_of(display(a), display(b));
}

int natural_order(const Cell& a, const Cell& b) {
  if (a.missing() || b.missing()) return a.missing() ? (b.missing() ? 0 : -1) : 1;
  const double left = number_of(a);
  const double right = number_of(b);
  if (!std::isnan(left) && !std::isnan(right)) return sign_of(left, right);
  if (std::isnan(left) && std::isnan(right)) return compare_runs(a.text, b.text);
  return std::isnan(left) ? -1 : 1;
}

std::string display_time(double milliseconds) {
  // Years 0 to 9999.
  if (!(milliseconds > -62'167'219'200'000.0 && milliseconds < 253'402'300'800'000.0)) return {};
  const auto whole = static_cast<std::int64_t>(std::floor(milliseconds));
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds{whole}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::string display_number(double number, Precision precision) {
  if (!std::isfinite(number)) return {};
  if (number == 0) return "0";
  if (number == std::floor(number) && std::abs(number) < 1e15) {
    return fmt::format("{}", static_cast<std::int64_t>(number));
  }
  if (precision == Precision::kStored || std::abs(number) >= 1e15) return fmt::format("{}", number);
  // What four decimals cannot show is shown with four digits behind the first.
  std::string text = std::abs(number) < 0.001 ? fmt::format("{:.4E}", number) : fmt::format("{:.4f}", number);
  const auto exponent = text.find('E');
  std::string tail = exponent == std::string::npos ? "" : text.substr(exponent);
  text.resize(std::min(exponent, text.size()));
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + tail;
}

std::string display(const Cell& cell, Precision precision) {
  switch (cell.kind) {
    case Cell::Kind::kMissing:
      return {};
    case Cell::Kind::kNumber:
      return display_number(cell.number, precision);
    case Cell::Kind::kTime:
      return display_time(cell.number);
    case Cell::Kind::kText:
      return std::string(cell.text);
  }
  return {};
}

char* Arena::room(std::size_t bytes) {
  if (bytes > left_) {
    const std::size_t block = std::max(bytes, kBlock);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    bytes_ += block;
    at_ = blocks_.back().get();
    left_ = block;
  }
  char* const given = at_;
  at_ += bytes;
  left_ -= bytes;
  return given;
}

std::string_view Arena::keep(std::string_view text) {
  // Not null even when empty: a text that is there.
  if (text.empty()) return {"", 0};
  char* const copy = room(text.size());
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

void Arena::clear() {
  if (blocks_.size() > 1 || bytes_ > kBlock) {
    blocks_.clear();
    bytes_ = left_ = 0;
    at_ = nullptr;
  } else if (!blocks_.empty()) {
    at_ = blocks_[0].get();
    left_ = kBlock;
  }
}

}  // namespace securebase::logs::insights
