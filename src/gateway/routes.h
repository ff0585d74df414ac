// Which resource a path belongs to: exact segments win over {parameter}, which wins over {proxy+}, segment by segment
// from the left, as API Gateway chooses. Where the better resource does not have the method, the next one is tried:
// OPTIONS of /{proxy+} answers for /invoices that has GET alone. A trailing '/' does not count.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::gateway {

class Routes {
 public:
  static constexpr std::size_t kParameters =
      16;  // of one path; API Gateway's resources are at most as deep in practice

  struct Found {
    std::size_t resource = 0;
    std::size_t parameter_count = 0;
    // Values as they stand in the path, escapes kept, in the order of the template's parameters.
    std::array<std::string_view, kParameters> values;
  };

  Routes();
  ~Routes();
  Routes(Routes&&) noexcept;
  Routes& operator=(Routes&&) noexcept;

  // `resource` is what find() gives for it. kMalformed: not a resource path; kConflict: there is one such already.
  Result<Done> add(std::string_view path_template, std::size_t resource);
  // Whether a resource has what is asked of it.
  class Accepts {
   public:
    virtual bool accepts(std::size_t resource) const = 0;

   protected:
    ~Accepts() = default;
  };
  // `path` is normal (path.h). Allocates nothing.
  std::optional<Found> find(std::string_view path, const Accepts& wanted) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

// The names in a template, in order: {"id", "proxy"} of /a/{id}/{proxy+}. kMalformed: not a resource path.
Result<std::vector<std::string>> parameter_names(std::string_view path_template);

}  // namespace securebase::gateway
