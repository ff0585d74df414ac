// Resource paths, and the paths that are matched against them: the first line is a template, the others are paths.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "gateway/path.h"
#include "gateway/routes.h"

namespace {

// Methods that some resources have and others do not: the way back is taken, too.
struct OddOnes final : securebase::gateway::Routes::Accepts {
  bool accepts(std::size_t resource) const override { return resource % 2 == 1; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.find('\n');
  gateway::Routes routes;
  static_cast<void>(routes.add(text.substr(0, line), 1).has_value());
  static_cast<void>(routes.add("/v1/{id}/x", 2).has_value());
  static_cast<void>(routes.add("/{proxy+}", 3).has_value());
  const auto path = line == std::string_view::npos ? std::string_view("/") : text.substr(line + 1);
  std::string once, twice;
  const auto normal = gateway::normal_path(path, once);
  if (!normal) return 0;
  const auto again = gateway::normal_path(*normal, twice);
  check(again.has_value() && *again == *normal, "a normal path is normal");
  static_cast<void>(routes.find(*normal, OddOnes()));
  return 0;
}
