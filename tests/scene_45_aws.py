"""Debian's awscli and boto3 call the AWS APIs on port 4566: who am I, secrets, users, and errors in the services' words."""

import contextlib
import datetime
import importlib
import json
import os
import signal
import subprocess
import tempfile
import types
import unittest

import boto3
import botocore.auth
import botocore.config
import botocore.exceptions
import botocore.session

from harness import REPOSITORY, Platform, main

AWS = "/usr/bin/aws"
STACK = """
resource "aws_iam_role" "reader" {
  name               = "reader"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
resource "aws_secretsmanager_secret" "declared" {
  name        = "declared"
  description = "of the stack"
}
resource "aws_secretsmanager_secret_version" "declared" {
  secret_id     = aws_secretsmanager_secret.declared.id
  secret_string = "from the files"
}
"""


class AwsApis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="securebase-aws-")
        os.chmod(cls.folder.name, 0o755)
        cls.stack = os.path.join(cls.folder.name, "stack")
        os.mkdir(cls.stack)
        with open(os.path.join(cls.stack, "main.tf"), "w", encoding="utf-8") as file:
            file.write(STACK)
        cls.start()

    @classmethod
    def start(cls):
        cls.platform = Platform(state=os.path.join(cls.folder.name, "state"), stack=cls.stack)
        cls.environment = cls.platform.environment()

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()
        cls.folder.cleanup()

    def client(self, service, key=None, secret=None, token=None, **config):
        return boto3.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"], region_name="us-east-1",
                            aws_access_key_id=key or self.environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=secret or self.environment["AWS_SECRET_ACCESS_KEY"],
                            aws_session_token=token,
                            config=botocore.config.Config(retries={"total_max_attempts": 1}, **config))

    def aws(self, *arguments, succeeds=True, **environment):
        done = subprocess.run([AWS, "--endpoint-url", self.environment["AWS_ENDPOINT_URL"], "--output", "json",
                               *arguments], capture_output=True, text=True, timeout=60,
                              env={**self.environment, "AWS_PAGER": "", **environment})
        self.assertEqual(done.returncode == 0, succeeds, done.stdout + done.stderr)
        return json.loads(done.stdout or "null") if succeeds else done.stderr

    def refused(self, code, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        self.assertTrue(caught.exception.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"])
        return caught.exception.response["Error"]["Message"]

    # --- who calls

    def test_root_knows_itself(self):
        self.assertEqual(self.aws("sts", "get-caller-identity")["Arn"], "arn:aws:iam::123456789012:root")
        self.assertEqual(self.aws("iam", "get-user")["User"]["Arn"], "arn:aws:iam::123456789012:root")

    def test_users_come_change_their_keys_and_go_at_once(self):
        def made(output):
            pairs = dict(line.removeprefix("export ").split("=", 1) for line in output.splitlines())
            return {name: value.strip("'") for name, value in pairs.items()}
        first = made(self.platform.cli("credentials", "create", "ci").stdout)
        self.assertEqual(self.aws("sts", "get-caller-identity", **first)["Arn"], "arn:aws:iam::123456789012:user/ci")
        self.assertIn(first["AWS_ACCESS_KEY_ID"], self.platform.cli("credentials", "list").stdout)
        self.assertNotIn(first["AWS_SECRET_ACCESS_KEY"], self.platform.cli("credentials", "list").stdout)
        session = self.aws("sts", "get-session-token", **first)["Credentials"]
        temporary = {"AWS_ACCESS_KEY_ID": session["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
                     "AWS_SESSION_TOKEN": session["SessionToken"]}
        self.aws("sts", "get-caller-identity", **temporary)
        self.assertNotEqual(self.platform.cli("credentials", "create", "ci", check=False).returncode, 0)

        second = made(self.platform.cli("credentials", "rotate", "ci").stdout)
        self.assertIn("InvalidClientTokenId", self.aws("sts", "get-caller-identity", succeeds=False, **first))
        self.assertIn("InvalidClientTokenId", self.aws("sts", "get-caller-identity", succeeds=False, **temporary))
        self.platform.stop(signal.SIGKILL)
        type(self).start()
        self.aws("sts", "get-caller-identity", **second)
        self.platform.cli("credentials", "delete", "ci")
        self.assertIn("InvalidClientTokenId", self.aws("sts", "get-caller-identity", succeeds=False, **second))

    def test_roles_of_the_stack_are_assumed(self):
        assumed = self.aws("sts", "assume-role", "--role-arn", "arn:aws:iam::123456789012:role/reader",
                           "--role-session-name", "scene")["Credentials"]
        sts = self.client("sts", assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"])
        self.assertEqual(sts.get_caller_identity()["Arn"], "arn:aws:sts::123456789012:assumed-role/reader/scene")
        without = self.client("sts", assumed["AccessKeyId"], assumed["SecretAccessKey"])
        self.refused("InvalidClientTokenId", without.get_caller_identity)
        self.refused("AccessDenied", self.client("sts").assume_role, RoleSessionName="scene",
                     RoleArn="arn:aws:iam::123456789012:role/nobody")

    # --- what goes wrong

    def test_a_wrong_secret_key_is_each_services_own_error(self):
        wrong = {"secret": "x" * 40}
        for service, operation, code in (("sts", "get_caller_identity", "SignatureDoesNotMatch"),
                                         ("dynamodb", "list_tables", "InvalidSignatureException"),
                                         ("lambda", "list_functions", "InvalidSignatureException"),
                                         ("s3", "list_buckets", "SignatureDoesNotMatch"),
                                         ("cloudfront", "list_distributions", "SignatureDoesNotMatch")):
            self.refused(code, getattr(self.client(service, **wrong), operation))
        self.assertIn("SignatureDoesNotMatch", self.aws("sts", "get-caller-identity", succeeds=False,
                                                        AWS_SECRET_ACCESS_KEY="x" * 40))

    def test_an_unknown_key_is_each_services_own_error(self):
        unknown = {"key": "AKIAIOSFODNN7EXAMPLE"}
        for service, operation, code in (("rds", "describe_db_instances", "InvalidClientTokenId"),
                                         ("secretsmanager", "list_secrets", "UnrecognizedClientException"),
                                         ("s3", "list_buckets", "InvalidAccessKeyId")):
            self.refused(code, getattr(self.client(service, **unknown), operation))

    def test_a_clock_that_is_wrong_is_told(self):
        signers = [botocore.auth]
        with contextlib.suppress(ImportError):
            signers.append(importlib.import_module("botocore.crt.auth"))

        class Late(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(minutes=20)

        real = datetime
        for signer in signers:
            signer.datetime = types.SimpleNamespace(**{**vars(datetime), "datetime": Late})
        try:
            self.assertIn("Signature expired", self.refused("SignatureDoesNotMatch", self.client("sts").get_caller_identity))
            self.refused("RequestTimeTooSkewed", self.client("s3").list_buckets)
            self.refused("InvalidSignatureException", self.client("dynamodb").list_tables)
        finally:
            for signer in signers:
                signer.datetime = real

    def test_a_missing_member_is_told(self):
        secrets = self.client("secretsmanager", parameter_validation=False)
        self.assertIn("'secretId' failed to satisfy constraint: Member must not be null",
                      self.refused("ValidationException", secrets.get_secret_value))

    def test_an_operation_that_is_not_built_names_itself(self):
        message = self.refused("NotImplemented", self.client("iam").list_policies)
        self.assertIn("ListPolicies of IAM", message)

    def test_the_page_lists_what_is_answered(self):
        page = (REPOSITORY / "docs" / "aws-apis.md").read_text(encoding="utf-8")
        page = page.partition("## Operations that are answered")[2]
        rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| Service")]
        self.assertEqual("\n".join(rows), self.platform.cli("operations").stdout.strip(),
                         "put what `securebase operations` prints into docs/aws-apis.md")

    def test_a_huge_body_is_refused_and_the_port_lives(self):
        secrets = self.client("secretsmanager", parameter_validation=False)
        self.refused("RequestEntityTooLargeException", secrets.create_secret, Name="huge",
                     SecretString="x" * (70 << 20))
        self.assertIn("less than or equal to 65536", self.refused(
            "ValidationException", secrets.create_secret, Name="large", SecretString="x" * 70_000))
        self.client("sts").get_caller_identity()

    # --- Secrets Manager

    def test_a_secret_lives_through_its_versions(self):
        self.aws("secretsmanager", "create-secret", "--name", "app/db", "--secret-string", "one", "--description", "d")
        self.aws("secretsmanager", "put-secret-value", "--secret-id", "app/db", "--secret-string", "two")
        secrets = self.client("secretsmanager")
        self.assertEqual(secrets.get_secret_value(SecretId="app/db")["SecretString"], "two")
        self.assertEqual(secrets.get_secret_value(SecretId="app/db", VersionStage="AWSPREVIOUS")["SecretString"], "one")
        again = secrets.put_secret_value(SecretId="app/db", SecretString="three", ClientRequestToken="t" * 32)
        self.assertEqual(secrets.put_secret_value(SecretId="app/db", SecretString="three",
                                                  ClientRequestToken="t" * 32)["VersionId"], again["VersionId"])
        self.refused("ResourceExistsException", secrets.put_secret_value, SecretId="app/db", SecretString="four",
                     ClientRequestToken="t" * 32)
        self.refused("ResourceExistsException", secrets.create_secret, Name="app/db", SecretString="x")
        secrets.update_secret(SecretId="app/db", Description="other", SecretBinary=b"\x00\xff")
        self.assertEqual(secrets.get_secret_value(SecretId="app/db")["SecretBinary"], b"\x00\xff")
        secrets.tag_resource(SecretId="app/db", Tags=[{"Key": "team", "Value": "a"}, {"Key": "x", "Value": "y"}])
        secrets.untag_resource(SecretId="app/db", TagKeys=["x"])
        described = secrets.describe_secret(SecretId="app/db")
        self.assertEqual((described["Description"], described["Tags"]), ("other", [{"Key": "team", "Value": "a"}]))
        self.assertEqual(len(described["VersionIdsToStages"]), 2)
        self.assertEqual(len(secrets.list_secret_version_ids(SecretId="app/db", IncludeDeprecated=True)["Versions"]), 4)

        self.platform.stop(signal.SIGKILL)
        type(self).start()
        secrets = self.client("secretsmanager")
        self.assertEqual(secrets.get_secret_value(SecretId=described["ARN"])["SecretBinary"], b"\x00\xff")
        secrets.delete_secret(SecretId="app/db", RecoveryWindowInDays=7)
        self.refused("InvalidRequestException", secrets.get_secret_value, SecretId="app/db")
        self.refused("InvalidRequestException", secrets.create_secret, Name="app/db", SecretString="x")
        secrets.restore_secret(SecretId="app/db")
        secrets.get_secret_value(SecretId="app/db")
        secrets.delete_secret(SecretId="app/db", ForceDeleteWithoutRecovery=True)
        self.refused("ResourceNotFoundException", secrets.get_secret_value, SecretId="app/db")

    def test_secrets_are_listed_in_pages_and_by_name(self):
        secrets = self.client("secretsmanager")
        names = [f"page/{i:02}" for i in range(25)]
        for name in names:
            secrets.create_secret(Name=name, SecretString="x")
        pages = list(secrets.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": ["page/"]}], PaginationConfig={"PageSize": 10}))
        self.assertEqual([len(page["SecretList"]) for page in pages], [10, 10, 5])
        self.assertEqual([one["Name"] for page in pages for one in page["SecretList"]], names)
        self.assertFalse(any(one["Name"].startswith("platform/") for one in secrets.list_secrets()["SecretList"]))
        self.refused("InvalidNextTokenException", secrets.list_secrets, NextToken="nonsense")
        for name in names:
            secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    def test_what_the_stack_declares_is_put_back(self):
        secrets = self.client("secretsmanager")
        secrets.put_secret_value(SecretId="declared", SecretString="by hand")
        self.assertEqual(secrets.get_secret_value(SecretId="declared")["SecretString"], "by hand")
        secrets.create_secret(Name="beside", SecretString="stays")
        self.platform.stop()
        type(self).start()
        secrets = self.client("secretsmanager")
        self.assertEqual(secrets.get_secret_value(SecretId="declared")["SecretString"], "from the files")
        self.assertEqual(secrets.get_secret_value(SecretId="beside")["SecretString"], "stays")
        secrets.delete_secret(SecretId="beside", ForceDeleteWithoutRecovery=True)

    def test_a_presigned_link_says_who_made_it_until_its_time(self):
        session = botocore.session.get_session()
        session.set_credentials(self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"])
        sts = session.create_client("sts", region_name="us-east-1", endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        link = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
        self.assertIn(":root</Arn>", self.platform.curl(link).text)
        self.assertIn("SignatureDoesNotMatch", self.platform.curl(link.replace("Expires=60", "Expires=61")).text)


if __name__ == "__main__":
    main()
