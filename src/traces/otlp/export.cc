#include "traces/otlp/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "traces/otlp/spans.h"

namespace securebase::traces::otlp {

namespace {

// OTLP/HTTP, "Retryable response codes"; other errors mean that the batch itself is not wanted.
bool may_be_tried_again(int status) { return status == 429 || status == 502 || status == 503 || status == 504; }

}  // namespace

Exporter::Exporter(Limits limits, Post post) : limits_(limits), post_(std::move(post)), thread_([this] { run(); }) {}

Exporter::~Exporter() { end(); }

void Exporter::end() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ending_, true)) return;
  }
  bell_.notify_all();
  thread_.join();
}

void Exporter::add(const Records& records) {
  {
    const std::lock_guard lock(mutex_);
    const auto push = [this](Records one) {
      if (waiting_.size() >= limits_.queue) {
        ++statistics_.lost;
      } else {
        waiting_.push_back(std::move(one));
      }
    };
    for (const auto& record : records.hops) push({.hops = {record}, .documents = {}});
    for (const auto& document : records.documents) push({.hops = {}, .documents = {document}});
  }
  bell_.notify_all();
}

ExportStatistics Exporter::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

void Exporter::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    bell_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    bell_.wait_for(lock, limits_.gather, [this] { return ending_ || waiting_.size() >= limits_.batch; });
    if (ending_) return;
    Records batch;
    const auto count = std::min(limits_.batch, waiting_.size());
    for (std::size_t i = 0; i < count; ++i) {
      std::ranges::move(waiting_.front().hops, std::back_inserter(batch.hops));
      std::ranges::move(waiting_.front().documents, std::back_inserter(batch.documents));
      waiting_.pop_front();
    }
    lock.unlock();
    const auto body = write_protobuf(batch);
    lock.lock();
    (send(body, lock) ? statistics_.sent : statistics_.lost) += count;
  }
}

// Until it is taken, refused for good, or the exporter ends. Meanwhile the queue fills, up to its bound.
bool Exporter::send(const std::string& body, std::unique_lock<std::mutex>& lock) {
  auto pause = limits_.first_pause;
  while (!ending_) {
    lock.unlock();
    const auto status = post_(body);
    lock.lock();
    const bool taken = status && *status >= 200 && *status < 300;
    const bool failed_before = std::exchange(fails_, !taken);
    if (taken) return true;
    ++statistics_.failures;
    if (!failed_before) {
      base::log(base::Level::kWarning, "traces", "the OTLP collector did not take traces: {}",
                status ? fmt::format("status {}", *status) : status.error().message);
    }
    if (status && !may_be_tried_again(*status)) return false;
    bell_.wait_for(lock, pause, [this] { return ending_; });
    pause = std::min(pause * 2, limits_.longest_pause);
  }
  return false;
}

}  // namespace securebase::traces::otlp
