#include "aws/aws.h"
#include "database/api.h"

namespace securebase::database {

void add_operations(aws::Operations& operations, Database& database) {
  const auto add = [&](const char* name, auto* answer) {
    operations.add("rds", name, [&database, answer](const aws::Call& call) { return answer(database, call); });
  };
  add("DescribeDBInstances", &describe_db_instances);
  add("DescribeDBClusters", &describe_db_clusters);
  add("DescribeDBLogFiles", &describe_db_log_files);
  add("DownloadDBLogFilePortion", &download_db_log_file_portion);
  add("DescribeDBParameterGroups", &describe_db_parameter_groups);
  add("DescribeDBClusterParameterGroups", &describe_db_cluster_parameter_groups);
  add("DescribeDBParameters", &describe_db_parameters);
  add("DescribeDBClusterParameters", &describe_db_cluster_parameters);
  add("RebootDBInstance", &reboot_db_instance);
}

}  // namespace securebase::database
