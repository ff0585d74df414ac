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
    const auto answer = post_(body);
    lock.lock();
    const bool taken = answer && answer->status >= 200 && answer->status < 300;
    const bool failed_before = std::exchange(fails_, !taken);
    if (taken) {
      note_rejected(answer->body);
      return true;
    }
    ++statistics_.failures;
    if (!failed_before) {
      base::log(base::Level::kWarning, "traces", "the OTLP collector did not take traces: {}",
                answer ? fmt::format("status {}", answer->status) : answer.error().message);
    }
    if (answer && !may_be_tried_again(answer->status)) return false;
    std::chrono::milliseconds asked{0};
    if (answer && answer->retry_after)
      asked = std::min<std::chrono::milliseconds>(*answer->retry_after, limits_.longest_asked);
    bell_.wait_for(lock, std::max(pause, asked), [this] { return ending_; });
    pause = std::min(pause * 2, limits_.longest_pause);
  }
  return false;
}

// OTLP, "Partial Success": what was not taken is not to be sent again.
void Exporter::note_rejected(const std::string& answer) {
  const auto said = read_answer(answer);
  statistics_.rejected_spans += said.rejected_spans;
  if (const bool rejected_before = std::exchange(rejects_, said.rejected_spans != 0); rejected_before || !rejects_)
    return;
  base::log(base::Level::kWarning, "traces", "the OTLP collector rejected {} spans of a batch: {}", said.rejected_spans,
            said.message.empty() ? "it did not say why" : said.message.substr(0, 500));
}

}  // namespace securebase::traces::otlp
