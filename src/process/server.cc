#include "process/server.h"

#include <fmt/format.h>

#include "base/file.h"

namespace securebase::process {

std::uint16_t port_of(const Endpoint& endpoint, std::optional<std::uint16_t> in_stack, std::uint16_t customary) {
  return endpoint.port != 0 ? endpoint.port : in_stack.value_or(customary);
}

std::string port_note(const Endpoint& endpoint, std::optional<std::uint16_t> in_stack, std::string_view option) {
  if (endpoint.port == 0 || !in_stack || *in_stack == endpoint.port) return "";
  return fmt::format("{} {} takes the place of the stack's port {}", option, endpoint.port, *in_stack);
}

namespace {

// The child itself decides when its time is over.
constexpr std::chrono::milliseconds kUntilItIsDecided = std::chrono::hours(24 * 365);

}  // namespace

Result<Done> write_files(const ServerSpec& spec) {
  for (const auto& [path, text] : spec.files) {
    if (auto written = private_file(path, text, spec.owner, 0600); !written) return written;
  }
  return Done{};
}

Result<Done> Server::start(ServerSpec spec) {
  stop();
  const std::lock_guard changing(changing_);
  if (auto free = port_is_free(spec.host, spec.port, spec.port_option); !free) return free;
  for (const auto& directory : spec.directories) {
    if (auto made = private_directory(directory, spec.owner); !made) return made;
  }
  if (auto made = base::make_directory(spec.child.log.parent_path(), 0700); !made) return made;
  if (auto written = write_files(spec); !written) return written;

  spec.child.command.run_as = spec.owner;
  auto child = supervisor_.add(std::move(spec.child));
  {
    const std::lock_guard lock(mutex_);
    child_ = child;
  }
  auto ready = child->wait_ready(kUntilItIsDecided);
  if (ready) return ready;
  child->stop();
  const std::lock_guard lock(mutex_);
  child_.reset();
  return ready.error().within(spec.title + " does not start");
}

void Server::stop() {
  const std::lock_guard changing(changing_);
  if (const auto running = child()) running->stop();
  const std::lock_guard lock(mutex_);
  child_.reset();
}

std::shared_ptr<Child> Server::child() const {
  const std::lock_guard lock(mutex_);
  return child_;
}

Status Server::status() const {
  if (const auto running = child()) return running->status();
  Status none;
  none.state = State::kStopped;
  return none;
}

}  // namespace securebase::process
