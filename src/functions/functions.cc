#include "functions/functions.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "functions/engine.h"

namespace securebase::functions {

Functions::Functions(Settings settings, net::Workers& workers, const base::Clock& clock)
    : engine_(std::make_unique<Engine>(std::move(settings), workers, clock, *this)) {}

Functions::~Functions() { stop(); }

Result<Done> Functions::start() { return engine_->start(); }
Result<Done> Functions::apply(std::shared_ptr<const Config> config) { return engine_->apply(*config); }
void Functions::stop() { engine_->stop(); }

net::Task<InvokeOutcome> Functions::invoke(std::string function, std::string event, InvokeOptions options) {
  return engine_->invoke(std::move(function), std::move(event), std::move(options));
}

bool Functions::knows(std::string_view function) const { return engine_->find(function).has_value(); }

Result<std::string> Functions::enqueue(const std::string& function, std::string event) {
  const auto target = engine_->find(function);
  if (!target) return Error{Errc::kNotFound, "Function not found: " + function};
  return engine_->events.put(function, event);
}

std::optional<std::string> Functions::code_digest(std::string_view function, std::string_view version) const {
  const auto target = engine_->find(fmt::format("{}:{}", function, version));
  if (!target) return std::nullopt;
  return base::from_hex(target->function->task.filename().native());
}

std::optional<std::filesystem::path> Functions::package_of(std::string_view function, std::string_view version) const {
  const auto target = engine_->find(fmt::format("{}:{}", function, version));
  if (!target) return std::nullopt;
  return target->function->task;
}

std::size_t Functions::ready_instances(std::string_view function, std::string_view version) const {
  const auto target = engine_->find(fmt::format("{}:{}", function, version));
  if (!target) return 0;
  const std::lock_guard lock(target->function->mutex);
  return target->function->dispatch.idle() + target->function->dispatch.busy();
}

Result<Done> Functions::check_code(const std::filesystem::path& zip) { return engine_->packages.try_out(zip); }

CodeStore& Functions::code() { return engine_->code; }

Statistics Functions::statistics() const {
  Statistics all;
  if (engine_->logs) all.log_lines_dropped = engine_->logs->dropped();
  all.unreserved_under_way = engine_->account.under_way.load(std::memory_order_relaxed);
  all.unreserved_limit = engine_->account.limit.load(std::memory_order_relaxed);
  const auto known = engine_->registry.get();
  for (const auto& [name, named] : known->functions) {
    FunctionStatistics one;
    one.function = name;
    if (named.concurrency) {
      one.under_way = named.concurrency->under_way.load(std::memory_order_relaxed);
      const auto reserved = named.concurrency->reserved.load(std::memory_order_relaxed);
      if (reserved >= 0) one.reserved = static_cast<std::size_t>(reserved);
    }
    for (const auto& [version, function] : named.versions) {
      one.invocations += function->invocations;
      one.errors += function->errors;
      one.throttles += function->throttles;
      one.cold_starts += function->cold_starts;
      one.failed_starts += function->failed_starts;
      const std::lock_guard lock(function->mutex);
      one.idle += function->dispatch.idle();
      one.busy += function->dispatch.busy();
      one.starting += function->dispatch.starting();
      one.queued += function->dispatch.waiting();
    }
    all.functions.push_back(std::move(one));
  }
  return all;
}

std::vector<std::string> Functions::isolation_report() const {
  std::vector<std::string> lines;
  if (!engine_->warden) return lines;
  const auto measures = engine_->warden->measures();
  for (const auto& holds : measures.holds) lines.push_back("yes: " + holds);
  for (const auto& missing : measures.missing) lines.push_back("no: " + missing);
  return lines;
}

}  // namespace securebase::functions
