#include <openssl/crypto.h>

#include <utility>

#include "secrets/secrets.h"

namespace securebase::secrets {

namespace {
void wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}
}  // namespace

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe(text_);
    text_ = other.text_;
  }
  return *this;
}

// A short text lives inside the string, where a move leaves a copy of it: hence the wiping of what was moved from.
// NOLINTNEXTLINE(performance-move-constructor-init): see above
Secret::Secret(Secret&& other) noexcept : text_(other.text_) { wipe(other.text_); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe(text_);
    text_ = other.text_;
    wipe(other.text_);
  }
  return *this;
}

Secret::~Secret() { wipe(text_); }

}  // namespace securebase::secrets
