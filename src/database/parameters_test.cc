#include "database/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database/files.h"

namespace securebase::database {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string wrong(std::string_view name, std::string_view value) {
  const auto right = check_parameter(name, value);
  return right ? "" : right.error().message;
}

TEST(Parameters, AreThoseOfPostgresql15) {
  EXPECT_GT(settings().size(), 350U);
  ASSERT_NE(find_setting("work_mem"), nullptr);
  EXPECT_EQ(find_setting("work_mem")->takes, Setting::Takes::kReload);
  EXPECT_EQ(find_setting("shared_buffers")->takes, Setting::Takes::kRestart);
  EXPECT_EQ(find_setting("server_version")->takes, Setting::Takes::kNothing);
  EXPECT_EQ(find_setting("timezone")->name, "TimeZone") << "PostgreSQL does not mind the case";
}

TEST(Parameters, OfAnotherNameGiveTheNearestOne) {
  EXPECT_EQ(
      wrong("log_min_duration_statment", "100"),
      "PostgreSQL 15 has no parameter \"log_min_duration_statment\". Did you mean \"log_min_duration_statement\"?");
  EXPECT_EQ(wrong("app.tenant", "x"), "") << "a name with a dot is an extension's or the application's";
}

TEST(Parameters, OutOfRangeAreNamedWithTheRange) {
  EXPECT_EQ(wrong("work_mem", "1"), "work_mem is \"1\"; expected a whole number from 64 to 2147483647 in units of kB.");
  EXPECT_EQ(wrong("work_mem", "64MB"), "");
  EXPECT_EQ(wrong("work_mem", "32kB"),
            "work_mem is \"32kB\"; expected a whole number from 64 to 2147483647 in units of kB.");
  EXPECT_EQ(wrong("log_min_duration_statement", "100"), "");
  EXPECT_EQ(wrong("log_min_duration_statement", "1.5s"), "");
  EXPECT_EQ(wrong("log_min_duration_statement", "-1"), "");
  EXPECT_THAT(wrong("log_min_duration_statement", "100 MB"), HasSubstr("in units of ms"));
  EXPECT_THAT(wrong("max_connections", "{DBInstanceClassMemory/9531392}"), HasSubstr("max_connections is"));
  EXPECT_THAT(wrong("max_connections", "1.5"), HasSubstr("expected a whole number"));
  EXPECT_THAT(wrong("autovacuum", "maybe"), HasSubstr("expected on or off"));
  EXPECT_EQ(wrong("autovacuum", "1"), "");
  EXPECT_THAT(wrong("wal_level", "highest"), HasSubstr("one of minimal,replica,logical"));
  EXPECT_EQ(wrong("random_page_cost", "1.1"), "");
  EXPECT_THAT(wrong("random_page_cost", "nan"), HasSubstr("expected a number"));
}

TEST(Parameters, OfThePlatformAreRefused) {
  for (const char* name : {"listen_addresses", "port", "SSL", "hba_file", "archive_command", "fsync", "log_line_prefix",
                           "data_directory"}) {
    EXPECT_THAT(wrong(name, "x"), HasSubstr("is the platform's own")) << name;
  }
  EXPECT_THAT(wrong("server_version", "16"), HasSubstr("cannot be set"));
}

TEST(Parameters, OfRdsItselfAreKnown) {
  EXPECT_EQ(wrong("rds.force_ssl", "1"), "");
  EXPECT_NE(why_not_honoured("rds.force_ssl"), "");
  EXPECT_EQ(why_not_honoured("work_mem"), "");
}

Settings settings_of() {
  Settings settings;
  settings.endpoint.host = "127.0.0.1";
  return settings;
}
const Places kPlaces = {"/s/data", "/s/run", "/s/tls", "/s/pg_hba.conf"};

TEST(PostgresqlConf, HoldsTheGroupsValuesQuoted) {
  Cluster cluster;
  cluster.parameters = {{"log_min_duration_statement", "100"}, {"search_path", "a', b\\\nport = 1"}};
  const auto text = postgresql_conf(settings_of(), cluster, kPlaces);
  EXPECT_THAT(text, HasSubstr("\nlog_min_duration_statement = '100'\n"));
  EXPECT_THAT(text, HasSubstr("\nsearch_path = 'a'', b\\\\port = 1'\n"));
  EXPECT_THAT(text, HasSubstr("\nport = '5432'\n"));
  EXPECT_THAT(text, HasSubstr("\nssl = 'on'\n"));
}

TEST(PostgresqlConf, LoadsTheStatisticsWhateverElseAGroupLoads) {
  Cluster cluster;
  EXPECT_THAT(postgresql_conf(settings_of(), cluster, kPlaces),
              HasSubstr("shared_preload_libraries = 'pg_stat_statements'\n"));
  cluster.parameters = {{"shared_preload_libraries", "auto_explain"}};
  const auto text = postgresql_conf(settings_of(), cluster, kPlaces);
  EXPECT_THAT(text, HasSubstr("shared_preload_libraries = 'pg_stat_statements,auto_explain'\n"));
  EXPECT_THAT(text, Not(HasSubstr("= 'auto_explain'")));
  cluster.parameters = {{"shared_preload_libraries", "auto_explain,pg_stat_statements"}};
  EXPECT_THAT(postgresql_conf(settings_of(), cluster, kPlaces),
              HasSubstr("shared_preload_libraries = 'auto_explain,pg_stat_statements'\n"));
}

TEST(PgHba, LetsNobodyInWithoutTlsAndPassword) {
  const auto text = pg_hba_conf();
  EXPECT_THAT(text, HasSubstr("hostssl  all  postgres  all  reject\n"));
  EXPECT_THAT(text, Not(HasSubstr("host ")));
  EXPECT_LT(text.find("local    all  postgres       trust"), text.find("local    all  all            reject"));
}

}  // namespace
}  // namespace securebase::database
