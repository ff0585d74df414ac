#include "monitoring/quick_put.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "monitoring/api_metrics.h"

namespace securebase::monitoring {

namespace {

constexpr std::size_t kReserved = std::size_t{1} << 20;

// CBOR (RFC 8949) of definite lengths. After the first surprise everything is nothing, and bad().
class CborCursor {
 public:
  explicit CborCursor(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool bad() const { return bad_; }
  bool at_end() const { return at_ == end_; }

  std::uint64_t array() { return sized(4); }
  std::uint64_t map() { return sized(5); }
  std::string_view text() {
    const std::uint64_t size = sized(3);
    const std::string_view text(at_, size);
    at_ += size;
    return text;
  }
  double number() {
    const auto [major, additional, argument] = head();
    if (major == 0) return static_cast<double>(argument);
    if (major == 1 && argument <= INT64_MAX) return static_cast<double>(-1 - static_cast<std::int64_t>(argument));
    if (major == 7 && additional == 27) return std::bit_cast<double>(argument);
    if (major == 7 && additional == 26) return std::bit_cast<float>(static_cast<std::uint32_t>(argument));
    return fail(), 0;
  }
  // Seconds since 1970: a number with tag 1.
  double time() {
    const auto [major, additional, tag] = head();
    return major == 6 && tag == 1 ? number() : (fail(), 0.0);
  }
  void fail() { bad_ = true, at_ = end_; }

 private:
  struct Head {
    unsigned major = 8;
    unsigned additional = 0;
    std::uint64_t argument = 0;
  };

  Head head() {
    if (at_ == end_) return fail(), Head{};
    const auto first = static_cast<unsigned char>(*at_++);
    Head head{static_cast<unsigned>(first) >> 5U, first & 31U, first & 31U};
    if (head.additional < 24) return head;
    const std::size_t size = std::size_t{1} << (head.additional - 24);
    if (head.additional > 27 || static_cast<std::size_t>(end_ - at_) < size) return fail(), Head{};
    head.argument = 0;
    for (std::size_t i = 0; i < size; ++i) head.argument = head.argument << 8 | static_cast<unsigned char>(at_[i]);
    at_ += size;
    return head;
  }

  // Nothing has more elements, or more bytes, than there are bytes left.
  std::uint64_t sized(unsigned wanted) {
    const Head found = head();
    if (found.major != wanted || found.argument > static_cast<std::size_t>(end_ - at_)) return fail(), 0;
    return found.argument;
  }

  const char* at_;
  const char* end_;
  bool bad_ = false;
};

class PutReader {
 public:
  PutReader(std::string_view cbor, base::TimePoint now) : in_(cbor), now_(now) {
    batch_.keys.reserve(std::min(cbor.size(), kReserved));
  }

  std::optional<PutBatch> read() {
    bool data_read = false;
    for (std::uint64_t members = in_.map(); members > 0 && !in_.bad(); --members) {
      const auto name = in_.text();
      if (name == "Namespace" && name_space_.empty()) {
        name_space_ = in_.text();
        if (!is_name(name_space_, kLongestName) || name_space_.starts_with("AWS/")) return std::nullopt;
      } else if (name == "MetricData" && !data_read && !name_space_.empty()) {  // keys begin with the namespace
        data_read = true;
        const std::uint64_t count = in_.array();
        if (count > kMostData) return std::nullopt;
        batch_.data.reserve(count);
        for (std::uint64_t i = 0; i < count && !in_.bad(); ++i) datum();
      } else {
        return std::nullopt;
      }
    }
    if (in_.bad() || !in_.at_end() || !data_read) return std::nullopt;
    return std::move(batch_);
  }

 private:
  enum Member : unsigned {
    kMetricName = 1,
    kDimensions = 2,
    kTimestamp = 4,
    kValue = 8,
    kValues = 16,
    kCounts = 32,
    kUnit = 64,
    kStorageResolution = 128,
    kUnknown = 256,
  };
  static Member member_of(std::string_view name) {
    switch (name.size()) {
      case 4:
        return name == "Unit" ? kUnit : kUnknown;
      case 5:
        return name == "Value" ? kValue : kUnknown;
      case 6:
        return name == "Values" ? kValues : name == "Counts" ? kCounts : kUnknown;
      case 9:
        return name == "Timestamp" ? kTimestamp : kUnknown;
      case 10:
        return name == "MetricName" ? kMetricName : name == "Dimensions" ? kDimensions : kUnknown;
      case 17:
        return name == "StorageResolution" ? kStorageResolution : kUnknown;
      default:
        return kUnknown;
    }
  }

  void datum() {
    PutBatch::Datum made;
    made.time = now_;
    std::string_view metric_name;
    dimension_count_ = 0;
    counts_.clear();
    const std::size_t first_value = batch_.values.size();
    unsigned seen = 0;
    for (std::uint64_t members = in_.map(); members > 0 && !in_.bad(); --members) {
      const Member member = member_of(in_.text());
      if ((seen & member) != 0) return in_.fail();
      seen |= member;
      switch (member) {
        case kMetricName:
          metric_name = in_.text();
          break;
        case kDimensions:
          dimensions();
          break;
        case kTimestamp:
          time(made);
          break;
        case kValue:
          value();
          break;
        case kValues:
          for (std::uint64_t left = list_of_values(); left > 0 && !in_.bad(); --left) value();
          break;
        case kCounts:
          for (std::uint64_t left = list_of_values(); left > 0 && !in_.bad(); --left) counts_.push_back(in_.number());
          break;
        case kUnit:
          made.unit = unit();
          break;
        case kStorageResolution: {
          const double seconds = in_.number();
          if (seconds != 1 && seconds != 60) return in_.fail();
          if (seconds == 1) made.resolution = Resolution::kSecond;
          break;
        }
        case kUnknown:
          return in_.fail();
      }
    }
    const bool both = (seen & kValue) != 0 && (seen & kValues) != 0;
    if (both || batch_.values.size() == first_value || !is_name(metric_name, kLongestName) || !count(first_value)) {
      return in_.fail();
    }
    append_key(metric_name);
    made.key_end = static_cast<std::uint32_t>(batch_.keys.size());
    made.values_end = static_cast<std::uint32_t>(batch_.values.size());
    batch_.data.push_back(made);
  }

  // Most requests have one unit throughout.
  UnitNumber unit() {
    const auto name = in_.text();
    if (name != unit_name_) {
      const auto number = unit_number(name);
      if (!number) return in_.fail(), UnitNumber{0};
      unit_name_ = name;
      unit_ = *number;
    }
    return unit_;
  }

  std::uint64_t list_of_values() {
    const std::uint64_t count = in_.array();
    if (count > kMostValues) in_.fail();
    return count;
  }

  void value() {
    const double value = in_.number();
    if (!(std::abs(value) <= kLargestValue)) in_.fail();
    batch_.values.emplace_back(value, 1);
  }

  // Gives the values from `first` on their counts, if there are any. false: they do not fit.
  bool count(std::size_t first) {
    if (counts_.empty()) return true;
    if (counts_.size() != batch_.values.size() - first) return false;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (!(counts_[i] > 0 && counts_[i] <= kLargestCount)) return false;
      batch_.values[first + i].second = static_cast<std::uint64_t>(std::max(1.0, std::nearbyint(counts_[i])));
    }
    return true;
  }

  void time(PutBatch::Datum& made) {
    const double seconds = in_.time();
    if (!(std::abs(seconds) < 1e11)) return in_.fail();
    const double whole = std::floor(seconds);
    made.time = base::TimePoint{std::chrono::seconds{static_cast<std::int64_t>(whole)}} +
                std::chrono::microseconds{std::llround((seconds - whole) * 1e6)};
    if (made.time < now_ - kOldestSample || made.time > now_ + kNewestSample) in_.fail();
  }

  void dimensions() {
    const std::uint64_t count = in_.array();
    if (count > kMostDimensions) return in_.fail();
    for (std::uint64_t i = 0; i < count && !in_.bad(); ++i) {
      auto& [name, value] = dimensions_[i];
      name = value = {};
      if (in_.map() != 2) return in_.fail();
      for (int member = 0; member < 2; ++member) {
        const auto what = in_.text();
        auto& text = what == "Name" ? name : value;
        if ((what != "Name" && what != "Value") || !text.empty()) return in_.fail();
        text = in_.text();
      }
      if (!is_name(name, kLongestName) || !is_name(value, kLongestDimensionValue)) return in_.fail();
    }
    dimension_count_ = count;
    const auto end = dimensions_.begin() + static_cast<std::ptrdiff_t>(count);
    std::sort(dimensions_.begin(), end);
    const auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (std::adjacent_find(dimensions_.begin(), end, same_name) != end) in_.fail();
  }

  // As append_metric_key() writes it.
  void append_key(std::string_view metric_name) {
    append_key_text(batch_.keys, name_space_);
    append_key_text(batch_.keys, metric_name);
    for (std::size_t i = 0; i < dimension_count_; ++i) {
      append_key_text(batch_.keys, dimensions_[i].first);
      append_key_text(batch_.keys, dimensions_[i].second);
    }
  }

  CborCursor in_;
  const base::TimePoint now_;
  std::string_view name_space_;
  PutBatch batch_;
  std::string_view unit_name_ = unit_name(0);
  UnitNumber unit_ = 0;
  // Of the datum that is read.
  std::array<std::pair<std::string_view, std::string_view>, kMostDimensions> dimensions_;
  std::size_t dimension_count_ = 0;
  std::vector<double> counts_;
};

}  // namespace

std::optional<PutBatch> read_put_metric_data(std::string_view cbor, base::TimePoint now) {
  return PutReader(cbor, now).read();
}

}  // namespace securebase::monitoring
