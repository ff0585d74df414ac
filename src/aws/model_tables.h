// The bytes of the models, one table a service (made at build time by compile_models.py, which says what is in them).
#pragma once

#include <string_view>
#include <vector>

namespace securebase::aws {

const std::vector<std::string_view>& model_tables();

}  // namespace securebase::aws
