// A callable that is moved, never copied, so that it may own what it captures (std::move_only_function is C++23).
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace securebase::base {

template <class Signature>
class Function;

template <class R, class... Args>
class Function<R(Args...)> {
 public:
  Function() = default;
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Function> && std::is_invocable_r_v<R, F&, Args...>)
  Function(F&& callable)  // NOLINT: implicit by design
      : held_(std::make_unique<Held<std::remove_cvref_t<F>>>(std::forward<F>(callable))) {}

  explicit operator bool() const { return held_ != nullptr; }

  R operator()(Args... args) {
    check(held_ != nullptr, "a Function that is called holds something");
    return held_->call(std::forward<Args>(args)...);
  }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual R call(Args... args) = 0;
  };
  template <class F>
  struct Held final : Callable {
    template <class G>
    explicit Held(G&& g) : callable(std::forward<G>(g)) {}
    R call(Args... args) override { return callable(std::forward<Args>(args)...); }
    F callable;
  };
  std::unique_ptr<Callable> held_;
};

}  // namespace securebase::base
