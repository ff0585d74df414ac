"""Lambda by its API, with AWS's own SDK: what a call changes is what the next request finds."""

import base64
import io
import json
import signal
import unittest
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import BUILD, INFRA, REPOSITORY, SHARED, Platform, main

CRITICAL = "securebase-prod-critical-api"
ROLE = "arn:aws:iam::123456789012:role/any"


def packed(code, name="app.py"):
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr(name, code)
    return into.getvalue()


def handler(body):
    return packed(f"def handler(event, context):\n    {body}\n")


def client(platform, service="lambda"):
    environment = platform.environment()
    return boto3.client(service, endpoint_url=f"http://127.0.0.1:{platform.port['aws']}", region_name="us-east-1",
                        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
                        config=Config(retries={"max_attempts": 0}, parameter_validation=False))


class Lambda(unittest.TestCase):
    def fails(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response

    def answer(self, api, function, event=None, **more):
        result = api.invoke(FunctionName=function, Payload=json.dumps(event or {}), **more)
        return json.loads(result["Payload"].read())

    def plan(self, platform):
        return platform.cli("plan", INFRA, "--allow-files", REPOSITORY / "service", "--allow-files", BUILD / "service",
                            "-var", f"build={BUILD}", check=False).stdout

    def apply(self, platform):
        return platform.cli("apply", INFRA, "--allow-files", REPOSITORY / "service", "--allow-files",
                            BUILD / "service", "-var", f"build={BUILD}", "--auto-approve", check=False).stdout

    def test_calls_change_what_requests_find_and_apply_puts_it_back(self):
        state = SHARED / "lambda-state"
        with Platform(state=state) as platform:
            api = client(platform)
            self.assertIn(CRITICAL, [one["FunctionName"] for one in api.list_functions()["Functions"]])
            self.assertEqual(platform.curl("/api/v1/health").status, 200)

            api.put_function_concurrency(FunctionName=CRITICAL, ReservedConcurrentExecutions=0)
            throttled = self.fails("TooManyRequestsException", api.invoke, FunctionName=CRITICAL, Payload="{}")
            self.assertEqual(throttled["ResponseMetadata"]["HTTPStatusCode"], 429)
            self.assertEqual(platform.curl("/api/v1/health").status, 500)  # as API Gateway tells it
            self.assertIn("reserved_concurrent_executions = 0 -> 100", self.plan(platform))
            self.assertIn("Applied", self.apply(platform))
            self.assertEqual(platform.curl("/api/v1/health").status, 200)
            self.assertIn("No changes", self.plan(platform))

            made = api.create_function(FunctionName="beside", Runtime="python3.11", Role=ROLE, Handler="app.handler",
                                       Code={"ZipFile": handler("return event['n'] + 1")})
            self.assertEqual(made["State"], "Active")
            self.assertEqual(self.answer(api, "beside", {"n": 41}), 42)
            self.fails("ResourceConflictException", api.create_function, FunctionName="beside", Runtime="python3.11",
                       Role=ROLE, Handler="app.handler", Code={"ZipFile": handler("return 0")})
            self.assertIn('api.aws_lambda_function["beside"]', self.plan(platform))

            layer = api.publish_layer_version(LayerName="deps", CompatibleRuntimes=["python3.11"],
                                              Content={"ZipFile": packed("word = 'layered'\n", "python/extra.py")})
            api.update_function_code(FunctionName="beside", ZipFile=handler("import extra; return extra.word"))
            api.update_function_configuration(FunctionName="beside", Layers=[layer["LayerVersionArn"]])
            self.assertEqual(self.answer(api, "beside"), "layered")
            self.assertEqual(api.publish_version(FunctionName="beside")["Version"], "1")
            api.update_function_code(FunctionName="beside", ZipFile=handler("print('seen'); return 'newer'"))
            self.assertEqual(self.answer(api, "beside"), "newer")
            self.assertEqual(self.answer(api, "beside", Qualifier="1"), "layered")

            told = api.invoke(FunctionName="beside", LogType="Tail", Payload="{}")
            self.assertEqual((told["StatusCode"], told["ExecutedVersion"]), (200, "$LATEST"))
            self.assertIn("seen\n", base64.b64decode(told["LogResult"]).decode())
            self.assertEqual(api.invoke(FunctionName="beside", InvocationType="Event", Payload="{}")["StatusCode"], 202)
            self.fails("ResourceNotFoundException", api.invoke, FunctionName="missing", Payload="{}")

            platform.process.send_signal(signal.SIGKILL)
            platform.process.wait(30)

        with Platform(state=state) as again:
            api = client(again)
            self.assertEqual(self.answer(api, "beside"), "newer")
            self.assertEqual(self.answer(api, "beside:1"), "layered")
            api.delete_function(FunctionName="beside")
            self.fails("ResourceNotFoundException", api.invoke, FunctionName="beside", Payload="{}")
            self.fails("ResourceNotFoundException", api.get_function, FunctionName="beside")


if __name__ == "__main__":
    main()
