// PutMetricData in the query protocol's form:
//
//   Action=PutMetricData&Version=2010-08-01&Namespace=App&MetricData.member.1.MetricName=Latency
//       &MetricData.member.1.Dimensions.member.1.Name=Host&MetricData.member.1.Dimensions.member.1.Value=a
//       &MetricData.member.1.Value=3.5&MetricData.member.2.MetricName=...
//
// as clients write it: what belongs to one datum stands together, and numbers of members rise from 1.
#include <algorithm>
#include <charconv>

#include "monitoring/put_assembler.h"
#include "monitoring/quick_put.h"

namespace securebase::monitoring {

namespace {

// Takes `text` from the front of `from`, if it is there.
bool take_text(std::string_view& from, std::string_view text) {
  if (!from.starts_with(text)) return false;
  from.remove_prefix(text.size());
  return true;
}

// "12." from the front; 0: it is none.
std::size_t take_member_number(std::string_view& from) {
  std::size_t number = 0;
  const auto [end, failure] = std::from_chars(from.data(), from.data() + std::min<std::size_t>(from.size(), 5), number);
  if (failure != std::errc{} || end == from.data()) return 0;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  return take_text(from, ".") ? number : 0;
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "2026-11-27T05:40:46Z", with up to six digits of a second's parts.
std::optional<base::TimePoint> time_in(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size() || !text.ends_with('Z')) return std::nullopt;
  int numbers[6] = {};
  std::size_t field = 0;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == '0') {
      if (text[i] < '0' || text[i] > '9') return std::nullopt;
      numbers[field] = numbers[field] * 10 + (text[i] - '0');
    } else {
      if (text[i] != kForm[i]) return std::nullopt;
      ++field;
    }
  }
  const std::chrono::year_month_day day{std::chrono::year{numbers[0]} / numbers[1] / numbers[2]};
  if (!day.ok() || numbers[3] > 23 || numbers[4] > 59 || numbers[5] > 59) return std::nullopt;
  base::TimePoint time{std::chrono::sys_days{day}.time_since_epoch() + std::chrono::hours{numbers[3]} +
                       std::chrono::minutes{numbers[4]} + std::chrono::seconds{numbers[5]}};
  std::string_view parts = text.substr(kForm.size(), text.size() - kForm.size() - 1);
  if (parts.empty()) return time;
  if (parts.size() < 2 || parts.size() > 7 || parts[0] != '.') return std::nullopt;
  parts.remove_prefix(1);
  for (auto unit = std::chrono::microseconds{100'000}; !parts.empty(); parts.remove_prefix(1), unit /= 10) {
    if (parts[0] < '0' || parts[0] > '9') return std::nullopt;
    time += unit * (parts[0] - '0');
  }
  return time;
}

class FormPutReader {
 public:
  FormPutReader(std::string_view form, base::TimePoint now, const KnownSeries& known)
      : form_(form), assembler_(now, known) {
    // Of each byte of the form at most one comes here, decoded, and one as it is: views into it stay.
    texts_.reserve(2 * form.size() + 2);
  }

  std::optional<PutBatch> read() {
    // Keys begin with the namespace, which need not be the first in the form.
    constexpr std::string_view kNamespace = "&Namespace=";
    const auto at = form_.find(kNamespace);
    if (at == std::string_view::npos) return std::nullopt;
    const auto value = form_.substr(at + kNamespace.size());
    const auto name_space = decoded(value.substr(0, value.find('&')));
    if (!name_space || !assembler_.name_space(*name_space)) return std::nullopt;
    while (!form_.empty() && !assembler_.failed()) {
      const auto end = std::min(form_.find('&'), form_.size());
      if (!take_pair(form_.substr(0, end))) return std::nullopt;
      form_.remove_prefix(std::min(end + 1, form_.size()));
    }
    if (datum_ == 0 || !end_datum() || !names_) return std::nullopt;
    auto batch = assembler_.take();
    batch.texts = std::move(texts_);
    return batch;
  }

 private:
  // The value of a parameter, its escapes undone; nullopt: a '%' without two digits.
  std::optional<std::string_view> decoded(std::string_view value) {
    if (value.find_first_of("%+") == std::string_view::npos) return value;
    const std::size_t begin = texts_.size();
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '+') {
        texts_.push_back(' ');
      } else if (value[i] != '%') {
        texts_.push_back(value[i]);
      } else {
        unsigned char byte = 0;
        if (i + 2 >= value.size()) return std::nullopt;
        const auto* const digits = value.data() + i + 1;
        const auto [end, failure] = std::from_chars(digits, digits + 2, byte, 16);
        if (failure != std::errc{} || end != digits + 2) return std::nullopt;
        texts_.push_back(static_cast<char>(byte));
        i += 2;
      }
    }
    return std::string_view(texts_.data() + begin, texts_.size() - begin);
  }

  bool take_pair(std::string_view pair) {
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return false;
    auto name = pair.substr(0, equals);
    const auto raw = pair.substr(equals + 1);
    if (!take_text(name, "MetricData.member.")) {
      if (name == "Namespace") return !std::exchange(names_, true);
      return name == "Action" || name == "Version";
    }
    const std::size_t number = take_member_number(name);
    if (number != datum_) {
      if (number != datum_ + 1 || number > kMostData || !end_datum()) return false;
      begin_datum(number);
    }
    return take_member(name, raw);
  }

  void begin_datum(std::size_t number) {
    datum_ = number;
    assembler_.begin();
    name_ = "";
    dimensions_begin_ = dimensions_end_ = texts_.size();
    seen_ = 0;
    values_ = counts_ = 0;
  }

  bool end_datum() {
    if (datum_ == 0) return true;
    const std::string_view spelled(texts_.data() + dimensions_begin_, dimensions_end_ - dimensions_begin_);
    assembler_.end(name_, spelled, [this, spelled](PutAssembler::Dimensions& into) { return read(spelled, into); });
    return !assembler_.failed();
  }

  enum Once : unsigned { kName = 1, kTime = 2, kSingle = 4, kUnitName = 8, kSeconds = 16 };
  bool first_time(Once once) { return (std::exchange(seen_, seen_ | once) & once) == 0; }

  bool take_member(std::string_view name, std::string_view raw) {
    if (take_text(name, "Dimensions.member.")) return spell_dimension(name, raw);
    if (take_text(name, "Values.member.")) return take_listed(name, raw, values_, &PutAssembler::listed_value);
    if (take_text(name, "Counts.member.")) return take_listed(name, raw, counts_, &PutAssembler::count);
    if (name == "Timestamp") return first_time(kTime) && take_time(raw);
    const auto value = decoded(raw);
    if (!value) return false;
    if (name == "MetricName") {
      name_ = *value;
      return first_time(kName);
    }
    if (name == "Unit") {
      assembler_.unit(*value);
      return first_time(kUnitName);
    }
    const auto number = number_in(*value);
    if (!number) return false;
    if (name == "Value") {
      assembler_.value(*number);
      return first_time(kSingle);
    }
    if (name != "StorageResolution" || !first_time(kSeconds)) return false;
    assembler_.resolution(*number);
    return *value == "1" || *value == "60";
  }

  // `name` is a member's number.
  bool take_listed(std::string_view name, std::string_view raw, std::size_t& last, void (PutAssembler::*take)(double)) {
    std::size_t number = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failure != std::errc{} || end != name.data() + name.size() || number != last + 1) return false;
    last = number;
    const auto value = decoded(raw);
    const auto taken = value ? number_in(*value) : std::nullopt;
    if (!taken) return false;
    (assembler_.*take)(*taken);
    return true;
  }

  bool take_time(std::string_view raw) {
    if (raw != time_text_ || raw.empty()) {
      const auto value = decoded(raw);
      const auto time = value ? time_in(*value) : std::nullopt;
      if (!time) return false;
      time_text_ = raw;
      time_ = *time;
    }
    assembler_.time(time_);
    return true;
  }

  // A datum's dimensions stand together in the form, but for the number of the datum in each of their names. Without
  // it they are the datum's spelling: "1.Name=Host&1.Value=a&".
  bool spell_dimension(std::string_view name, std::string_view raw) {
    if (dimensions_end_ != texts_.size()) {
      if (dimensions_end_ != dimensions_begin_) return false;  // something was between them
      dimensions_begin_ = texts_.size();
    }
    for (const auto part : {name, std::string_view("="), raw, std::string_view("&")}) {
      texts_.insert(texts_.end(), part.begin(), part.end());
    }
    dimensions_end_ = texts_.size();
    return true;
  }

  bool read(std::string_view spelled, PutAssembler::Dimensions& into) {
    for (std::size_t half = 0; !spelled.empty(); ++half) {
      const auto end = spelled.find('&');
      auto pair = spelled.substr(0, end);
      spelled.remove_prefix(end + 1);
      if (take_member_number(pair) != half / 2 + 1 || half / 2 == into.all.size()) return false;
      const bool names = take_text(pair, "Name=");
      if (!names && !take_text(pair, "Value=")) return false;
      auto& dimension = into.all[half / 2];
      auto& text = names ? dimension.first : dimension.second;
      const auto value = decoded(pair);
      if (!value || value->empty() || !text.empty()) return false;
      text = *value;
      into.count = half / 2 + 1;
    }
    return true;
  }

  std::string_view form_;
  PutAssembler assembler_;
  std::vector<char> texts_;
  bool names_ = false;  // the namespace was come by
  std::string_view time_text_;
  base::TimePoint time_;
  // Of the datum that is read.
  std::size_t datum_ = 0;  // its number, from 1
  std::string_view name_ = "";
  std::size_t dimensions_begin_ = 0;  // in texts_
  std::size_t dimensions_end_ = 0;
  unsigned seen_ = 0;
  std::size_t values_ = 0;  // the last one's number
  std::size_t counts_ = 0;
};

}  // namespace

std::optional<PutBatch> read_form_put(std::string_view form, base::TimePoint now, const KnownSeries& known) {
  return FormPutReader(form, now, known).read();
}

}  // namespace securebase::monitoring
