"""Buckets, the CDN and the API by Debian's awscli and boto3: the portal is deployed as the guide deploys it, the edge
serves its copy until it is invalidated, large files go in parts, and nothing acknowledged is lost to kill -9."""

import filecmp
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import unittest

import boto3
import botocore.config
import botocore.exceptions

from harness import Platform, main, mock_api_stack, pages_stack

BUCKET = "securebase-prod-portal"
STACK = (pages_stack(BUCKET, {"securebase:id": "E1234ABCD"}, ttl_seconds=3600) +
         mock_api_stack("securebase-api", "/v1/health"))


class Buckets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(dir="/var/tmp")
        os.chmod(cls.folder.name, 0o755)
        cls.path = pathlib.Path(cls.folder.name)
        (cls.path / "stack").mkdir()
        (cls.path / "stack" / "main.tf").write_text(STACK)
        cls.platform = None
        cls.start()

    @classmethod
    def start(cls):
        cls.platform = Platform(state=cls.path / "state", stack=cls.path / "stack",
                                ports=cls.platform.port if cls.platform else None)
        cls.environment = cls.platform.environment()
        cls.s3 = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{cls.platform.port['aws']}", region_name="us-east-1",
            aws_access_key_id=cls.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=cls.environment["AWS_SECRET_ACCESS_KEY"],
            config=botocore.config.Config(retries={"max_attempts": 0}))

    @classmethod
    def tearDownClass(cls):
        cls.platform.stop()
        cls.folder.cleanup()

    def aws(self, *words, code=0):
        done = subprocess.run(["aws", *words], env=self.environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def code_of(self, call, **arguments):
        with self.assertRaises(botocore.exceptions.ClientError) as raised:
            call(**arguments)
        return raised.exception.response["Error"]["Code"]

    def test_10_the_guides_deployment(self):
        dist = self.path / "dist"
        (dist / "assets").mkdir(parents=True)
        (dist / "index.html").write_text("<html>one</html>")
        (dist / "assets" / "app.js").write_text("one()")
        (dist / "odd name & more.txt").write_text("odd")
        listed = self.aws("s3", "sync", str(dist), f"s3://{BUCKET}", "--delete")
        self.assertEqual(listed.count("upload:"), 3, listed)
        self.assertEqual(self.aws("s3", "sync", str(dist), f"s3://{BUCKET}", "--delete"), "")
        (dist / "assets" / "app.js").unlink()
        (dist / "index.html").write_text("<html>two</html>")
        os.utime(dist / "index.html", (2_000_000_000, 2_000_000_000))
        listed = self.aws("s3", "sync", str(dist), f"s3://{BUCKET}", "--delete")
        self.assertIn(f"delete: s3://{BUCKET}/assets/app.js", listed)
        self.assertIn("index.html", listed)
        names = self.aws("s3", "ls", f"s3://{BUCKET}", "--recursive")
        self.assertIn("odd name & more.txt", names)
        self.assertNotIn("app.js", names)
        self.assertEqual(self.s3.head_object(Bucket=BUCKET, Key="index.html")["ContentType"], "text/html")

    def test_20_the_edge_serves_its_copy_until_it_is_invalidated(self):
        self.s3.put_object(Bucket=BUCKET, Key="page.html", Body=b"old", ContentType="text/html")
        self.assertEqual(self.platform.curl("/page.html").body, b"old")
        self.s3.put_object(Bucket=BUCKET, Key="page.html", Body=b"new", ContentType="text/html")
        kept = self.platform.curl("/page.html")
        self.assertEqual((kept.body, kept.headers["x-cache"]), (b"old", "Hit from cloudfront"))
        made = json.loads(self.aws("cloudfront", "create-invalidation", "--distribution-id", "E1234ABCD",
                                   "--paths", "/*", "#customer:42"))
        self.assertEqual(made["Invalidation"]["Status"], "Completed")
        fresh = self.platform.curl("/page.html")
        self.assertEqual((fresh.body, fresh.headers["x-cache"]), (b"new", "Miss from cloudfront"))
        number = made["Invalidation"]["Id"]
        listed = json.loads(self.aws("cloudfront", "list-invalidations", "--distribution-id", "E1234ABCD"))
        self.assertEqual(listed["InvalidationList"]["Items"][0]["Id"], number)
        one = json.loads(self.aws("cloudfront", "get-invalidation", "--distribution-id", "E1234ABCD", "--id", number))
        self.assertEqual(one["Invalidation"]["InvalidationBatch"]["Paths"]["Items"], ["/*", "#customer:42"])
        wrong = self.aws("cloudfront", "create-invalidation", "--distribution-id", "E9", "--paths", "/*", code=254)
        self.assertIn("NoSuchDistribution", wrong)

    def test_30_distributions_and_apis(self):
        listed = json.loads(self.aws("cloudfront", "list-distributions"))["DistributionList"]["Items"]
        self.assertEqual([one["Id"] for one in listed], ["E1234ABCD"])
        config = json.loads(self.aws("cloudfront", "get-distribution-config", "--id", "E1234ABCD"))
        self.assertTrue(config["ETag"].startswith("E"))
        self.assertEqual(config["DistributionConfig"]["DefaultCacheBehavior"]["DefaultTTL"], 3600)
        apis = json.loads(self.aws("apigateway", "get-rest-apis"))["items"]
        self.assertEqual([(one["id"], one["name"]) for one in apis], [("a1b2c3d4e5", "securebase-api")])
        stage = json.loads(self.aws("apigateway", "get-stage", "--rest-api-id", "a1b2c3d4e5", "--stage-name", "prod"))
        self.assertEqual((stage["cacheClusterSize"], stage["cacheClusterStatus"]), ("0.5", "AVAILABLE"))
        resources = json.loads(self.aws("apigateway", "get-resources", "--rest-api-id", "a1b2c3d4e5"))["items"]
        self.assertIn("/v1/health", [one["path"] for one in resources])
        self.aws("apigateway", "flush-stage-cache", "--rest-api-id", "a1b2c3d4e5", "--stage-name", "prod")
        self.aws("apigateway", "flush-stage-authorizers-cache", "--rest-api-id", "a1b2c3d4e5", "--stage-name", "prod")
        missing = self.aws("apigateway", "get-stage", "--rest-api-id", "a1b2c3d4e5", "--stage-name", "no", code=254)
        self.assertIn("NotFoundException", missing)
        answer = self.platform.curl(
            f"http://127.0.0.1:{self.platform.port['aws']}/restapis/a1b2c3d4e5/prod/_user_request_/v1/health")
        self.assertEqual(answer.status, 200)

    def test_40_files_in_parts(self):
        large = self.path / "large"
        large.write_bytes(os.urandom(25 << 20))
        self.s3.upload_file(str(large), BUCKET, "videos/large")
        self.s3.download_file(BUCKET, "videos/large", str(self.path / "back"))
        self.assertTrue(filecmp.cmp(large, self.path / "back", shallow=False))
        head = self.s3.head_object(Bucket=BUCKET, Key="videos/large")
        self.assertTrue(head["ETag"].endswith('-4"'), head["ETag"])
        part = self.s3.get_object(Bucket=BUCKET, Key="videos/large", Range="bytes=10000000-10000009")
        self.assertEqual(part["Body"].read(), large.read_bytes()[10_000_000:10_000_010])
        self.assertEqual(self.platform.curl("/videos/large").body, large.read_bytes())
        self.aws("s3", "cp", f"s3://{BUCKET}/videos/large", f"s3://{BUCKET}/videos/copy")
        self.aws("s3", "cp", f"s3://{BUCKET}/videos/copy", str(self.path / "copy"))
        self.assertTrue(filecmp.cmp(large, self.path / "copy", shallow=False))
        resident = int(pathlib.Path(f"/proc/{self.platform.process.pid}/statm").read_text().split()[1]) * 4096
        self.assertLess(resident, 300 << 20)

    def test_50_codes(self):
        self.assertEqual(self.code_of(self.s3.get_object, Bucket=BUCKET, Key="none"), "NoSuchKey")
        self.assertEqual(self.code_of(self.s3.get_object, Bucket="no-such-bucket", Key="x"), "NoSuchBucket")
        self.assertEqual(self.code_of(self.s3.head_object, Bucket=BUCKET, Key="none"), "404")
        self.assertEqual(self.code_of(self.s3.get_object, Bucket=BUCKET, Key="index.html", Range="bytes=99-"),
                         "InvalidRange")
        etag = self.s3.head_object(Bucket=BUCKET, Key="index.html")["ETag"]
        self.assertEqual(self.code_of(self.s3.get_object, Bucket=BUCKET, Key="index.html", IfNoneMatch=etag), "304")
        self.assertEqual(self.code_of(self.s3.get_object, Bucket=BUCKET, Key="index.html", IfMatch='"no"'),
                         "PreconditionFailed")
        self.assertEqual(self.code_of(self.s3.put_object, Bucket=BUCKET, Key="x", Body=b"x",
                                      ContentMD5="CY9rzUYh03PK3k6DJie09g=="), "BadDigest")
        self.assertEqual(self.code_of(self.s3.delete_bucket, Bucket=BUCKET), "BucketNotEmpty")
        self.aws("s3", "mb", "s3://another")
        self.assertEqual(self.s3.get_bucket_location(Bucket="another")["LocationConstraint"], None)
        self.s3.put_object(Bucket="another", Key="a", Body=b"a", ChecksumAlgorithm="CRC32")
        self.aws("s3", "rm", "s3://another", "--recursive")
        self.aws("s3", "rb", "s3://another")
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 1})
        self.assertGreaterEqual(sum(page["KeyCount"] for page in pages), 4)

    def test_60_nothing_acknowledged_is_lost(self):
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key="unfinished")["UploadId"]
        piece = os.urandom(5 << 20)
        first = self.s3.upload_part(Bucket=BUCKET, Key="unfinished", UploadId=upload, PartNumber=1, Body=piece)["ETag"]
        acknowledged = []

        def write():
            try:
                for number in range(100_000):
                    self.s3.put_object(Bucket=BUCKET, Key="counter", Body=b"%d" % number + b"x" * 200_000)
                    acknowledged.append(number)
            except botocore.exceptions.BotoCoreError:
                pass  # the platform went
        writer = threading.Thread(target=write)
        writer.start()
        while len(acknowledged) < 20:
            writer.join(0.01)
        self.platform.process.send_signal(signal.SIGKILL)
        self.platform.process.wait()
        writer.join()
        self.start()
        found = self.s3.get_object(Bucket=BUCKET, Key="counter")["Body"].read()
        self.assertEqual(found.lstrip(b"0123456789"), b"x" * 200_000)
        self.assertIn(int(found.split(b"x", 1)[0]), (acknowledged[-1], acknowledged[-1] + 1))
        uploads = self.s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
        self.assertEqual([one["UploadId"] for one in uploads], [upload])
        last = self.s3.upload_part(Bucket=BUCKET, Key="unfinished", UploadId=upload, PartNumber=2, Body=b"end")["ETag"]
        self.s3.complete_multipart_upload(Bucket=BUCKET, Key="unfinished", UploadId=upload, MultipartUpload={
            "Parts": [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": last}]})
        self.assertEqual(self.s3.get_object(Bucket=BUCKET, Key="unfinished")["Body"].read(), piece + b"end")
        listed = json.loads(self.aws("cloudfront", "list-invalidations", "--distribution-id", "E1234ABCD"))
        self.assertEqual(len(listed["InvalidationList"]["Items"]), 1)


if __name__ == "__main__":
    main()
