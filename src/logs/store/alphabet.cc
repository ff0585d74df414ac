#include "logs/store/alphabet.h"

#include "logs/store/cut_message.h"

namespace securebase::logs {

const Alphabet& Alphabet::run() {
  static const Alphabet made = [] {
    auto all = of({});
    for (int c = 0; c < 256; ++c) {
      const char byte = static_cast<char>(c);
      if (may_be_in_variable(byte)) all.add({&byte, 1});
    }
    return all;
  }();
  return made;
}

const Alphabet& Alphabet::number() {
  static const Alphabet made = of("0123456789.-");
  return made;
}

const Alphabet& Alphabet::uuid() {
  static const Alphabet made = of("0123456789abcdef-");
  return made;
}

}  // namespace securebase::logs
