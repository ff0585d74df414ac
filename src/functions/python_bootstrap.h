// The program that runs Python handlers: runtime/python3.11/bootstrap.py as text.
#pragma once

#include <string_view>

namespace securebase::functions {

extern const std::string_view kPythonBootstrap;

}  // namespace securebase::functions
