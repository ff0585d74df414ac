// The members of a MetricDatum that the quick readers know, by their names in CBOR and JSON.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace securebase::monitoring {

enum DatumMember : unsigned {
  kMetricName = 1,
  kDimensions = 2,
  kTimestamp = 4,
  kValue = 8,
  kValues = 16,
  kCounts = 32,
  kUnit = 64,
  kStorageResolution = 128,
  kUnknownMember = 256,
};

inline DatumMember datum_member(std::string_view name) {
  // Compared at their known lengths, which takes an instruction or two.
  const auto is = [&name]<std::size_t Size>(const char(&text)[Size]) {
    return std::memcmp(name.data(), text, Size - 1) == 0;
  };
  switch (name.size()) {
    case 4:
      return is("Unit") ? kUnit : kUnknownMember;
    case 5:
      return is("Value") ? kValue : kUnknownMember;
    case 6:
      return is("Values") ? kValues : is("Counts") ? kCounts : kUnknownMember;
    case 9:
      return is("Timestamp") ? kTimestamp : kUnknownMember;
    case 10:
      return is("MetricName") ? kMetricName : is("Dimensions") ? kDimensions : kUnknownMember;
    case 17:
      return is("StorageResolution") ? kStorageResolution : kUnknownMember;
    default:
      return kUnknownMember;
  }
}

}  // namespace securebase::monitoring
