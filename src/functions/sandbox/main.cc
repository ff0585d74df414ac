// securebase-sandbox: the warden as a program. The platform starts it; it is of no use by hand.
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "functions/sandbox/warden.h"

int main(int count, char** arguments) {
  using namespace securebase::functions;
  WardenSettings settings;
  int socket = -1;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    const auto value = argument.substr(argument.find('=') + 1);
    if (argument.starts_with("--root=")) settings.jail.mount_point = value;
    if (argument.starts_with("--etc=")) settings.jail.etc = value;
    if (argument.starts_with("--socket=")) socket = std::atoi(value.data());
    if (argument == "--required") settings.isolation_required = true;
  }
  if (socket < 0 || settings.jail.mount_point.empty() || settings.jail.etc.empty()) {
    std::cerr << "securebase-sandbox is started by securebase itself, which hands it a socket\n";
    return 2;
  }
  return run_warden(std::move(settings), socket);
}
