#include "lambda/password.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>
#include <optional>

#include "base/check.h"
#include "base/encoding.h"
#include "base/hash.h"
#include "base/random.h"

namespace securebase::lambda {

namespace {

struct Cost {
  unsigned log2_n = 15, r = 8, p = 1;
};
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
// A hash in the database may not make a login take gigabytes.
constexpr unsigned kMostLog2N = 17, kMostR = 8, kMostP = 4;
constexpr std::size_t kMostMemoryBytes = std::size_t{192} << 20;

std::optional<std::string> scrypt(std::string_view password, std::string_view salt, Cost cost) {
  std::string out(kHashBytes, '\0');
  const int done = EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()),
                                  salt.size(), std::uint64_t{1} << cost.log2_n, cost.r, cost.p, kMostMemoryBytes,
                                  reinterpret_cast<unsigned char*>(out.data()), out.size());
  if (done != 1) return std::nullopt;
  return out;
}

std::string unpadded_base64(std::string_view bytes) {
  std::string text = base::base64(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

// Takes `prefix` and a number from the front of `text`.
bool take_number(std::string_view& text, std::string_view prefix, unsigned most, unsigned& value) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || value == 0 || value > most) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string hash_password(std::string_view password) {
  const Cost cost;
  const std::string salt = base::random_bytes(kSaltBytes);
  const auto hash = scrypt(password, salt, cost);
  check(hash.has_value(), "scrypt takes its standard parameters");
  return fmt::format("$scrypt$ln={},r={},p={}${}${}", cost.log2_n, cost.r, cost.p, unpadded_base64(salt),
                     unpadded_base64(*hash));
}

bool password_matches(std::string_view password, std::string_view hash) {
  Cost cost;
  if (!take_number(hash, "$scrypt$ln=", kMostLog2N, cost.log2_n)) return false;
  if (!take_number(hash, ",r=", kMostR, cost.r) || !take_number(hash, ",p=", kMostP, cost.p)) return false;
  if (!hash.starts_with('$')) return false;
  const std::size_t dollar = hash.find('$', 1);
  if (dollar == std::string_view::npos) return false;
  const auto salt = base::from_base64(hash.substr(1, dollar - 1));
  const auto wanted = base::from_base64(hash.substr(dollar + 1));
  if (!salt || !wanted || wanted->size() != kHashBytes) return false;
  const auto made = scrypt(password, *salt, cost);
  return made && base::equal_in_constant_time(*made, *wanted);
}

void waste_password_check(std::string_view password) {
  const auto made = scrypt(password, std::string(kSaltBytes, 's'), Cost{});
  check(made.has_value(), "scrypt takes its standard parameters");
}

}  // namespace securebase::lambda
