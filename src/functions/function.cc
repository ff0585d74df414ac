#include "functions/function.h"

namespace securebase::functions {
namespace {

// Counts up unless that would pass `limit`.
bool count_up(std::atomic<std::size_t>& count, std::size_t limit) {
  if (count.fetch_add(1, std::memory_order_relaxed) < limit) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void count(const FunctionMetrics& metrics, const InvokeOutcome& outcome) {
  if (metrics.invocations) metrics.invocations->add();
  if (metrics.duration) metrics.duration->record(static_cast<double>(outcome.duration.count()) / 1000);
  if (outcome.kind == InvokeOutcome::Kind::kFunctionError && metrics.errors) metrics.errors->add();
}

}  // namespace

Function::Admission Function::admit() {
  const auto reserved = concurrency->reserved.load(std::memory_order_relaxed);
  if (reserved >= 0) {
    if (!count_up(concurrency->under_way, static_cast<std::size_t>(reserved))) return Admission::kFunctionLimit;
  } else {
    if (!count_up(account->under_way, account->limit.load(std::memory_order_relaxed))) return Admission::kAccountLimit;
    concurrency->under_way.fetch_add(1, std::memory_order_relaxed);
    if (account->unreserved) {
      account->unreserved->record(static_cast<double>(account->under_way.load(std::memory_order_relaxed)));
    }
  }
  const auto now = under_way.fetch_add(1, std::memory_order_relaxed) + 1;
  if (metrics.concurrent) {
    metrics.concurrent->record(static_cast<double>(concurrency->under_way.load(std::memory_order_relaxed)));
  }
  if (const auto warm = provisioned.load(std::memory_order_relaxed); warm > 0 && provisioned_metrics.invocations) {
    (now <= warm ? provisioned_metrics.invocations : provisioned_metrics.spillover)->add();
    const auto used = static_cast<double>(std::min(now, warm));
    provisioned_metrics.concurrent->record(used);
    provisioned_metrics.utilization->record(used / static_cast<double>(warm));
  }
  return reserved >= 0 ? Admission::kFromReserved : Admission::kFromAccount;
}

void Function::release(bool counts_for_account) {
  under_way.fetch_sub(1, std::memory_order_relaxed);
  concurrency->under_way.fetch_sub(1, std::memory_order_relaxed);
  if (counts_for_account) account->under_way.fetch_sub(1, std::memory_order_relaxed);
}

void Function::conclude(Job& job, InvokeOutcome outcome) {
  using Kind = InvokeOutcome::Kind;
  if (outcome.kind == Kind::kOk || outcome.kind == Kind::kFunctionError) {
    invocations.fetch_add(1, std::memory_order_relaxed);
    count(metrics, outcome);
    count(job.by_resource, outcome);
  }
  if (outcome.kind == Kind::kFunctionError) errors.fetch_add(1, std::memory_order_relaxed);
  release(job.counts_for_account);
  outcome.request_id = job.request_id;
  outcome.executed_version = job.executed_version;
  job.reply.answer(std::move(outcome));
}

}  // namespace securebase::functions
