#include "notify/api.h"

namespace securebase::notify {

void add_operations(aws::Operations& operations, Notify& notify) {
  for (auto& [name, handler] : operations_of(notify)) operations.add("sns", name, std::move(handler));
}

}  // namespace securebase::notify
