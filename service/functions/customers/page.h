// A page of a list, from rows whose columns are: the row as JSON, its time, its id. One row more than the page holds
// was asked for, to know whether there is a next page.
#pragma once

#include <string>
#include <string_view>

#include "lambda/cursor.h"
#include "lambda/database.h"

namespace securebase::customers {

// {"<name>":[...],"next_cursor":"..." or null}
std::string page_body(std::string_view name, const lambda::Rows& rows, std::int64_t limit);

}  // namespace securebase::customers
