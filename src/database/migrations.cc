#include "database/migrations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"

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

Result<std::vector<const Migration*>> still_to_apply(const std::vector<Migration>& migrations,
                                                     const AppliedMigrations& applied) {
  for (const auto& [name, sha256] : applied) {
    const auto found =
        std::find_if(migrations.begin(), migrations.end(), [&](const Migration& one) { return one.name == name; });
    if (found == migrations.end()) {
      if (!migrations.empty() && name > migrations.back().name) continue;
      return Error{Errc::kConflict,
                   fmt::format("{} was applied to this database and is not there any more; put it back", name)};
    }
    if (found->sha256 != sha256) {
      return Error{Errc::kConflict,
                   fmt::format("{} was changed after it was applied; put the old text back and write the "
                               "change into a new migration",
                               name)};
    }
  }
  std::vector<const Migration*> left;
  for (const auto& migration : migrations) {
    if (!applied.contains(migration.name)) left.push_back(&migration);
  }
  return left;
}

Result<std::size_t> migrate(Connection& connection, const std::string& owner, const std::vector<Migration>& migrations,
                            AppliedMigrations& applied) {
  if (auto done = connection.run("SET SESSION AUTHORIZATION " + connection.identifier(owner)); !done)
    return done.error();
  auto made = connection.run(
      "CREATE TABLE IF NOT EXISTS securebase_migrations (name text PRIMARY KEY, sha256 text NOT NULL, "
      "applied_at timestamptz NOT NULL DEFAULT now())");
  if (!made) return made.error();
  auto rows = connection.run("SELECT name, sha256 FROM securebase_migrations");
  if (!rows) return rows.error();
  applied.clear();
  for (const auto& row : *rows) applied.emplace(row[0], row[1]);

  auto left = still_to_apply(migrations, applied);
  if (!left) return left.error();
  if (!migrations.empty() && !applied.empty() && applied.rbegin()->first > migrations.back().name) {
    base::log(base::Level::kWarning, "database", "the files are older than the database, which has {} already",
              applied.rbegin()->first);
  }
  std::size_t now = 0;
  for (const auto* migration : *left) {
    if (auto one = apply_one(connection, *migration); !one) {
      if (now == 0) return one.error();
      return Error{one.error().code, fmt::format("{}\n{} before it {} applied now, and {}", one.error().message,
                                                 now == 1 ? "The migration" : fmt::format("The {} migrations", now),
                                                 now == 1 ? "was" : "were", now == 1 ? "stays" : "stay")};
    }
    base::log(base::Level::kInfo, "database", "{} is applied", migration->name);
    applied.emplace(migration->name, migration->sha256);
    ++now;
  }
  return now;
}

}  // namespace securebase::database
