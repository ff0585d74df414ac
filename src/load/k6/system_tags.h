// Tags that a run gives to its samples by itself, and which of them outputs have (options.systemTags).
#pragma once

#include <array>
#include <bitset>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::k6 {

class SystemTags {
 public:
  // In the order of k6's CSV; the last four are not there unless they are asked for.
  static constexpr std::array<std::string_view, 18> kAll = {
      "check",   "error",  "error_code", "expected_response", "group", "method", "name",        "proto", "scenario",
      "service", "status", "subproto",   "tls_version",       "url",   "ip",     "ocsp_status", "vu",    "iter"};
  static constexpr std::size_t kUsual = 14;

  SystemTags();
  // Exactly these; names that are none are left out, as k6 does.
  explicit SystemTags(const std::vector<std::string>& names);

  // Whether outputs have the tag: those that are none of the system's always.
  bool shows(std::string_view name) const;
  // A system tag that is there; what is none is not.
  bool has(std::string_view name) const;
  // Of many values: JSON and CSV have them beside the tags.
  static bool is_metadata(std::string_view name) { return name == "vu" || name == "iter"; }
  // Those that are there and no metadata: columns of CSV.
  std::vector<std::string_view> columns() const;

 private:
  std::bitset<kAll.size()> enabled_;
};

}  // namespace securebase::k6
