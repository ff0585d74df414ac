// What a stack asks of this room.
#pragma once

#include <string>
#include <vector>

#include "notify/notify.h"
#include "notify/registered.h"

namespace securebase::notify {

struct Config {
  std::vector<Topic> topics;                // settled
  std::vector<Subscription> subscriptions;  // settled; of these topics or of others that are there
};

}  // namespace securebase::notify
