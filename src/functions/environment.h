// The environment of an instance, as Lambda documents it (AWS Lambda developer guide, "Defined runtime environment
// variables"), and the files of its /etc. Pure, save write_etc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "functions/functions.h"

namespace securebase::functions {

// NAME=value lines for one instance. The function's own variables win over the platform's, reserved names over both.
std::vector<std::string> instance_environment(const FunctionConfig& function, const Settings& settings,
                                              std::string_view log_stream, std::uint16_t runtime_port);

// Makes `directory` what instances see as /etc: resolver, hosts, time zone, loader cache, and the trusted authorities
// with the settings' own among them.
Result<Done> write_etc(const std::filesystem::path& directory, const std::string& authorities_pem);

}  // namespace securebase::functions
