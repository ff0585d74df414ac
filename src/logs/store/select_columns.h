// Some rows of a column as a column.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/store/column.h"

namespace securebase::logs {

// `view` refers to the rest, and to what the whole column refers to.
struct SelectedColumn {
  Column view;
  std::vector<double> numbers;
  std::vector<std::string_view> texts;
  std::vector<std::uint32_t> codes;
  std::vector<std::uint64_t> is_text;
  std::vector<std::uint64_t> present;
};

void select_range(const Column& from, std::size_t begin, std::size_t end, SelectedColumn& into);
void select_rows(const Column& from, std::span<const std::uint32_t> rows, SelectedColumn& into);

}  // namespace securebase::logs
