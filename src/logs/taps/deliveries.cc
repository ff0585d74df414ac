#include "logs/taps/deliveries.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/durable.h"
#include "base/file.h"
#include "logs/store/event.h"

namespace securebase::logs {

namespace {

constexpr std::uint64_t kSmallFile = 1 << 20;  // is not written anew
constexpr std::size_t kMostFileBytes = std::size_t{1} << 30;

std::string record_of(std::string_view stream, std::uint64_t number, std::string_view message) {
  const Event event{static_cast<std::int64_t>(number), message, {}};
  std::string record;
  put_journal_record(record, stream, 0, {&event, 1});
  return record;
}

}  // namespace

Result<std::unique_ptr<Deliveries>> Deliveries::open(const std::filesystem::path& path, std::deque<Delivery>& waiting,
                                                     const std::function<void(std::string)>& say) {
  std::unique_ptr<Deliveries> made(new Deliveries(path));
  if (std::error_code failure; std::filesystem::exists(path, failure)) {
    auto bytes = base::read_file(path, kMostFileBytes);
    if (!bytes) return bytes.error();
    std::set<std::uint64_t> done;
    auto read = read_journal(*bytes, [&](std::string_view stream, std::int64_t, std::span<const Event> events) {
      for (const auto& event : events) {
        const auto number = static_cast<std::uint64_t>(event.time_ms);
        if (stream.empty()) {
          done.insert(number);
        } else {
          waiting.push_back({number, std::string(stream), std::string(event.message)});
          made->next_ = std::max(made->next_, number + 1);
        }
      }
    });
    std::erase_if(waiting, [&](const Delivery& one) { return done.contains(one.number); });
    if (!read) {
      say(fmt::format("{}: {}; what waited for functions is lost", path.native(), read.error().message));
    } else if (!read->torn.empty()) {
      say(fmt::format("{}: {}; {} deliveries are kept", path.native(), read->torn, waiting.size()));
    }
  }
  if (auto written = made->write_anew(waiting); !written) return written.error();
  return made;
}

Result<Done> Deliveries::add(Delivery& delivery) {
  // One that could not be written has a number of its own, too: else its end would be that of the next.
  delivery.number = next_++;
  return journal_->append(record_of(delivery.function_arn, delivery.number, delivery.event));
}

Result<Done> Deliveries::done(std::uint64_t number, const std::deque<Delivery>& waiting, std::size_t waiting_bytes) {
  if (journal_->broken() || journal_->bytes() > 2 * waiting_bytes + kSmallFile) return write_anew(waiting);
  return journal_->append(record_of("", number, ""));
}

// Beside it, then in its place: the one or the other is there.
Result<Done> Deliveries::write_anew(const std::deque<Delivery>& waiting) {
  auto beside = path_;
  beside += ".new";
  auto begun = Journal::begin(beside, next_);
  if (!begun) return begun.error();
  for (const auto& one : waiting) {
    if (auto put = (*begun)->append(record_of(one.function_arn, one.number, one.event)); !put) return put;
  }
  if (auto synced = (*begun)->sync(); !synced) return synced;
  if (::rename(beside.c_str(), path_.c_str()) != 0) return system_error(errno, "rename", path_.native());
  journal_ = std::move(*begun);
  return base::sync_directory(path_.parent_path());
}

}  // namespace securebase::logs
