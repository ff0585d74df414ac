#include "functions/function.h"

namespace securebase::functions {
namespace {

// Counts up unless that would pass `limit`.
bool count_up(std::atomic<std::size_t>& count, std::size_t limit) {
  if (count.fetch_add(1, std::memory_order_relaxed) < limit) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

}  // namespace

Function::Admission Function::admit() {
  if (config.reserved) {
    if (!count_up(under_way, *config.reserved)) return Admission::kFunctionLimit;
  } else {
    if (!count_up(account->under_way, account->limit.load(std::memory_order_relaxed))) return Admission::kAccountLimit;
    under_way.fetch_add(1, std::memory_order_relaxed);
  }
  if (metrics.concurrent) metrics.concurrent->record(static_cast<double>(under_way.load(std::memory_order_relaxed)));
  return Admission::kAdmitted;
}

void Function::release() {
  under_way.fetch_sub(1, std::memory_order_relaxed);
  if (!config.reserved) account->under_way.fetch_sub(1, std::memory_order_relaxed);
}

void Function::conclude(Job& job, InvokeOutcome outcome) {
  using Kind = InvokeOutcome::Kind;
  if (outcome.kind == Kind::kOk || outcome.kind == Kind::kFunctionError) {
    invocations.fetch_add(1, std::memory_order_relaxed);
    if (metrics.invocations) metrics.invocations->add();
    if (metrics.duration) metrics.duration->record(static_cast<double>(outcome.duration.count()) / 1000);
  }
  if (outcome.kind == Kind::kFunctionError) {
    errors.fetch_add(1, std::memory_order_relaxed);
    if (metrics.errors) metrics.errors->add();
  }
  release();
  outcome.request_id = job.request_id;
  outcome.executed_version = job.executed_version;
  job.reply.answer(std::move(outcome));
}

}  // namespace securebase::functions
