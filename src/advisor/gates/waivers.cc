#include "advisor/gates/checks.h"
#include "base/file.h"

namespace securebase::advisor {

namespace {

constexpr std::chrono::days kLongestWaiver{90};
constexpr std::size_t kWaiverTextBytes = 1000;
constexpr std::size_t kWaiversBytes = std::size_t{1} << 20;

std::int64_t whole_seconds(base::TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
base::TimePoint time_of_seconds(const base::Json& seconds) {
  return base::TimePoint{std::chrono::seconds{seconds.integer_or(0)}};
}

Result<Done> validate_waiver(const Waiver& waiver) {
  if (!is_check(waiver.check)) {
    std::string names;
    for (const auto& name : check_names()) names += (names.empty() ? "" : ", ") + name;
    return Error{Errc::kMalformed, fmt::format("there is no check \"{}\"; there are {}", waiver.check, names)};
  }
  if (waiver.owner.empty() || waiver.reason.empty()) {
    return Error{Errc::kMalformed, "a waiver needs an owner who answers for it (--owner) and a reason (--reason)"};
  }
  if (waiver.owner.size() > kWaiverTextBytes || waiver.reason.size() > kWaiverTextBytes) {
    return Error{Errc::kLimit, fmt::format("owner and reason have up to {} bytes each", kWaiverTextBytes)};
  }
  if (waiver.until <= waiver.made) return Error{Errc::kMalformed, "the waiver would have expired already"};
  if (waiver.until > waiver.made + kLongestWaiver) {
    return Error{Errc::kLimit, fmt::format("a waiver lasts up to {} days; what has to last longer is no exception, so "
                                           "change what the check asks for",
                                           kLongestWaiver.count())};
  }
  return Done{};
}

}  // namespace

Waivers::Waivers(Waivers&& other) noexcept : file_(std::move(other.file_)), waivers_(std::move(other.waivers_)) {}

Result<Waivers> Waivers::open(std::filesystem::path file) {
  Waivers waivers(std::move(file));
  if (!std::filesystem::exists(waivers.file_)) return waivers;
  auto text = base::read_file(waivers.file_, kWaiversBytes);
  if (!text) return text.error();
  auto json = base::Json::parse(*text);
  if (!json) return json.error().within(waivers.file_.native());
  const auto* list = json->as_array();
  if (!list) return Error{Errc::kMalformed, fmt::format("{} holds no list of waivers", waivers.file_.native())};
  for (const auto& one : *list) {
    Waiver waiver{std::string(one["check"].string_or("")), std::string(one["owner"].string_or("")),
                  std::string(one["reason"].string_or("")), time_of_seconds(one["until"]),
                  time_of_seconds(one["made"])};
    waivers.waivers_[waiver.check] = std::move(waiver);
  }
  return waivers;
}

Result<Done> Waivers::save(const std::map<std::string, Waiver, std::less<>>& waivers) const {
  auto list = base::Json::array();
  for (const auto& [check, waiver] : waivers) {
    list.push_back(base::Json::object({{"check", check},
                                       {"owner", waiver.owner},
                                       {"reason", waiver.reason},
                                       {"until", whole_seconds(waiver.until)},
                                       {"made", whole_seconds(waiver.made)}}));
  }
  if (auto made = base::make_directory(file_.parent_path(), 0700); !made) return made;
  return base::replace_file(file_, list.dump(2) + "\n", 0600);
}

Result<Done> Waivers::add(Waiver waiver) {
  if (auto valid = validate_waiver(waiver); !valid) return valid;
  const std::lock_guard lock(mutex_);
  auto next = waivers_;
  next[waiver.check] = std::move(waiver);
  if (auto saved = save(next); !saved) return saved;
  waivers_ = std::move(next);
  return Done{};
}

Result<Done> Waivers::remove(std::string_view check) {
  const std::lock_guard lock(mutex_);
  auto next = waivers_;
  const auto found = next.find(check);
  if (found == next.end()) {
    return Error{Errc::kNotFound, fmt::format("\"{}\" is not waived; `securebase check waivers` lists what is", check)};
  }
  next.erase(found);
  if (auto saved = save(next); !saved) return saved;
  waivers_ = std::move(next);
  return Done{};
}

std::vector<Waiver> Waivers::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Waiver> all;
  for (const auto& [check, waiver] : waivers_) all.push_back(waiver);
  return all;
}

}  // namespace securebase::advisor
