#include "platform/configuration.h"

#include <unistd.h>

extern char** environ;

namespace securebase::platform {

namespace {

Error as_error(const stack::Diagnostics& diagnostics) { return {Errc::kMalformed, stack::render(diagnostics)}; }

}  // namespace

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

stack::Catalogue catalogue_of(const Endpoints& endpoints) {
  stack::Catalogue catalogue;
  secrets::declare(catalogue);
  database::declare(catalogue, endpoints.database);
  cache::declare(catalogue, endpoints.cache);
  objects::declare(catalogue);
  functions::declare(catalogue);
  gateway::declare(catalogue);
  edge::declare(catalogue);
  rum::declare(catalogue);
  synthetics::declare(catalogue);
  notify::declare(catalogue);
  logs::declare(catalogue);
  monitoring::declare_alarms(catalogue);
  return catalogue;
}

Result<stack::Stack> read_stack(const StackSource& source, const Endpoints& endpoints, DeriveSecret derive_secret) {
  stack::Inputs inputs;
  inputs.directory = source.directory;
  inputs.readable = source.file_roots;
  inputs.programs = source.programs;
  inputs.variables = source.variables;
  inputs.variable_files = source.variable_files;
  inputs.environment = source.environment ? *source.environment : process_environment();
  inputs.derive_secret = std::move(derive_secret);
  auto loaded = stack::load(inputs, catalogue_of(endpoints));
  if (!loaded) return as_error(loaded.error());
  return std::move(*loaded);
}

Result<Configuration> configure(stack::Stack stack, const Endpoints& endpoints) {
  Configuration made;
  for (auto& notes :
       {database::notes(stack, endpoints.database), cache::notes(stack, endpoints.cache), gateway::notes(stack)}) {
    made.notes.insert(made.notes.end(), notes.begin(), notes.end());
  }
  stack.findings.insert(stack.findings.end(), made.notes.begin(), made.notes.end());
  made.stack = std::make_shared<const stack::Stack>(std::move(stack));
  stack::Diagnostics problems;
  const auto take = [&problems](auto outcome, auto& into) {
    if (outcome) {
      into = std::move(*outcome);
    } else {
      problems.append(std::move(outcome.error()));
    }
  };
  const auto& all = *made.stack;
  take(secrets::configure(all), made.secrets);
  take(database::configure(all, endpoints.database), made.database);
  take(cache::configure(all, endpoints.cache), made.cache);
  take(objects::configure(all), made.objects);
  take(functions::configure(all), made.functions);
  take(gateway::configure(all), made.gateway);
  take(edge::configure(all), made.edge);
  take(rum::configure(all), made.rum);
  take(synthetics::configure(all), made.synthetics);
  take(notify::configure(all), made.notify);
  take(logs::configure(all), made.logs);
  take(monitoring::configure_alarms(all), made.alarms);
  if (problems.has_errors()) return as_error(problems);
  return made;
}

}  // namespace securebase::platform
