// The script that runs processors in node, as it travels inside of this program (processor_bridge.mjs).
#pragma once

#include <string_view>

namespace securebase::load::artillery {

extern const std::string_view kProcessorBridge;

}  // namespace securebase::load::artillery
