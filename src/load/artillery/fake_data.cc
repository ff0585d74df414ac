#include "load/artillery/fake_data.h"

#include <fmt/format.h>

#include <array>

#include "base/random.h"

namespace securebase::load::artillery {
namespace {

using Arguments = std::vector<std::int64_t>;

constexpr std::array kFirstNames = {"Ada",  "Alan", "Barbara", "Dennis", "Edsger", "Frances",  "Grace",   "Hedy",
                                    "John", "Jean", "Ken",     "Leslie", "Linus",  "Margaret", "Niklaus", "Radia"};
constexpr std::array kLastNames = {"Allen",  "Baker",  "Clarke", "Davis", "Evans", "Fischer", "Garcia", "Hughes",
                                   "Jensen", "Keller", "Lopez",  "Moore", "Novak", "Olsen",   "Petit",  "Rossi"};
constexpr std::array kCities = {"Aberdeen", "Bergen", "Cork", "Delft", "Essen", "Fresno", "Ghent", "Hobart"};
constexpr std::array kCountries = {"Austria", "Brazil", "Canada", "Denmark", "Egypt", "France", "Ghana", "Hungary"};
constexpr std::array kStreets = {"Bridge Road", "Church Street", "High Street",
                                 "Mill Lane",   "Park Avenue",   "Station Road"};
constexpr std::array kCompanies = {"Acme", "Globex", "Initech", "Umbrella", "Vandelay", "Wayne"};
constexpr std::array kWords = {"amet", "dolor", "elit", "ipsum", "lorem", "magna", "nulla", "sit", "tempor", "velit"};
constexpr std::array kJobs = {"Accountant", "Architect", "Engineer", "Nurse", "Teacher", "Welder"};
constexpr std::array kColours = {"amber", "blue", "crimson", "green", "indigo", "teal"};
constexpr std::array kProducts = {"Chair", "Keyboard", "Lamp", "Mug", "Shirt", "Table"};

template <std::size_t kCount>
std::string_view pick(const std::array<const char*, kCount>& from, Random& random) {
  return from[static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(kCount) - 1))];
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

void first_name(const Arguments&, Random& random, std::string& out) { out += pick(kFirstNames, random); }
void last_name(const Arguments&, Random& random, std::string& out) { out += pick(kLastNames, random); }
void full_name(const Arguments&, Random& random, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{} {}", pick(kFirstNames, random), pick(kLastNames, random));
}
void user_name(const Arguments&, Random& random, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}.{}{}", lower(pick(kFirstNames, random)), lower(pick(kLastNames, random)),
                 random.between(0, 99'999));
}
void email(const Arguments& none, Random& random, std::string& out) {
  user_name(none, random, out);
  out += "@example.com";  // RFC 2606: nobody's mail
}
void password(const Arguments&, Random&, std::string& out) { out += base::random_hex(16); }
void uuid(const Arguments&, Random&, std::string& out) { out += base::random_uuid(); }
void phone(const Arguments&, Random& random, std::string& out) {
  fmt::format_to(std::back_inserter(out), "+1-555-01{:02}", random.between(0, 99));  // reserved for fiction
}
void city(const Arguments&, Random& random, std::string& out) { out += pick(kCities, random); }
void country(const Arguments&, Random& random, std::string& out) { out += pick(kCountries, random); }
void street(const Arguments&, Random& random, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{} {}", random.between(1, 250), pick(kStreets, random));
}
void zip(const Arguments&, Random& random, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:05}", random.between(0, 99'999));
}
void company(const Arguments&, Random& random, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{} {}", pick(kCompanies, random), random.between(0, 1) == 0 ? "Ltd" : "Inc");
}
void whole_number(const Arguments&, Random& random, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}",
                 random.between(0, 9'007'199'254'740'991));  // faker's: JavaScript's safe
}
void boolean(const Arguments&, Random& random, std::string& out) {
  out += random.between(0, 1) == 0 ? "false" : "true";
}
void url(const Arguments&, Random& random, std::string& out) {
  fmt::format_to(std::back_inserter(out), "https://{}-{}.example.com", pick(kWords, random), pick(kWords, random));
}
void ipv4(const Arguments&, Random& random, std::string& out) {
  fmt::format_to(std::back_inserter(out), "203.0.113.{}", random.between(1, 254));  // RFC 5737
}
void word(const Arguments&, Random& random, std::string& out) { out += pick(kWords, random); }
void words(Random& random, std::int64_t count, std::string& out) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0) out += ' ';
    out += pick(kWords, random);
  }
}
void sentence(const Arguments&, Random& random, std::string& out) { words(random, 8, out), out += '.'; }
void paragraph(const Arguments&, Random& random, std::string& out) {
  for (int i = 0; i < 4; ++i) words(random, 10, out), out += i < 3 ? ". " : ".";
}
void job(const Arguments&, Random& random, std::string& out) { out += pick(kJobs, random); }
void colour(const Arguments&, Random& random, std::string& out) { out += pick(kColours, random); }
void product(const Arguments&, Random& random, std::string& out) { out += pick(kProducts, random); }

struct FakeFunction {
  std::string_view name;
  std::string_view alias;
  Template::Function function;
};
constexpr std::array kFakeFunctions = {
    FakeFunction{"internetEmail", "randEmail", email},
    FakeFunction{"internetUsername", "randUserName", user_name},
    FakeFunction{"internetPassword", "randPassword", password},
    FakeFunction{"internetUrl", "randUrl", url},
    FakeFunction{"internetIpv4", "randIp", ipv4},
    FakeFunction{"personFullName", "randFullName", full_name},
    FakeFunction{"personFirstName", "randFirstName", first_name},
    FakeFunction{"personLastName", "randLastName", last_name},
    FakeFunction{"personJobTitle", "randJobTitle", job},
    FakeFunction{"stringUuid", "randUuid", uuid},
    FakeFunction{"phoneNumber", "randPhoneNumber", phone},
    FakeFunction{"locationCity", "randCity", city},
    FakeFunction{"locationCountry", "randCountry", country},
    FakeFunction{"locationStreetAddress", "randStreetAddress", street},
    FakeFunction{"locationZipCode", "randZipCode", zip},
    FakeFunction{"companyName", "randCompanyName", company},
    FakeFunction{"numberInt", "randNumber", whole_number},
    FakeFunction{"datatypeBoolean", "randBoolean", boolean},
    FakeFunction{"loremWord", "randWord", word},
    FakeFunction{"loremSentence", "randSentence", sentence},
    FakeFunction{"loremParagraph", "randParagraph", paragraph},
    FakeFunction{"loremText", "randText", paragraph},
    FakeFunction{"colorHuman", "randColor", colour},
    FakeFunction{"commerceProductName", "randProductName", product},
};

}  // namespace

Template::Function fake_data(std::string_view name) {
  for (const auto& one : kFakeFunctions) {
    if (name == one.name || name == one.alias) return one.function;
  }
  return nullptr;
}

std::string fake_data_names() {
  std::string all;
  for (const auto& one : kFakeFunctions) all += fmt::format("{}${}", all.empty() ? "" : ", ", one.name);
  return all;
}

}  // namespace securebase::load::artillery
