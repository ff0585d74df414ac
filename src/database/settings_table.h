// PostgreSQL's own list of its settings, so that a plan can judge them without a server.
#pragma once

namespace securebase::database {

extern const char* const kSettingsTable;

}  // namespace securebase::database
