"""Every AWS service on port 4566, by the bytes: what it writes it reads back, and what is wrong is told in its own words.

The requests (aws_requests.py) are signed by botocore and sent by a bare HTTP client, so that the connection is seen too.
"""

import contextlib
import http.client
import io
import json
import pathlib
import re
import shutil
import signal
import socket
import tempfile
import time
import unittest
import urllib.error
import urllib.request
import zipfile

import boto3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from aws_requests import ROWS, Request, Row, code_in, form, rest, target
from harness import Platform, main, mock_api_stack, pages_stack, wait_until

STACK = pages_stack("portal", {"securebase:id": "E1234ABCD"}) + mock_api_stack("api", "/health") + """
resource "aws_iam_role" "reader" {
  name               = "reader"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
resource "aws_rds_cluster" "main" {
  cluster_identifier  = "main"
  engine              = "aurora-postgresql"
  engine_version      = "15.4"
  database_name       = "app"
  master_username     = "app"
  master_password     = "for-this-scene-only"
  skip_final_snapshot = true
}
resource "aws_rds_cluster_instance" "main" {
  identifier         = "main-1"
  cluster_identifier = aws_rds_cluster.main.id
  instance_class     = "db.serverless"
  engine             = aws_rds_cluster.main.engine
  engine_version     = aws_rds_cluster.main.engine_version
}
"""

ROLE = "arn:aws:iam::123456789012:role/reader"


class Services(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="securebase-services-", dir="/var/tmp"))
        cls.folder.chmod(0o755)
        cls.stack.callback(shutil.rmtree, cls.folder)
        (cls.folder / "stack").mkdir()
        (cls.folder / "stack" / "main.tf").write_text(STACK)
        cls.platform = cls.stack.enter_context(Platform(state=cls.folder / "state", stack=cls.folder / "stack"))
        cls.environment = cls.platform.environment()
        cls.key = cls.environment["AWS_ACCESS_KEY_ID"], cls.environment["AWS_SECRET_ACCESS_KEY"]
        cls.address = "127.0.0.1", cls.platform.port["aws"]

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    # --- what is wrong

    def signed(self, row, request, secret=None, body=None):
        body = request.body if body is None else body
        made = AWSRequest(request.method, f"http://{self.address[0]}:{self.address[1]}{request.path}",
                          headers=dict(request.headers), data=body)
        credentials = Credentials(self.key[0], secret or self.key[1])
        signer = S3SigV4Auth if row.scope == "s3" else SigV4Auth
        signer(credentials, row.scope, "us-east-1").add_auth(made)
        headers = {name: value if isinstance(value, str) else value.decode() for name, value in made.headers.items()}
        return Request(request.method, request.path, headers, body)

    def exchange(self, connection, request):
        connection.request(request.method, request.path, request.body or None, request.headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def gets(self, expected, service, row, request, connection):
        status, headers, body = self.exchange(connection, request)
        self.assertEqual((status, code_in(service, status, headers, body)), expected, body)

    def test_what_is_wrong_is_told_in_the_services_words_and_the_connection_goes_on(self):
        for service, row in ROWS.items():
            # All on one connection: a refusal leaves it in order.
            with contextlib.closing(http.client.HTTPConnection(*self.address, timeout=60)) as connection:
                for what, expected, request in (
                        ("unsigned", row.unsigned_gets, row.right),
                        ("forged", row.forged_gets, self.signed(row, row.right, secret="x" * 40)),
                        ("missing", row.missing_gets, self.signed(row, row.missing)),
                        ("unknown", row.unknown_gets, self.signed(row, row.unknown)),
                        ("unreadable", row.unreadable_gets, row.unreadable and self.signed(row, row.unreadable))):
                    if not expected:
                        continue
                    with self.subTest(service, what=what):
                        self.gets(expected, service, row, request, connection)
                with self.subTest(service, what="right"):
                    status, _, body = self.exchange(connection, self.signed(row, row.right))
                    self.assertEqual(status, 200, body)

    def test_a_huge_body_is_refused_before_it_is_kept(self):
        huge = b" " * (70 << 20)
        for service, row in ROWS.items():
            with self.subTest(service), contextlib.closing(
                    http.client.HTTPConnection(*self.address, timeout=60)) as connection:
                self.gets(row.huge_gets, service, row, self.signed(row, row.huge, body=huge), connection)
                # What is left of the connection is either in order or closed, never a torn answer.
                status, _, body = self.exchange(connection, self.signed(row, row.right))
                self.assertEqual(status, 200, body)

    def test_a_client_that_waits_for_100_continue_is_refused_without_a_byte(self):
        for service, row in ROWS.items():
            request = Request(row.huge.method, row.huge.path, {
                **row.huge.headers, "Host": "127.0.0.1", "Content-Length": str(70 << 20), "Expect": "100-continue",
                "Authorization": self.signed(row, row.huge, secret="x" * 40).headers["Authorization"],
                "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), "X-Amz-Content-Sha256": "0" * 64})
            head = f"{request.method} {request.path} HTTP/1.1\r\n" + "".join(
                f"{name}: {value}\r\n" for name, value in request.headers.items()) + "\r\n"
            with self.subTest(service), socket.create_connection(self.address, timeout=20) as connection:
                connection.sendall(head.encode())
                first = connection.makefile("rb").readline()
                self.assertRegex(first, rb"^HTTP/1.1 4\d\d ")

    def test_an_upload_beyond_s3s_limit_is_s3s_error(self):
        row = ROWS["s3"]
        request = self.signed(row, Request("PUT", "/portal/whole", {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}))
        head = "PUT /portal/whole HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in
            {"Host": "%s:%d" % self.address, **request.headers, "Content-Length": 6 << 30,
             "Expect": "100-continue"}.items()) + "\r\n"
        with socket.create_connection(self.address, timeout=20) as connection:
            connection.sendall(head.encode())
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            body = answer.read()
            self.assertEqual((answer.status, re.search(rb"<Code>(\w+)", body)[1]), (400, b"EntityTooLarge"), body)

    def test_operations_that_are_not_built_name_themselves(self):
        s3 = ROWS["s3"]
        for row, request, name in (
                (s3, rest("PUT", "/portal?versioning", b"<VersioningConfiguration/>"), "PutBucketVersioning"),
                (s3, rest("GET", "/portal?versioning"), "GetBucketVersioning"),
                (s3, rest("GET", "/portal?tagging"), "GetBucketTagging"),
                (ROWS["iam"], form("2010-05-08", "ListUsers"), "ListUsers"),
                (Row("elasticache", *[None] * 11), form("2015-02-02", "DescribeCacheClusters"), "DescribeCacheClusters"),
                (Row("dynamodb", *[None] * 11), target("DynamoDB_20120810", "1.0", "ListTables"), "ListTables")):
            with self.subTest(name), contextlib.closing(http.client.HTTPConnection(*self.address)) as connection:
                status, _, body = self.exchange(connection, self.signed(row, request))
                self.assertEqual(status, 501, body)
                self.assertIn(f"{name} of ".encode(), body)
                self.assertIn(b"NotImplemented", body)

    # --- what is written is read back

    def client(self, service, **config):
        return boto3.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"], region_name="us-east-1",
                            aws_access_key_id=self.key[0], aws_secret_access_key=self.key[1],
                            config=Config(retries={"total_max_attempts": 1}, **config))

    def test_cloudwatch_reads_back(self):
        api = self.client("cloudwatch")
        now = int(time.time()) // 60 * 60 - 120
        api.put_metric_data(Namespace="Scene", MetricData=[
            {"MetricName": "m", "Timestamp": now, "Unit": "Count", "Dimensions": [{"Name": "d", "Value": "a \"&<"}],
             "Values": [1.0, 3.0], "Counts": [2, 1]}])
        points = wait_until(lambda: api.get_metric_statistics(
            Namespace="Scene", MetricName="m", Dimensions=[{"Name": "d", "Value": "a \"&<"}], StartTime=now,
            EndTime=now + 60, Period=60, Statistics=["Sum", "SampleCount"], ExtendedStatistics=["p100"])["Datapoints"],
            10, "the samples")
        self.assertEqual((points[0]["Sum"], points[0]["SampleCount"], points[0]["Unit"]), (5, 3, "Count"))
        self.assertAlmostEqual(points[0]["ExtendedStatistics"]["p100"], 3, delta=0.05)
        body = {"widgets": [{"type": "text", "x": 0, "y": 0, "width": 6, "height": 2, "properties": {"markdown": "# <a>"}}]}
        api.put_dashboard(DashboardName="scene", DashboardBody=json.dumps(body))
        self.assertEqual(json.loads(api.get_dashboard(DashboardName="scene")["DashboardBody"]), body)
        api.put_metric_alarm(AlarmName="a <&> b", Namespace="Scene", MetricName="m", Statistic="Sum", Period=60,
                             EvaluationPeriods=3, DatapointsToAlarm=2, Threshold=0.1, Tags=[{"Key": "k", "Value": "v"}],
                             ComparisonOperator="LessThanThreshold", TreatMissingData="breaching")
        alarm = api.describe_alarms(AlarmNames=["a <&> b"])["MetricAlarms"][0]
        self.assertEqual((alarm["DatapointsToAlarm"], alarm["Threshold"], alarm["TreatMissingData"]),
                         (2, 0.1, "breaching"))
        self.assertEqual(api.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"], [{"Key": "k", "Value": "v"}])
        api.delete_alarms(AlarmNames=["a <&> b"])
        api.delete_dashboards(DashboardNames=["scene"])

    def test_cloudwatch_computes_and_judges(self):
        api = self.client("cloudwatch")
        now = int(time.time()) // 60 * 60 - 180
        for host, value in (("a", 10.0), ("b", 30.0)):
            api.put_metric_data(Namespace="Math", MetricData=[
                {"MetricName": "load", "Timestamp": now + 60 * minute, "Value": value + minute, "Unit": "Percent",
                 "Dimensions": [{"Name": "Host", "Value": host}]} for minute in range(3)])
        listed = api.list_metrics(Namespace="Math", MetricName="load", Dimensions=[{"Name": "Host"}])["Metrics"]
        self.assertEqual(sorted(one["Dimensions"][0]["Value"] for one in listed), ["a", "b"])

        def stat(name, host):
            return {"Id": name, "ReturnData": False, "MetricStat": {"Period": 60, "Stat": "Average", "Metric": {
                "Namespace": "Math", "MetricName": "load", "Dimensions": [{"Name": "Host", "Value": host}]}}}
        answer = api.get_metric_data(StartTime=now, EndTime=now + 180, ScanBy="TimestampAscending", MetricDataQueries=[
            stat("a", "a"), stat("b", "b"), {"Id": "ratio", "Expression": "100 * a / (a + b)", "Label": "share"},
            {"Id": "found", "Expression": "SUM(SEARCH('{Math,Host} MetricName=\"load\"', 'Maximum', 60))"}])
        found = {one["Id"]: one for one in answer["MetricDataResults"]}
        self.assertEqual(found["found"]["Values"], [40, 42, 44])
        self.assertEqual([round(one, 6) for one in found["ratio"]["Values"]], [25, round(1100 / 42, 6), round(1200 / 44, 6)])
        self.assertEqual(found["ratio"]["Label"], "share")

        rule = dict(Namespace="Math", MetricName="load", Dimensions=[{"Name": "Host", "Value": "b"}])
        api.put_metric_alarm(AlarmName="child", **rule, Statistic="Maximum", Period=60, EvaluationPeriods=1, Threshold=20,
                             ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore")
        api.put_composite_alarm(AlarmName="parent", AlarmRule='ALARM("child")', ActionsEnabled=True)

        def state(kind, name):
            return api.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])[kind][0]["StateValue"]
        wait_until(lambda: state("CompositeAlarms", "parent") == "ALARM", 20, "the samples reach child and parent")
        self.assertEqual([one["AlarmName"] for one in api.describe_alarms_for_metric(
            **rule, Statistic="Maximum", Period=60)["MetricAlarms"]], ["child"])
        api.disable_alarm_actions(AlarmNames=["child"])
        self.assertFalse(api.describe_alarms(AlarmNames=["child"])["MetricAlarms"][0]["ActionsEnabled"])
        api.set_alarm_state(AlarmName="parent", StateValue="OK", StateReason="a drill")
        history = api.describe_alarm_history(AlarmName="parent", AlarmTypes=["CompositeAlarm"],
                                             HistoryItemType="StateUpdate")["AlarmHistoryItems"]
        self.assertEqual(history[0]["HistorySummary"], "Alarm updated from ALARM to OK")
        with self.assertRaises(api.exceptions.ResourceNotFound):
            api.set_alarm_state(AlarmName="nobody", StateValue="OK", StateReason="a drill")
        api.put_anomaly_detector(SingleMetricAnomalyDetector={**rule, "Stat": "Average"})
        detectors = api.describe_anomaly_detectors(Namespace="Math")["AnomalyDetectors"]
        self.assertEqual(detectors[0]["SingleMetricAnomalyDetector"]["MetricName"], "load")
        api.delete_anomaly_detector(SingleMetricAnomalyDetector={**rule, "Stat": "Average"})
        api.delete_alarms(AlarmNames=["parent", "child"])
        self.assertEqual(api.describe_alarms(AlarmNamePrefix="child")["MetricAlarms"], [])

    def test_sns_reads_back(self):
        api = self.client("sns")
        topic = api.create_topic(Name="scene", Attributes={"DisplayName": "Ä <&>"}, Tags=[{"Key": "k", "Value": "v"}])
        arn = topic["TopicArn"]
        self.assertEqual(api.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"], "Ä <&>")
        self.assertEqual(api.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "k", "Value": "v"}])
        policy = '{"kind": ["a", {"prefix": "b"}]}'
        subscription = api.subscribe(TopicArn=arn, Protocol="https", ReturnSubscriptionArn=True,
                                     Endpoint="https://hooks.slack.com/services/T/B/secret",
                                     Attributes={"FilterPolicy": policy})["SubscriptionArn"]
        read = api.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
        self.assertEqual(json.loads(read["FilterPolicy"]), json.loads(policy))
        self.assertEqual(read["Endpoint"], "https://hooks.slack.com/services/T/B/secret")  # as AWS does
        self.assertTrue(api.publish(TopicArn=arn, Message="to nobody")["MessageId"])
        sent = api.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[{"Id": "1", "Message": "m"}])
        self.assertEqual([one["Id"] for one in sent["Successful"]], ["1"])
        api.delete_topic(TopicArn=arn)
        self.assertNotIn(arn, [one["TopicArn"] for one in api.list_topics()["Topics"]])

    def test_s3_reads_back(self):
        api = self.client("s3")
        api.create_bucket(Bucket="scene")
        api.put_object(Bucket="scene", Key="ä/b c+d", Body=b"bytes", ContentType="text/x-scene", Metadata={"a": "b"})
        got = api.get_object(Bucket="scene", Key="ä/b c+d")
        self.assertEqual((got["Body"].read(), got["ContentType"], got["Metadata"]), (b"bytes", "text/x-scene", {"a": "b"}))
        self.assertEqual([one["Key"] for one in api.list_objects_v2(Bucket="scene")["Contents"]], ["ä/b c+d"])
        parts = []
        upload = api.create_multipart_upload(Bucket="scene", Key="parts")["UploadId"]
        for number, body in ((1, b"1" * (5 << 20)), (2, b"2")):
            part = api.upload_part(Bucket="scene", Key="parts", UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        api.complete_multipart_upload(Bucket="scene", Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
        self.assertEqual(api.head_object(Bucket="scene", Key="parts")["ContentLength"], (5 << 20) + 1)
        with self.assertRaises(urllib.error.HTTPError) as refused:  # Signature Version 2, as boto3 makes it unasked
            urllib.request.urlopen(api.generate_presigned_url("get_object", {"Bucket": "scene", "Key": "parts"}))
        self.assertIn(b"Please use AWS4-HMAC-SHA256", refused.exception.read())
        refused.exception.close()
        link = self.client("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": "scene", "Key": "ä/b c+d"}, ExpiresIn=60)
        with urllib.request.urlopen(link) as answer:
            self.assertEqual(answer.read(), b"bytes")
        deleted = api.delete_objects(Bucket="scene", Delete={"Objects": [{"Key": "ä/b c+d"}, {"Key": "parts"}]})
        self.assertEqual(len(deleted["Deleted"]), 2)
        api.delete_bucket(Bucket="scene")

    def test_lambda_reads_back(self):
        def packed(text):
            into = io.BytesIO()
            with zipfile.ZipFile(into, "w") as archive:
                archive.writestr("app.py", f"def handler(event, context):\n    return {text}\n")
            return into.getvalue()
        api = self.client("lambda")
        first = packed("event['n'] + 1")
        api.create_function(FunctionName="scene", Runtime="python3.11", Role=ROLE, Handler="app.handler",
                            Code={"ZipFile": first}, Environment={"Variables": {"A": "ä"}}, Publish=True)
        read = api.get_function(FunctionName="scene")
        self.assertEqual(read["Configuration"]["Environment"]["Variables"], {"A": "ä"})
        self.assertEqual(json.loads(api.invoke(FunctionName="scene", Payload=b'{"n": 1}')["Payload"].read()), 2)
        api.update_function_code(FunctionName="scene", ZipFile=packed("'new'"))
        # What is downloaded is what was uploaded; of the published version too.
        with urllib.request.urlopen(api.get_function(FunctionName="scene", Qualifier="1")["Code"]["Location"]) as answer:
            self.assertEqual(answer.read(), first)
        location = api.get_function(FunctionName="scene")["Code"]["Location"]
        with urllib.request.urlopen(location) as answer:
            self.assertEqual((answer.read(), answer.headers["Content-Type"]), (packed("'new'"), "application/zip"))
        for wrong in (location[:-4] + ("0000" if location[-4:] != "0000" else "1111"), location.replace("scene", "other")):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(wrong)
            self.assertEqual(refused.exception.code, 403)
            refused.exception.close()
        layer = api.publish_layer_version(LayerName="scene", Content={"ZipFile": first})
        with urllib.request.urlopen(layer["Content"]["Location"]) as answer:
            self.assertEqual(answer.read(), first)
        connection = http.client.HTTPConnection(*self.address)
        with contextlib.closing(connection):
            large = self.signed(ROWS["lambda"], rest("POST", "/2015-03-31/functions/scene/invocations",
                                                     b'"' + b"x" * (6 << 20) + b'"'))
            self.gets((413, "RequestEntityTooLargeException"), "lambda", None, large, connection)
        api.delete_function(FunctionName="scene")

    def test_cloudfront_reads_back(self):
        api = self.client("cloudfront")
        self.assertEqual(api.list_distributions()["DistributionList"]["Items"][0]["Id"], "E1234ABCD")
        batch = {"Paths": {"Quantity": 2, "Items": ["/a*", "/ä b"]}, "CallerReference": "scene"}
        made = api.create_invalidation(DistributionId="E1234ABCD", InvalidationBatch=batch)["Invalidation"]
        read = api.get_invalidation(DistributionId="E1234ABCD", Id=made["Id"])["Invalidation"]
        self.assertEqual((read["InvalidationBatch"], read["Status"]), (batch, "Completed"))
        self.assertIn(made["Id"], [one["Id"] for one in
                                   api.list_invalidations(DistributionId="E1234ABCD")["InvalidationList"]["Items"]])

    def test_apigateway_reads_back(self):
        api = self.client("apigateway")
        self.assertEqual(api.get_rest_apis()["items"][0]["id"], "a1b2c3d4e5")
        self.assertEqual(api.get_stages(restApiId="a1b2c3d4e5")["item"][0]["stageName"], "prod")
        self.assertEqual(api.flush_stage_cache(restApiId="a1b2c3d4e5", stageName="prod")["ResponseMetadata"][
            "HTTPStatusCode"], 202)

    def test_rds_reads_back(self):
        api = self.client("rds")
        instance = api.describe_db_instances(DBInstanceIdentifier="main-1")["DBInstances"][0]
        self.assertEqual((instance["DBInstanceStatus"], instance["Endpoint"]["Port"]),
                         ("available", self.platform.port["postgres"]))
        files = api.describe_db_log_files(DBInstanceIdentifier="main-1")["DescribeDBLogFiles"]
        part = api.download_db_log_file_portion(DBInstanceIdentifier="main-1", LogFileName=max(files, key=lambda one: one["Size"])["LogFileName"],
                                                Marker="0", NumberOfLines=5)
        self.assertTrue(part["LogFileData"])

    def test_secretsmanager_and_sts_read_back(self):
        api = self.client("secretsmanager")
        api.create_secret(Name="scene", SecretString="ä\n", Tags=[{"Key": "k", "Value": "v"}])
        self.assertEqual(api.get_secret_value(SecretId="scene")["SecretString"], "ä\n")
        self.assertEqual(api.describe_secret(SecretId="scene")["Tags"], [{"Key": "k", "Value": "v"}])
        api.delete_secret(SecretId="scene", ForceDeleteWithoutRecovery=True)
        keys = self.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="scene")["Credentials"]
        session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1")
        me = session.client("sts", endpoint_url=self.environment["AWS_ENDPOINT_URL"]).get_caller_identity()
        self.assertEqual(me["Arn"], "arn:aws:sts::123456789012:assumed-role/reader/scene")

    # Last, by its name: what it ends and begins again is what the others use.
    def test_what_the_apis_changed_survives_a_kill(self):
        metrics, sns, s3, functions, secrets, edge = map(self.client, (
            "cloudwatch", "sns", "s3", "lambda", "secretsmanager", "cloudfront"))
        now = int(time.time()) // 60 * 60
        metrics.put_metric_data(Namespace="Kept", MetricData=[{"MetricName": "m", "Timestamp": now, "Value": 7}])
        metrics.put_dashboard(DashboardName="kept", DashboardBody='{"widgets": []}')
        metrics.put_metric_alarm(AlarmName="kept", Namespace="Kept", MetricName="m", Statistic="Sum", Period=60,
                                 EvaluationPeriods=1, Threshold=5, ComparisonOperator="GreaterThanThreshold",
                                 TreatMissingData="ignore")
        metrics.put_composite_alarm(AlarmName="kept-too", AlarmRule="ALARM(kept)")
        metrics.set_alarm_state(AlarmName="kept", StateValue="ALARM", StateReason="before the kill")
        metrics.put_anomaly_detector(Namespace="Kept", MetricName="m", Stat="Sum")
        topic = sns.create_topic(Name="kept")["TopicArn"]
        subscription = sns.subscribe(TopicArn=topic, Protocol="https", Attributes={"FilterPolicy": '{"a": ["b"]}'},
                                     Endpoint="https://hooks.slack.com/services/T/B/kept", ReturnSubscriptionArn=True)
        s3.create_bucket(Bucket="kept")
        s3.put_object(Bucket="kept", Key="k", Body=b"bytes")
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", "def handler(event, context):\n    return 'kept'\n")
        functions.create_function(FunctionName="kept", Runtime="python3.11", Role=ROLE, Handler="app.handler",
                                  Code={"ZipFile": code.getvalue()})
        functions.put_function_concurrency(FunctionName="kept", ReservedConcurrentExecutions=3)
        secrets.create_secret(Name="kept", SecretString="word")
        asked = edge.create_invalidation(DistributionId="E1234ABCD", InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/kept"]}, "CallerReference": "kept"})["Invalidation"]["Id"]
        time.sleep(2)  # of what is put, a kill may cost the last second

        cls, ports = type(self), self.platform.port
        self.platform.process.send_signal(signal.SIGKILL)
        self.platform.process.wait(30)
        cls.platform = cls.stack.enter_context(Platform(state=self.folder / "state", stack=self.folder / "stack", ports=ports))

        points = metrics.get_metric_statistics(Namespace="Kept", MetricName="m", StartTime=now, EndTime=now + 60, Period=60,
                                               Statistics=["Sum"])["Datapoints"]
        self.assertEqual([one["Sum"] for one in points], [7])
        self.assertEqual(json.loads(metrics.get_dashboard(DashboardName="kept")["DashboardBody"]), {"widgets": []})
        alarms = metrics.describe_alarms(AlarmNamePrefix="kept", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        self.assertEqual([one["StateValue"] for one in alarms["MetricAlarms"] + alarms["CompositeAlarms"]], ["ALARM", "ALARM"])
        self.assertEqual(len(metrics.describe_anomaly_detectors(Namespace="Kept")["AnomalyDetectors"]), 1)
        read = sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])["Attributes"]
        self.assertEqual((read["TopicArn"], json.loads(read["FilterPolicy"])), (topic, {"a": ["b"]}))
        self.assertEqual(s3.get_object(Bucket="kept", Key="k")["Body"].read(), b"bytes")
        self.assertEqual(json.loads(functions.invoke(FunctionName="kept")["Payload"].read()), "kept")
        self.assertEqual(functions.get_function_concurrency(FunctionName="kept")["ReservedConcurrentExecutions"], 3)
        self.assertEqual(secrets.get_secret_value(SecretId="kept")["SecretString"], "word")
        self.assertEqual(edge.get_invalidation(DistributionId="E1234ABCD", Id=asked)["Invalidation"]["Status"], "Completed")


if __name__ == "__main__":
    main()
