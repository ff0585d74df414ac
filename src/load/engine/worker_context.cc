#include "load/engine/worker_context.h"

namespace securebase::load {

void Sweeper::Watched::unlink() {
  if (!next_) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  next_ = previous_ = nullptr;
}

Sweeper::Sweeper() { ring_.next_ = ring_.previous_ = &ring_; }

Sweeper::~Sweeper() {
  while (ring_.next_ != &ring_) ring_.next_->unlink();
  ring_.next_ = ring_.previous_ = nullptr;
}

void Sweeper::watch(Watched& watched) {
  watched.next_ = &ring_;
  watched.previous_ = ring_.previous_;
  ring_.previous_->next_ = &watched;
  ring_.previous_ = &watched;
}

// on_deadline() only asks for an end, which comes from the loop: the list does not change meanwhile.
void Sweeper::sweep(base::SteadyPoint now) {
  for (Watched* watched = ring_.next_; watched != &ring_; watched = watched->next_) {
    if (watched->deadline_ <= now) {
      watched->deadline_ = base::SteadyPoint::max();
      watched->on_deadline();
    }
  }
}

}  // namespace securebase::load
