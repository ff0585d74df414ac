# Aurora PostgreSQL: the cluster, who logs in, and the schema.

resource "random_password" "database_owner" {
  length  = 32
  special = false
}

resource "random_password" "database_app" {
  length  = 32
  special = false
}

resource "aws_secretsmanager_secret" "database_app" {
  name        = "${local.name}-database-app"
  description = "The role that functions log in as; row level security binds it."
}

resource "aws_secretsmanager_secret_version" "database_app" {
  secret_id = aws_secretsmanager_secret.database_app.id
  secret_string = jsonencode({
    username = "securebase_app"
    password = random_password.database_app.result
  })
}

resource "aws_db_subnet_group" "main" {
  name       = local.name
  subnet_ids = module.vpc.private_subnet_ids
}

resource "aws_rds_cluster_parameter_group" "main" {
  name   = local.name
  family = "aurora-postgresql15"

  parameter {
    name  = "log_min_duration_statement"
    value = "100" # ms: what the guide calls a slow query
  }
}

resource "aws_rds_cluster" "main" {
  cluster_identifier              = local.name
  engine                          = "aurora-postgresql"
  engine_mode                     = "provisioned"
  engine_version                  = "15.4"
  database_name                   = "securebase"
  master_username                 = "securebase"
  master_password                 = random_password.database_owner.result
  db_subnet_group_name            = aws_db_subnet_group.main.name
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.main.name
  storage_encrypted               = true
  skip_final_snapshot             = true

  serverlessv2_scaling_configuration {
    min_capacity = 0.5 # 0.5 ACU = 1 GB RAM
    max_capacity = 4.0 # 4 ACU = 8 GB RAM
  }

  tags = {
    # Read by SecureBase: the migrations that it applies at start, and the role that it makes before them.
    "securebase:schema"          = "../schema"
    "securebase:app-credentials" = aws_secretsmanager_secret_version.database_app.arn
  }
}

resource "aws_rds_cluster_instance" "main" {
  identifier         = "${local.name}-instance-1"
  cluster_identifier = aws_rds_cluster.main.id
  instance_class     = "db.serverless"
  engine             = aws_rds_cluster.main.engine
  engine_version     = aws_rds_cluster.main.engine_version
}
