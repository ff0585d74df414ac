// Which bytes values are made of, as far as that is known without reading them: a text with another byte is in none.
#pragma once

#include <bitset>
#include <string_view>

namespace securebase::logs {

class Alphabet {
 public:
  static Alphabet any() { return Alphabet(std::bitset<256>().set()); }
  static Alphabet of(std::string_view bytes) {
    Alphabet made{std::bitset<256>()};
    made.add(bytes);
    return made;
  }
  static const Alphabet& run();     // of a variable of cut_text()
  static const Alphabet& number();  // as append_number() writes them
  static const Alphabet& uuid();

  void add(std::string_view bytes) {
    for (const char c : bytes) bytes_.set(static_cast<unsigned char>(c));
  }
  void keep(const Alphabet& other) { bytes_ &= other.bytes_; }
  bool has(char c) const { return bytes_[static_cast<unsigned char>(c)]; }

 private:
  explicit Alphabet(const std::bitset<256>& bytes) : bytes_(bytes) {}
  std::bitset<256> bytes_;
};

}  // namespace securebase::logs
