#include "logs/store/discover.h"

#include "logs/store/flatten.h"
#include "logs/store/platform_lines.h"

namespace securebase::logs {

struct Discoverer::Impl {
  explicit Impl(Limits limits) : flattener(limits) {}
  JsonFlattener flattener;
};

Discoverer::Discoverer() : Discoverer(Limits{}) {}
Discoverer::Discoverer(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
Discoverer::~Discoverer() = default;
Discoverer::Discoverer(Discoverer&&) noexcept = default;
Discoverer& Discoverer::operator=(Discoverer&&) noexcept = default;

void Discoverer::discover(std::string_view message, FieldReceiver& into) {
  if (message.empty()) return;
  if (message.front() != '{' && discover_platform_line(message, into)) return;
  impl_->flattener.flatten(message, into);
}

}  // namespace securebase::logs
