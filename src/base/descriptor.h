// An open file, closed with its owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace securebase::base {

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  // Below 0 when it could not be opened; errno is the opener's then.
  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

// As many as the hard limit allows: the soft one of a login is 1024, for the sake of select(2), which nobody here uses.
void raise_descriptor_limit();

}  // namespace securebase::base
