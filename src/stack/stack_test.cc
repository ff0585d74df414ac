#include "stack/stack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "stack/plan.h"

namespace securebase::stack {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A directory of files for one test.
class Directory {
 public:
  explicit Directory(const std::map<std::string, std::string>& files)
      : path_(std::filesystem::temp_directory_path() / ("stack-test-" + base::random_hex(12))) {
    for (const auto& [name, text] : files) {
      std::filesystem::create_directories((path_ / name).parent_path());
      EXPECT_TRUE(base::replace_file(path_ / name, text));
    }
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Inputs inputs_of(const Directory& directory) {
  Inputs inputs;
  inputs.directory = directory.path();
  inputs.derive_secret = [](std::string_view address, std::size_t length, std::string_view alphabet) {
    return Context{.address = std::string(address)}.id(length, alphabet);
  };
  return inputs;
}

Result<Stack, Diagnostics> load_files(const std::map<std::string, std::string>& files) {
  const Directory directory(files);
  return load(inputs_of(directory), Catalogue());
}

// The output `x` of a stack of one file.
Value output_x(const std::string& text) {
  const auto stack = load_files({{"main.tf", text}});
  EXPECT_TRUE(stack) << (stack ? "" : render(stack.error()));
  return stack ? stack->outputs.at("x").value : Value();
}

std::string errors_of(const std::string& text) {
  const auto stack = load_files({{"main.tf", text}});
  return stack ? "no error" : render(stack.error());
}

TEST(Load, FollowsReferencesInAnyOrder) {
  EXPECT_EQ(output_x(R"(
    output "x" { value = local.c }
    locals {
      c = "${local.b}!"
      b = aws_sqs_queue.q.name
    }
    resource "aws_sqs_queue" "q" { name = "jobs" }
  )"),
            Value("jobs!"));
}

TEST(Load, NamesTheMembersOfACycle) {
  EXPECT_THAT(errors_of("locals {\n  a = local.b\n  b = local.a\n}\n"), HasSubstr("Cycle"));
  EXPECT_THAT(errors_of("locals {\n  a = local.b\n  b = true ? 1 : local.a\n}\n"), HasSubstr("local.a, local.b"));
}

TEST(Load, SuggestsWhatADanglingReferenceMeant) {
  EXPECT_EQ(errors_of("variable \"region\" { default = 1 }\noutput \"x\" { value = var.regoin }\n"),
            "Error: Reference to undeclared input variable\n\n"
            "  on main.tf:2:22, in output \"x\":\n"
            "     2: output \"x\" { value = var.regoin }\n"
            "                             ^^^^^^^^^^\n\n"
            "There is no input variable \"regoin\" in this module. Did you mean \"region\"?\n");
}

TEST(Load, RefusesMisspeltArgumentsOfTypesThatNobodyOwns) {
  EXPECT_THAT(errors_of("resource \"aws_vpc\" \"a\" { cidr_blok = \"10.0.0.0/16\" }\n"),
              HasSubstr("Did you mean \"cidr_block\"?"));
  EXPECT_THAT(errors_of("resource \"aws_s3_buckte\" \"a\" {}\n"), HasSubstr("Did you mean \"aws_s3_bucket\"?"));
}

TEST(Load, TakesATypeOfAKnownServiceForNewerAndNotForOneOfAnother) {
  const auto stack = load_files({{"main.tf", "resource \"aws_msk_entanglement\" \"t\" { name = \"t\" }\n"}});
  ASSERT_TRUE(stack) << render(stack.error());
  ASSERT_EQ(stack->findings.size(), 1u);
  EXPECT_THAT(stack->findings[0].reason, HasSubstr("newer"));
  EXPECT_THAT(errors_of("resource \"aws_msk_clustre\" \"c\" {}\n"), HasSubstr("Did you mean \"aws_msk_cluster\"?"));
  EXPECT_THAT(errors_of("resource \"aws_snss_topic\" \"t\" {}\n"), HasSubstr("Did you mean \"aws_sns_topic\"?"));
}

TEST(Load, ListsNoArgumentThatIsNull) {
  const auto stack = load_files({{"main.tf", R"(
    resource "aws_vpc" "v" { quantum_entanglement = null }
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  ASSERT_EQ(stack->findings.size(), 1u);
  EXPECT_EQ(stack->findings[0].attribute, "");
  EXPECT_THAT(errors_of("resource \"aws_vpc\" \"a\" { cidr_blok = null }\n"),
              HasSubstr("Did you mean \"cidr_block\"?"));
}

TEST(Load, RefusesMisspeltArgumentsOfTheLanguageItself) {
  EXPECT_THAT(errors_of("variable \"x\" {\n  tpye = string\n}\n"),
              AllOf(HasSubstr("main.tf:2:3, in variable \"x\""), HasSubstr("Did you mean \"type\"?")));
  EXPECT_THAT(errors_of("resource \"aws_vpc\" \"v\" {\n  lifecycle {\n    prevent_destory = true\n  }\n}\n"),
              HasSubstr("Did you mean \"prevent_destroy\"?"));
  EXPECT_THAT(errors_of("output \"x\" {\n  value = 1\n  precondtion {}\n}\n"),
              HasSubstr("Did you mean \"precondition\"?"));
  const auto newer = load_files({{"main.tf", "variable \"x\" {\n  default = 1\n  quantum = true\n}\n"}});
  ASSERT_TRUE(newer) << render(newer.error());
  EXPECT_THAT(render(newer->warnings), HasSubstr("quantum"));
}

TEST(Load, SuggestsTheAttributeThatWasMeant) {
  EXPECT_THAT(errors_of("locals {\n  a = { region = 1 }\n}\noutput \"x\" { value = local.a.regoin }\n"),
              HasSubstr("Did you mean \"region\"?"));
  EXPECT_THAT(errors_of("locals {\n  a = { region = 1 }\n}\noutput \"x\" { value = local.a[\"regoin\"] }\n"),
              HasSubstr("Did you mean \"region\"?"));
}

TEST(Load, RefusesProvidersThatNobodyConfigured) {
  const std::string provider = "provider \"aws\" {\n  alias  = \"west\"\n  region = \"us-west-2\"\n}\n";
  EXPECT_THAT(errors_of(provider + "resource \"aws_vpc\" \"v\" { provider = aws.wset }\n"),
              AllOf(HasSubstr("Provider configuration not present"), HasSubstr("Did you mean \"aws.west\"?")));
  EXPECT_EQ(errors_of(provider + "resource \"aws_vpc\" \"v\" { provider = aws.west }\n"), "no error");
}

TEST(Load, FillsWhatTheProviderFillsWhenItIsNotWritten) {
  EXPECT_EQ(output_x(R"(
    resource "aws_launch_template" "l" {}
    resource "aws_eks_cluster" "e" { name = "e" }
    data "aws_subnets" "s" {}
    data "aws_ssm_parameter" "p" { name = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended" }
    output "x" { value = join(" ", [
      coalesce(aws_launch_template.l.default_version),
      aws_eks_cluster.e.kubernetes_network_config[0].service_ipv4_cidr,
      substr(element(data.aws_subnets.s.ids, 0), 0, 7),
      substr(jsondecode(data.aws_ssm_parameter.p.value).image_id, 0, 4),
    ]) }
  )"),
            Value("1 172.20.0.0/16 subnet- ami-"));
}

TEST(Load, FillsWhatIsBothOptionalAndComputed) {
  EXPECT_EQ(output_x(R"(
    resource "aws_vpc" "v" { ipv4_ipam_pool_id = "ipam-pool-1" }
    resource "aws_security_group" "s" { name = "s" }
    resource "aws_kms_key" "k" {}
    resource "aws_iam_access_key" "k" { user = "u" }
    resource "aws_autoscaling_group" "g" {
      max_size = 3
      min_size = 2
    }
    resource "aws_instance" "i" { ami = "ami-1" }
    output "x" { value = join(" ", [
      cidrsubnet(aws_vpc.v.cidr_block, 8, 0), substr(aws_security_group.s.vpc_id, 0, 4),
      aws_security_group.s.description, jsondecode(aws_kms_key.k.policy).Id, aws_iam_access_key.k.status,
      aws_autoscaling_group.g.desired_capacity, aws_instance.i.root_block_device[0].volume_size,
    ]) }
  )"),
            Value("10.0.0.0/24 vpc- Managed by Terraform key-default-1 Active 2 8"));
}

TEST(Load, GivesIdsArnsAndAddressesTheFormThatTheyHaveInAws) {
  EXPECT_EQ(output_x(R"(
    resource "aws_sqs_queue" "q" { name = "q" }
    resource "aws_kinesis_firehose_delivery_stream" "f" { name = "s" }
    resource "aws_cloudwatch_event_bus" "b" { name = "bus" }
    resource "aws_cloudwatch_event_rule" "a" { name = "rule" }
    resource "aws_cloudwatch_event_rule" "b" {
      name           = "rule"
      event_bus_name = aws_cloudwatch_event_bus.b.name
    }
    resource "aws_sfn_state_machine" "m" { name = "m" }
    resource "aws_db_subnet_group" "g" { name = "g" }
    resource "aws_ssm_parameter" "s" { name = "/a/b" }
    resource "aws_kms_alias" "k" {
      name          = "alias/x"
      target_key_id = "1234"
    }
    resource "aws_iam_role" "r" {
      name = "r"
      path = "/svc/"
    }
    resource "aws_iam_policy" "p" { name = "p" }
    resource "aws_ecr_repository" "e" { name = "repo" }
    resource "aws_s3_bucket" "b" { bucket = "my-bucket" }
    resource "aws_s3_bucket_policy" "b" { bucket = aws_s3_bucket.b.id }
    resource "aws_s3_bucket_versioning" "b" { bucket = aws_s3_bucket_policy.b.id }
    resource "aws_s3_bucket_public_access_block" "b" { bucket = aws_s3_bucket_versioning.b.id }
    output "x" { value = join("\n", [
      aws_sqs_queue.q.arn, aws_sqs_queue.q.id, aws_kinesis_firehose_delivery_stream.f.arn,
      aws_cloudwatch_event_rule.a.arn, aws_cloudwatch_event_rule.b.arn, aws_sfn_state_machine.m.id,
      aws_db_subnet_group.g.arn, aws_ssm_parameter.s.arn, aws_kms_alias.k.arn, aws_kms_alias.k.target_key_arn,
      aws_iam_role.r.arn, aws_iam_policy.p.id, aws_ecr_repository.e.repository_url,
      aws_s3_bucket_public_access_block.b.id, aws_s3_bucket.b.arn,
    ]) }
  )"),
            Value("arn:aws:sqs:us-east-1:123456789012:q\n"
                  "https://sqs.us-east-1.amazonaws.com/123456789012/q\n"
                  "arn:aws:firehose:us-east-1:123456789012:deliverystream/s\n"
                  "arn:aws:events:us-east-1:123456789012:rule/rule\n"
                  "arn:aws:events:us-east-1:123456789012:rule/bus/rule\n"
                  "arn:aws:states:us-east-1:123456789012:stateMachine:m\n"
                  "arn:aws:rds:us-east-1:123456789012:subgrp:g\n"
                  "arn:aws:ssm:us-east-1:123456789012:parameter/a/b\n"
                  "arn:aws:kms:us-east-1:123456789012:alias/x\n"
                  "arn:aws:kms:us-east-1:123456789012:key/1234\n"
                  "arn:aws:iam::123456789012:role/svc/r\n"
                  "arn:aws:iam::123456789012:policy/p\n"
                  "123456789012.dkr.ecr.us-east-1.amazonaws.com/repo\n"
                  "my-bucket\n"
                  "arn:aws:s3:::my-bucket"));
  EXPECT_EQ(output_x(R"(
    resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
    resource "aws_security_group" "g" { name = "g" }
    resource "aws_lb" "l" {
      name               = "l"
      load_balancer_type = "network"
    }
    resource "aws_lb_listener" "l" { load_balancer_arn = aws_lb.l.arn }
    output "x" { value = [
      aws_vpc.v.arn == "arn:aws:ec2:us-east-1:123456789012:vpc/${aws_vpc.v.id}", startswith(aws_vpc.v.id, "vpc-"),
      startswith(aws_security_group.g.id, "sg-"),
      endswith(aws_security_group.g.arn, ":security-group/${aws_security_group.g.id}"),
      aws_lb.l.arn == "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/${aws_lb.l.arn_suffix}",
      startswith(aws_lb.l.arn_suffix, "net/l/"),
      startswith(aws_lb_listener.l.arn, "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/net/l/"),
    ] }
  )"),
            Value(Value::List(7, Value(true))));
}

TEST(Load, LeavesNoListEmptyThatNeverIsInAws) {
  EXPECT_EQ(output_x(R"(
    resource "aws_route53_zone" "z" { name = "example.com" }
    resource "aws_vpc_endpoint" "e" { vpc_endpoint_type = "Interface" }
    resource "aws_acm_certificate" "c" {
      domain_name               = "example.com"
      subject_alternative_names = ["*.example.com", "www.example.com", "example.com"]
      validation_method         = "DNS"
    }
    resource "aws_route53_record" "v" {
      for_each = { for o in aws_acm_certificate.c.domain_validation_options : o.domain_name => o }
      name     = each.value.resource_record_name
    }
    output "x" { value = [
      length(aws_route53_zone.z.name_servers), length(aws_vpc_endpoint.e.network_interface_ids),
      join(" ", keys(aws_route53_record.v)), length(distinct([for r in aws_route53_record.v : r.name])),
    ] }
  )"),
            Value::list({4, 1, "*.example.com example.com www.example.com", 2}));
}

TEST(Load, ReadsADataSourceAsTheResourceThatItMeans) {
  EXPECT_EQ(
      output_x(R"(
    resource "aws_s3_bucket" "b" {
      bucket = "my-bucket"
    }
    data "aws_s3_bucket" "b" {
      bucket     = "my-bucket"
      depends_on = [aws_s3_bucket.b]
    }
    data "aws_s3_bucket" "other" { bucket = "other-bucket" }
    data "aws_lambda_function" "f" { function_name = "existing" }
    data "aws_sns_topic" "t" { name = "t" }
    data "aws_iam_policy" "p" { arn = "arn:aws:iam::aws:policy/AdministratorAccess" }
    resource "aws_security_group" "g" {
      name = "g"
      tags = { of = "stack" }
    }
    data "aws_security_group" "g" { id = aws_security_group.g.id }
    resource "aws_route53_zone" "z" { name = "example.com" }
    data "aws_route53_zone" "z" {
      name       = "example.com."
      depends_on = [aws_route53_zone.z]
    }
    output "x" { value = [
      data.aws_s3_bucket.b.id, data.aws_security_group.g.tags.of, data.aws_s3_bucket.other.id, data.aws_s3_bucket.other.arn,
      data.aws_lambda_function.f.arn, data.aws_sns_topic.t.arn, data.aws_iam_policy.p.name, data.aws_iam_policy.p.id,
      data.aws_security_group.g.name, data.aws_route53_zone.z.zone_id == aws_route53_zone.z.zone_id,
    ] }
  )"),
      Value::list({"my-bucket", "stack", "other-bucket", "arn:aws:s3:::other-bucket",
                   "arn:aws:lambda:us-east-1:123456789012:function:existing", "arn:aws:sns:us-east-1:123456789012:t",
                   "AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess", "g", true}));
}

TEST(Load, TakesTheNameOfADataSourceFromItsArn) {
  EXPECT_EQ(output_x(R"(
    data "aws_lb" "l" { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188" }
    data "aws_secretsmanager_secret" "s" { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a/b-AbCdEf" }
    resource "aws_route53_zone" "inside" {
      name = "example.com"
      vpc { vpc_id = "vpc-1" }
    }
    resource "aws_route53_zone" "outside" { name = "example.com" }
    data "aws_route53_zone" "z" {
      name         = "example.com"
      private_zone = true
      depends_on   = [aws_route53_zone.inside, aws_route53_zone.outside]
    }
    output "x" { value = [
      data.aws_lb.l.name, data.aws_lb.l.arn_suffix, data.aws_secretsmanager_secret.s.name,
      data.aws_route53_zone.z.zone_id == aws_route53_zone.inside.zone_id,
    ] }
  )"),
            Value::list({"web", "app/web/50dc6c495c0c9188", "a/b", true}));
}

TEST(Load, TellsOfDataSourcesThatWhatTheyReadIsMadeUp) {
  const auto stack = load_files({{"main.tf", R"(
    resource "aws_sqs_queue" "q" { name = "q" }
    data "aws_sqs_queue" "q" { name = aws_sqs_queue.q.name }
    data "aws_sqs_queue" "other" { name = "other" }
    data "aws_region" "here" {}
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  std::vector<std::string> addresses;
  for (const auto& finding : stack->findings) {
    if (finding.reason.find("made up") != std::string::npos) addresses.push_back(finding.address);
  }
  EXPECT_THAT(addresses, ElementsAre("data.aws_sqs_queue.other"));
}

TEST(Load, ReadsSecretsAndParametersOfTheStackAlone) {
  const std::string own = R"(
    resource "aws_secretsmanager_secret" "s" { name = "db" }
    resource "aws_secretsmanager_secret_version" "v" {
      secret_id     = aws_secretsmanager_secret.s.id
      secret_string = jsonencode({ username = "u" })
    }
    data "aws_secretsmanager_secret_version" "v" {
      secret_id  = "db"
      depends_on = [aws_secretsmanager_secret_version.v]
    }
    resource "aws_ssm_parameter" "p" {
      name  = "/a/b"
      type  = "String"
      value = "v"
    }
    data "aws_ssm_parameter" "p" { name = aws_ssm_parameter.p.name }
  )";
  EXPECT_EQ(output_x(own + R"(output "x" { value = join(" ", [
    nonsensitive(jsondecode(data.aws_secretsmanager_secret_version.v.secret_string).username),
    data.aws_ssm_parameter.p.value,
  ]) })"),
            Value("u v"));
  EXPECT_THAT(errors_of(own + "output \"x\" { value = data.aws_secretsmanager_secret_version.v.secret_string }\n"),
              HasSubstr("Output refers to sensitive values"));
  const std::string outside = R"(
    data "aws_secretsmanager_secret_version" "v" { secret_id = "elsewhere" }
    data "aws_ssm_parameter" "p" {
      count = 1
      name  = "/elsewhere"
    }
    resource "aws_lambda_invocation" "i" { function_name = "f" }
  )";
  EXPECT_EQ(errors_of(outside), "no error");
  EXPECT_EQ(output_x(R"(
    data "aws_ssm_parameter" "image" { name = "/aws/service/aws-for-fluent-bit/stable" }
    output "x" { value = data.aws_ssm_parameter.image.value }
  )"),
            Value("906394416424.dkr.ecr.us-east-1.amazonaws.com/aws-for-fluent-bit:stable"));
  for (const auto* read : {"data.aws_secretsmanager_secret_version.v.secret_string",
                           "data.aws_ssm_parameter.p[0].value", "aws_lambda_invocation.i.result"}) {
    EXPECT_THAT(errors_of(outside + "output \"x\" { value = " + read + " }\n"),
                testing::AllOf(HasSubstr("Value that is not known here"), HasSubstr("reading a stack asks nobody")));
    EXPECT_EQ(output_x(outside + "output \"x\" { value = try(" + read + ", \"else\") }\n"), Value("else"));
  }
  EXPECT_THAT(errors_of(outside + "output \"x\" { value = data.aws_ssm_parameter.p[*].value }\n"),
              HasSubstr("Value that is not known here"));
  EXPECT_THAT(errors_of(outside + "output \"x\" { value = data.aws_ssm_parameter.p[0][\"value\"] }\n"),
              HasSubstr("Value that is not known here"));
}

TEST(Load, TakesTimeoutsOfResourcesAlsoWhenTheyAreDynamic) {
  EXPECT_EQ(errors_of(R"(
    resource "aws_lambda_function" "f" {
      function_name = "f"
      dynamic "timeouts" {
        for_each = [1]
        content { create = "10m" }
      }
    }
  )"),
            "no error");
}

TEST(Load, TellsOfProvisionersThatTheyAreNotRun) {
  const auto stack = load_files({{"main.tf", R"(
    resource "terraform_data" "a" {
      provisioner "local-exec" { command = "touch made" }
    }
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  ASSERT_EQ(stack->findings.size(), 1u);
  EXPECT_EQ(stack->findings[0].attribute, "provisioner.local-exec");
}

TEST(Load, AcceptsArgumentsNewerThanItsList) {
  const auto stack = load_files({{"main.tf", "resource \"aws_vpc\" \"a\" { quantum_entanglement = true }\n"}});
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_THAT(stack->findings[0].reason, HasSubstr("newer"));
}

TEST(Load, MakesSeveralByCountAndForEach) {
  const auto stack = load_files({{"main.tf", R"(
    resource "aws_sqs_queue" "n" {
      count = 2
      name  = "q${count.index}"
    }
    resource "aws_sqs_queue" "m" {
      for_each = { a = 1, b = 2 }
      name     = "${each.key}-${each.value}"
    }
    output "x" { value = concat(aws_sqs_queue.n[*].name, [for k, q in aws_sqs_queue.m : q.name]) }
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_NE(stack->find("aws_sqs_queue.n[1]"), nullptr);
  EXPECT_NE(stack->find("aws_sqs_queue.m[\"b\"]"), nullptr);
  EXPECT_EQ(stack->outputs.at("x").value, Value::list({"q0", "q1", "a-1", "b-2"}));
}

TEST(Load, TakesAnEmptyListForASetWhereTheOtherArmIsOne) {
  const auto stack = load_files({{"main.tf", R"(
    variable "no" { default = false }
    variable "yes" { default = true }
    resource "random_id" "none" {
      for_each    = var.no ? toset(["x"]) : []
      byte_length = 2
    }
    resource "random_id" "written" {
      for_each    = var.yes ? ["b", "a", "b"] : toset([])
      byte_length = 2
    }
    resource "random_id" "untold" {
      for_each    = var.no ? toset(random_id.several[0].keepers) : []
      byte_length = 2
    }
    resource "random_id" "nested" {
      for_each    = var.no ? random_id.several[0].keepers : var.no ? toset(["x"]) : []
      byte_length = 2
    }
    resource "random_id" "several" {
      count       = 0
      byte_length = 2
    }
    locals { settings = var.no ? { names = toset(["x"]) } : { names = [] } }
    resource "random_id" "local" {
      for_each    = local.settings.names
      byte_length = 2
    }
    output "x" { value = keys(random_id.written) }
    output "list" { value = (var.yes ? tolist(["b", "a", "b"]) : toset([]))[2] }
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->resources.size(), 2u);
  EXPECT_EQ(stack->outputs.at("x").value, Value::list({"a", "b"}));
  EXPECT_EQ(stack->outputs.at("list").value, Value("b"));
  EXPECT_THAT(errors_of("resource \"random_id\" \"r\" {\n  for_each = []\n  byte_length = 2\n}\n"),
              HasSubstr("you have provided a list"));
}

TEST(Load, GivesAPlaceholderForWhatAProviderThatIsNotKnownComputes) {
  const auto stack = load_files({{"main.tf", R"(
    resource "github_repository_webhook" "w" {
      count  = 2
      events = ["push"]
    }
    resource "github_thing" "each" {
      for_each = toset(["a"])
      labels   = { a = "b" }
    }
    resource "google_function" "f" {
      service_config { min_instance_count = 1 }
      labels = { a = "b" }
    }
    output "splat" { value = github_repository_webhook.w[*].url }
    output "for" { value = [for w in github_repository_webhook.w : w.url] }
    output "values" { value = values(github_thing.each)[0].url }
    output "direct" { value = github_thing.each["a"]["url"] }
    output "block" { value = google_function.f.service_config[0].uri }
    output "further" { value = google_function.f.computed[0].x }
    output "splat_further" { value = google_function.f.service_config[*].computed[0].x }
    output "missing_in_map" { value = try(google_function.f.labels.c, "none") }
    output "for_computed" { value = [for one in google_function.f.computed : one.x] }
    output "try_text" { value = try(google_function.f.computed, null) }
    output "try_list" { value = try(google_function.f.computed, []) }
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  const auto x = [&](const char* name) { return stack->outputs.at(name).value; };
  const Value urls = Value::list({"github_repository_webhook.w[0].url", "github_repository_webhook.w[1].url"});
  EXPECT_EQ(x("splat"), urls);
  EXPECT_EQ(x("for"), urls);
  EXPECT_EQ(x("values"), Value("github_thing.each[\"a\"].url"));
  EXPECT_EQ(x("direct"), Value("github_thing.each[\"a\"][\"url\"]"));
  EXPECT_EQ(x("block"), Value("google_function.f.service_config[0].uri"));
  EXPECT_EQ(x("further"), Value("google_function.f.computed[0].x"));
  EXPECT_EQ(x("splat_further"), Value::list({"google_function.f.service_config[0].computed[0].x"}));
  EXPECT_EQ(x("missing_in_map"), Value("none"));
  EXPECT_EQ(x("for_computed"), Value::list({"google_function.f.computed[0].x"}));
  EXPECT_EQ(x("try_text"), Value("google_function.f.computed"));
  EXPECT_EQ(x("try_list"), Value::list({}));
}

TEST(Load, GivesAPlaceholderForAttributesNewerThanItsList) {
  const auto stack = load_files({{"main.tf", R"(
    resource "aws_s3_bucket" "b" {
      count  = 1
      bucket = "portal"
      versioning { enabled = true }
    }
    resource "aws_opensearchserverless_entanglement" "g" { count = 1 }
    output "one" { value = aws_s3_bucket.b[0].quantum_entanglement }
    output "all" { value = aws_s3_bucket.b[*].quantum_entanglement }
    output "block" { value = aws_s3_bucket.b[0].versioning[0].quantum_entanglement }
    output "type" { value = aws_opensearchserverless_entanglement.g[*].arn }
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->outputs.at("one").value, Value("aws_s3_bucket.b[0].quantum_entanglement"));
  EXPECT_EQ(stack->outputs.at("all").value, Value::list({"aws_s3_bucket.b[0].quantum_entanglement"}));
  EXPECT_EQ(stack->outputs.at("block").value, Value("aws_s3_bucket.b[0].versioning[0].quantum_entanglement"));
  EXPECT_EQ(stack->outputs.at("type").value, Value::list({"aws_opensearchserverless_entanglement.g[0].arn"}));
  const auto notes = std::count_if(stack->findings.begin(), stack->findings.end(), [](const Finding& one) {
    return one.kind == Finding::Kind::kNote && one.attribute == "quantum_entanglement";
  });
  EXPECT_EQ(notes, 2);  // the bucket and its block, each once however often it is read
  EXPECT_THAT(errors_of("resource \"aws_vpc\" \"v\" { count = 1 }\noutput \"x\" { value = aws_vpc.v[*].cidr_blok }\n"),
              HasSubstr("Did you mean \"cidr_block\"?"));
}

TEST(Load, ReadsReferencesThatBeginWithTheWordResource) {
  const auto stack = load_files({{"main.tf", R"(
    resource "aws_sqs_queue" "q" { name = "jobs" }
    resource "aws_sqs_queue" "second" {
      name       = "${resource.aws_sqs_queue.q.name}-2"
      depends_on = [resource.aws_sqs_queue.q]
    }
    output "x" { value = [for resource in [{ a = { b = 1 } }] : resource.a.b] }
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  const auto* second = stack->find("aws_sqs_queue.second");
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->attributes["name"], Value("jobs-2"));
  EXPECT_THAT(second->depends_on, ElementsAre("aws_sqs_queue.q"));
  EXPECT_EQ(stack->outputs.at("x").value, Value::list({1}));
  EXPECT_THAT(errors_of("output \"x\" { value = resource.aws_sqs_queue.none.name }\n"),
              HasSubstr("There is no resource \"aws_sqs_queue.none\" in this module"));
}

TEST(Load, WritesOutDynamicBlocks) {
  const auto stack = load_files({{"main.tf", R"(
    resource "aws_security_group" "g" {
      dynamic "ingress" {
        for_each = [80, 443]
        iterator = port
        content {
          from_port = port.value
          to_port   = port.value
          protocol  = "tcp"
        }
      }
    }
    output "x" { value = aws_security_group.g.ingress[*].from_port }
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->outputs.at("x").value, Value::list({80, 443}));
}

TEST(Load, GoesIntoModules) {
  const auto stack = load_files({
      {"main.tf", R"(
        module "queues" {
          source   = "./modules/queue"
          for_each = toset(["a", "b"])
          name     = each.key
        }
        output "x" { value = { for k, m in module.queues : k => m.label } }
      )"},
      {"modules/queue/main.tf", R"(
        variable "name" { type = string }
        variable "settings" {
          type    = object({ delay = optional(number, 5) })
          default = {}
        }
        resource "aws_sqs_queue" "q" {
          name          = var.name
          delay_seconds = var.settings.delay
        }
        output "label" { value = "${aws_sqs_queue.q.name}/${aws_sqs_queue.q.delay_seconds}/${path.module}" }
      )"},
  });
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->outputs.at("x").value, Value::map({{"a", "a/5/modules/queue"}, {"b", "b/5/modules/queue"}}));
  EXPECT_NE(stack->find("module.queues[\"a\"].aws_sqs_queue.q"), nullptr);
}

TEST(Load, ReadsModulesThatTerraformInitFetched) {
  const auto stack = load_files({
      {"main.tf", "module \"m\" { source = \"org/thing/aws\" }\noutput \"x\" { value = module.m.y }\n"},
      {".terraform/modules/modules.json",
       R"({"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"m","Source":"s","Dir":".terraform/modules/m"}]})"},
      {".terraform/modules/m/main.tf", "output \"y\" { value = 7 }\n"},
  });
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->outputs.at("x").value, Value(7));
  EXPECT_THAT(errors_of("module \"m\" { source = \"org/thing/aws\" }\n"), HasSubstr("terraform init"));
}

TEST(Load, TakesVariablesFromAllTheirPlacesTheLastWins) {
  const Directory directory({
      {"main.tf", R"(
        variable "a" { default = "default" }
        variable "b" { default = "default" }
        variable "c" { default = "default" }
        variable "d" { default = "default" }
        variable "e" { type = list(number) }
        output "x" { value = [var.a, var.b, var.c, var.d, var.e] }
      )"},
      {"terraform.tfvars", "b = \"tfvars\"\nc = \"tfvars\"\nd = \"tfvars\"\n"},
      {"x.auto.tfvars", "c = \"auto\"\nd = \"auto\"\n"},
  });
  Inputs inputs = inputs_of(directory);
  inputs.environment = {{"TF_VAR_a", "environment"}, {"TF_VAR_b", "environment"}, {"TF_VAR_e", "[1, 2]"}};
  inputs.variables = {{"d", "option"}};
  const auto stack = load(inputs, Catalogue());
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->outputs.at("x").value,
            Value::list({"environment", "tfvars", "auto", "option", Value::list({1, 2})}));
}

TEST(Load, HoldsVariablesToTypeAndValidation) {
  EXPECT_THAT(errors_of("variable \"a\" {\n  type = number\n  default = \"x\"\n}\n"), HasSubstr("number required"));
  EXPECT_THAT(errors_of("variable \"a\" {}\n"), HasSubstr("No value for required variable"));
  EXPECT_THAT(errors_of(R"(
    variable "a" {
      default = 3
      validation {
        condition     = var.a > 5
        error_message = "It must be more than 5."
      }
    })"),
              HasSubstr("It must be more than 5."));
}

TEST(Load, KeepsWhatIsSensitiveOutOfSight) {
  EXPECT_THAT(
      errors_of(
          "resource \"random_password\" \"p\" { length = 12 }\noutput \"x\" { value = random_password.p.result }\n"),
      HasSubstr("Output refers to sensitive values"));
  const auto stack = load_files({{"main.tf", R"(
    resource "random_password" "p" { length = 12 }
    output "x" {
      value     = jsonencode({ p = random_password.p.result })
      sensitive = true
    })"}});
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->outputs.at("x").value.display(), "(sensitive value)");
  EXPECT_THAT(applied(*stack).to_json().dump(),
              testing::Not(HasSubstr(stack->find("random_password.p")->attributes["result"].string())));
}

TEST(Load, ReadsEphemeralResourcesAndKeepsNothingOfThem) {
  const auto stack = load_files({{"main.tf", R"(
    ephemeral "random_password" "p" {
      count  = 2
      length = 12
    }
    ephemeral "aws_secretsmanager_secret_version" "s" {
      secret_id  = "db"
      depends_on = [aws_secretsmanager_secret_version.v]
    }
    resource "random_password" "p" { length = 20 }
    resource "aws_secretsmanager_secret_version" "v" {
      secret_id                = "db"
      secret_string_wo         = ephemeral.random_password.p[1].result
      secret_string_wo_version = 1
    }
    output "length" { value = nonsensitive(length(ephemeral.random_password.p[0].result)) }
    output "secret" {
      value     = ephemeral.aws_secretsmanager_secret_version.s.secret_string
      sensitive = true
    })"}});
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->outputs.at("length").value, Value(12));
  EXPECT_EQ(stack->resources.size(), 2u);
  EXPECT_EQ(stack->find("random_password.p")->attributes["length"], Value(20));
  EXPECT_TRUE(stack->find("aws_secretsmanager_secret_version.v")->attributes["secret_string_wo"].contains_sensitive());
  EXPECT_THAT(errors_of("output \"x\" { value = ephemeral.random_password.nothing.result }\n"),
              HasSubstr("There is no ephemeral resource \"random_password.nothing\" in this module"));
}

TEST(Load, ChecksConditions) {
  EXPECT_THAT(errors_of(R"(
    resource "aws_sqs_queue" "q" {
      name = "a"
      lifecycle {
        postcondition {
          condition     = self.name == "b"
          error_message = "The name is ${self.name}."
        }
      }
    })"),
              HasSubstr("The name is a."));
}

TEST(Load, ReadsTheDataSourceOfACheckForThatCheckAlone) {
  const std::string check = R"(
    check "identity" {
      data "aws_caller_identity" "x" {}
      assert {
        condition     = data.aws_caller_identity.x.account_id == "none"
        error_message = "It is ${data.aws_caller_identity.x.account_id}."
      }
    }
  )";
  const auto stack = load_files({{"main.tf", check}});
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_THAT(render(stack->warnings), HasSubstr("It is 123456789012."));
  EXPECT_THAT(errors_of(check + "output \"x\" { value = data.aws_caller_identity.x.account_id }\n"),
              HasSubstr("is known inside of check \"identity\" alone"));
  EXPECT_THAT(errors_of(check + "data \"aws_caller_identity\" \"x\" {}\n"), HasSubstr("Duplicate data source"));
}

TEST(Load, OnlyWarnsOfDataSourcesOfChecksThatCannotBeRead) {
  const auto stack = load_files({{"main.tf", R"(
    check "health" {
      data "http" "page" { url = "https://example.com" }
      assert {
        condition     = data.http.page.status_code == 200
        error_message = "It is down."
      }
    }
  )"}});
  ASSERT_TRUE(stack) << render(stack.error());
  ASSERT_EQ(stack->warnings.size(), 1u) << render(stack->warnings);
  EXPECT_EQ(stack->warnings[0].severity, Severity::kWarning);
  EXPECT_EQ(stack->warnings[0].summary, "Data source cannot be read");
}

TEST(Load, TellsOfABlockThatHasNoEndByItsHeader) {
  for (const auto* text : {"resource \"random_id\" \"q\" {", "resource \"random_id\" \"q\" { byte_length = 2",
                           "resource \"random_id\" \"q\" {\n  byte_length = 2\n"}) {
    EXPECT_THAT(errors_of(text), AllOf(HasSubstr("Unclosed configuration block"), HasSubstr("main.tf:1:1"))) << text;
  }
}

TEST(Load, MakesTheSameArchiveOfTheSameFiles) {
  const std::map<std::string, std::string> files = {{"main.tf", R"(
    data "archive_file" "a" {
      type        = "zip"
      source_dir  = "${path.module}/src"
      output_path = "${path.module}/out/a.zip"
    }
    output "x" { value = [data.archive_file.a.output_base64sha256, filebase64sha256(data.archive_file.a.output_path)] }
  )"},
                                                    {"src/main.py", "print(1)\n"},
                                                    {"src/lib/util.py", "x = 1\n"}};
  const auto first = load_files(files);
  const auto second = load_files(files);
  ASSERT_TRUE(first) << render(first.error());
  ASSERT_TRUE(second);
  const auto& sums = first->outputs.at("x").value;
  EXPECT_EQ(sums.elements()[0], sums.elements()[1]);
  EXPECT_EQ(sums, second->outputs.at("x").value);
}

TEST(Load, ReadsNothingOutsideOfTheStack) {
  EXPECT_THAT(errors_of("output \"x\" { value = file(\"/etc/passwd\") }\n"), HasSubstr("lies outside"));
  EXPECT_THAT(errors_of("output \"x\" { value = file(\"../../etc/passwd\") }\n"), HasSubstr("lies outside"));
}

TEST(Load, PrintsPoliciesAsTheProviderDoes) {
  EXPECT_EQ(output_x(R"(
    data "aws_iam_policy_document" "d" {
      statement {
        sid       = "One"
        actions   = ["s3:GetObject", "s3:PutObject"]
        resources = ["arn:aws:s3:::a/&{aws:username}"]
        principals {
          type        = "AWS"
          identifiers = ["*"]
        }
        condition {
          test     = "StringLike"
          variable = "s3:prefix"
          values   = ["", "home/"]
        }
      }
    }
    output "x" { value = data.aws_iam_policy_document.d.json }
  )"),
            Value(R"({
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "One",
      "Effect": "Allow",
      "Action": [
        "s3:PutObject",
        "s3:GetObject"
      ],
      "Resource": "arn:aws:s3:::a/${aws:username}",
      "Principal": {
        "AWS": "*"
      },
      "Condition": {
        "StringLike": {
          "s3:prefix": [
            "",
            "home/"
          ]
        }
      }
    }
  ]
})"));
}

TEST(Load, ReadsJsonFiles) {
  const auto stack = load_files({{"main.tf.json", R"({
    "variable": {"n": {"type": "string", "default": "jobs"}},
    "resource": {"aws_sqs_queue": {"q": {"name": "${var.n}-1"}}},
    "output": {"x": {"value": "${aws_sqs_queue.q.name}"}}
  })"}});
  ASSERT_TRUE(stack) << render(stack.error());
  EXPECT_EQ(stack->outputs.at("x").value, Value("jobs-1"));
}

TEST(Load, PointsIntoJsonFiles) {
  struct Case {
    const char* json;
    const char* place;
  };
  for (const auto& [json, place] : {
           Case{"{\n  \"resource\": {\"aws_sqs_queue\": {\"q\": {\n    \"nmae\": \"x\"}}}}", "main.tf.json:3:6"},
           Case{"{\n \"output\": {\"x\": {\n  \"value\": \"a ${var.n}\"}}}", "main.tf.json:3:17"},
           Case{"{\n \"output\": {\"x\": {\n  \"value\": \"\\ta ${var.n}\"}}}", "main.tf.json:3:"},
           Case{"{\n \"output\": {\"x\": {\n  \"value\": \"${1 +}\"}}}", "main.tf.json:3:"},
           Case{"{\n \"output\": {\"x\": {\"value\": 1},\n }}", "main.tf.json:3:"},
           Case{"{\n \"output\": 7}", "main.tf.json:2:12"},
       }) {
    const auto stack = load_files({{"main.tf.json", json}});
    ASSERT_FALSE(stack) << json;
    EXPECT_THAT(render(stack.error()), HasSubstr(place)) << json;
  }
}

TEST(Plan, IsEmptyAfterApply) {
  const std::map<std::string, std::string> files = {{"main.tf", R"(
    resource "aws_sqs_queue" "q" { name = "a" }
    resource "random_password" "p" { length = 12 }
    resource "aws_security_group" "g" { tags = { a = 1.5 } }
    output "x" { value = toset(["b", "a"]) }
  )"}};
  const auto first = load_files(files);
  const auto second = load_files(files);
  ASSERT_TRUE(first && second);
  const auto text = applied(*first).to_json().dump();
  const auto read = Applied::from_json(*base::Json::parse(text));
  ASSERT_TRUE(read);
  EXPECT_TRUE(diff(*read, *second).empty()) << render_plan(diff(*read, *second), *second);
  EXPECT_EQ(diff({}, *second).changes.size(), 3u);
}

}  // namespace
}  // namespace securebase::stack
