#include "database/migrations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"

namespace securebase::database {

namespace {

constexpr std::size_t kNumberDigits = 4;

bool well_named(std::string_view name) {
  if (name.size() <= kNumberDigits + 5 || name[kNumberDigits] != '_' || !name.ends_with(".sql")) return false;
  return std::all_of(name.begin(), name.begin() + kNumberDigits, [](unsigned char c) { return std::isdigit(c) != 0; });
}

Result<Done> apply_one(Connection& connection, const Migration& migration) {
  auto begun = connection.run("BEGIN");
  if (!begun) return begun.error();
  auto ran = connection.run_file(migration.name, migration.text);
  if (ran && !connection.in_transaction()) {
    return Error{
        Errc::kMalformed,
        fmt::format("{} ends its own transaction; a migration has no BEGIN, COMMIT or ROLLBACK", migration.name)};
  }
  if (ran) {
    auto recorded = connection.run("INSERT INTO securebase_migrations (name, sha256) VALUES ($1, $2)",
                                   {migration.name, migration.sha256});
    if (!recorded) ran = recorded.error().within(migration.name);
  }
  auto ended = connection.run(ran ? "COMMIT" : "ROLLBACK");
  if (!ran) return ran;
  if (!ended) return ended.error().within(migration.name);
  return Done{};
}

}  // namespace

Result<std::vector<Migration>> read_migrations(const std::filesystem::path& directory) {
  auto files = base::files_below(directory);
  if (!files) return files.error().within("the schema's directory");
  std::vector<Migration> migrations;
  for (const auto& file : *files) {
    const std::string name = file.native();
    if (file.extension() != ".sql") continue;
    if (file.has_parent_path() || !well_named(name)) {
      return Error{Errc::kMalformed, fmt::format("{}: a migration is called NNNN_name.sql and lies in {} itself", name,
                                                 directory.native())};
    }
    if (!migrations.empty() && migrations.back().name.substr(0, kNumberDigits) == name.substr(0, kNumberDigits)) {
      return Error{Errc::kMalformed, fmt::format("{} and {} have the same number", migrations.back().name, name)};
    }
    auto text = base::read_file(directory / file);
    if (!text) return text.error();
    std::string digest = base::hex(base::sha256(*text));
    migrations.push_back({name, std::move(*text), std::move(digest)});
  }
  return migrations;
}

Result<std::size_t> migrate(Connection& connection, const std::string& owner,
                            const std::vector<Migration>& migrations) {
  if (auto done = connection.run("SET SESSION AUTHORIZATION " + connection.identifier(owner)); !done)
    return done.error();
  auto made = connection.run(
      "CREATE TABLE IF NOT EXISTS securebase_migrations (name text PRIMARY KEY, sha256 text NOT NULL, "
      "applied_at timestamptz NOT NULL DEFAULT now())");
  if (!made) return made.error();
  auto applied = connection.run("SELECT name, sha256 FROM securebase_migrations");
  if (!applied) return applied.error();

  std::size_t now = 0;
  for (const auto& row : *applied) {
    const auto found =
        std::find_if(migrations.begin(), migrations.end(), [&](const Migration& m) { return m.name == row[0]; });
    if (found == migrations.end()) {
      return Error{Errc::kConflict,
                   fmt::format("{} was applied to this database and is not there any more; put it back", row[0])};
    }
    if (found->sha256 != row[1]) {
      return Error{Errc::kConflict,
                   fmt::format("{} was changed after it was applied; put the old text back and write the "
                               "change into a new migration",
                               row[0])};
    }
  }
  for (const auto& migration : migrations) {
    const bool done =
        std::any_of(applied->begin(), applied->end(), [&](const auto& row) { return row[0] == migration.name; });
    if (done) continue;
    if (auto one = apply_one(connection, migration); !one) return one.error();
    ++now;
  }
  return now;
}

}  // namespace securebase::database
