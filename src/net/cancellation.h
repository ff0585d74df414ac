// How a task is told that nobody wants its result any more. A Cancellation belongs to one worker: it is requested,
// and its hooks run, on that worker's thread. Tasks inherit it from whoever awaits them (task.h), so that it need
// not be passed by hand; an operation that waits (a read, a timer, an event) puts a hook into it while it waits.
#pragma once

namespace securebase::net {

class Cancellation {
 public:
  // In a Cancellation's list while an operation waits; taken out by its end, or by the cancellation before on_cancel().
  class Hook {
   public:
    Hook() = default;
    Hook(const Hook&) = delete;
    Hook& operator=(const Hook&) = delete;
    virtual ~Hook() { unhook(); }
    void unhook() {
      if (!next_) return;
      previous_->next_ = next_;
      next_->previous_ = previous_;
      next_ = previous_ = nullptr;
    }

   protected:
    virtual void on_cancel() = 0;

   private:
    friend class Cancellation;
    Hook* next_ = nullptr;
    Hook* previous_ = nullptr;
  };

  // `parent`, if there is one, outlives this; its request is ours too.
  explicit Cancellation(Cancellation* parent = nullptr) : link_(*this) {
    if (!parent) return;
    if (parent->requested_) {
      requested_ = true;
    } else {
      parent->add(link_);
    }
  }

  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  bool requested() const { return requested_; }

  // Wakes every waiting operation once; what begins to wait later is refused at once. Idempotent.
  void request() {
    if (requested_) return;
    requested_ = true;
    while (hooks_.next_ != &hooks_) {
      Hook* hook = hooks_.next_;
      hook->unhook();
      hook->on_cancel();
    }
  }

  // Only while !requested().
  void add(Hook& hook) {
    hook.previous_ = hooks_.previous_;
    hook.next_ = &hooks_;
    hooks_.previous_->next_ = &hook;
    hooks_.previous_ = &hook;
  }

 private:
  // The head of the list: points to itself when the list is empty.
  struct Ring final : Hook {
    Ring() { next_ = previous_ = this; }
    void on_cancel() override {}
  };
  struct Link final : Hook {
    explicit Link(Cancellation& owner) : owner(owner) {}
    void on_cancel() override { owner.request(); }
    Cancellation& owner;
  };

  bool requested_ = false;
  Ring hooks_;
  Link link_;
};

}  // namespace securebase::net
