// A stack as the rooms understand it: read once, decoded by every room, applied as a whole.
#pragma once

#include <memory>

#include "base/result.h"
#include "cache/cache.h"
#include "database/database.h"
#include "edge/edge.h"
#include "functions/functions.h"
#include "gateway/gateway.h"
#include "logs/logs.h"
#include "monitoring/alarms.h"
#include "notify/notify.h"
#include "objects/objects.h"
#include "platform/platform.h"
#include "rum/rum.h"
#include "secrets/secrets.h"
#include "stack/stack.h"
#include "synthetics/synthetics.h"

namespace securebase::platform {

// Where the managed servers will listen: computed attributes of the stack say so.
struct Endpoints {
  database::Endpoint database;
  cache::Endpoint cache;
};

// The variables of this process.
std::map<std::string, std::string> process_environment();

// The resource types of all rooms.
stack::Catalogue catalogue_of(const Endpoints& endpoints);

using DeriveSecret =
    std::function<std::string(std::string_view address, std::size_t length, std::string_view alphabet)>;

// An error is everything that is wrong with the files, as Terraform would print it.
Result<stack::Stack> read_stack(const StackSource& source, const Endpoints& endpoints, DeriveSecret derive_secret);

struct Configuration {
  std::shared_ptr<const stack::Stack> stack;
  std::shared_ptr<const secrets::Config> secrets;
  std::shared_ptr<const database::Config> database;
  std::shared_ptr<const cache::Config> cache;
  std::shared_ptr<const objects::Config> objects;
  std::shared_ptr<const functions::Config> functions;
  std::shared_ptr<const gateway::Config> gateway;
  std::shared_ptr<const logs::Config> logs;
  std::shared_ptr<const edge::Config> edge;
  std::shared_ptr<const rum::Config> rum;
  std::shared_ptr<const synthetics::Config> synthetics;
  std::shared_ptr<const notify::Config> notify;
  std::shared_ptr<const monitoring::AlarmsConfig> alarms;
  std::vector<stack::Finding> notes;  // what a start says too; `plan` says them as the stack's findings
};

// Every room's part, or everything that any of them finds wrong.
Result<Configuration> configure(stack::Stack stack, const Endpoints& endpoints);

}  // namespace securebase::platform
