#include "net/stream.h"

namespace securebase::net {

bool IoOperation::begin(Cancellation* cancellation) {
  if (cancellation && cancellation->requested()) {
    outcome_ = Error{Errc::kCancelled, "cancelled before it began"};
    return false;
  }
  auto now = stream_.start(*this);
  if (now) {
    outcome_ = std::move(*now);
    return false;
  }
  if (cancellation) cancellation->add(*this);
  return true;
}

Result<std::size_t> IoOperation::await_resume() { return std::move(outcome_); }

void IoOperation::complete(Result<std::size_t> outcome) {
  unhook();
  outcome_ = std::move(outcome);
  awaiter_.resume();
}

void IoOperation::on_cancel() { stream_.cancel(*this); }

}  // namespace securebase::net
