// What the database answers of the RDS API (Amazon RDS API reference), as plain functions of a call. Everything comes
// from the stack that was applied, the server and its supervisor.
#pragma once

#include "aws/aws.h"
#include "database/database.h"

namespace securebase::database {

aws::Outcome describe_db_instances(const Database& database, const aws::Call& call);
aws::Outcome describe_db_clusters(const Database& database, const aws::Call& call);
aws::Outcome describe_db_log_files(Database& database, const aws::Call& call);
aws::Outcome download_db_log_file_portion(Database& database, const aws::Call& call);
aws::Outcome describe_db_parameter_groups(const Database& database, const aws::Call& call);
aws::Outcome describe_db_cluster_parameter_groups(const Database& database, const aws::Call& call);
aws::Outcome describe_db_parameters(const Database& database, const aws::Call& call);
aws::Outcome describe_db_cluster_parameters(const Database& database, const aws::Call& call);
aws::Outcome reboot_db_instance(Database& database, const aws::Call& call);

}  // namespace securebase::database
