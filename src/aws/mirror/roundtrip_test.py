"""Every operation of every service that the port knows, called by botocore: what it sends is what a handler gets, and
what a handler answers is what it reads.

    roundtrip_test.py AWS_MIRROR [SERVICE[.OPERATION]...]

Inputs and outputs are drawn from the shapes of botocore's own models, with a fixed seed.
"""

import base64
import datetime
import json
import random
import re
import string
import subprocess
import sys
import urllib.request

import botocore.config
import botocore.exceptions
import botocore.session

SERVICES = ["cloudwatch", "sts", "cloudfront", "s3", "lambda", "rds", "secretsmanager", "apigateway", "sns", "logs",
            "xray", "synthetics", "rum", "dynamodb", "iam", "elasticache"]
# botocore computes these itself, or sends another call first.
LEFT_OUT = {
    "s3.SelectObjectContent",  # answers an event stream
    "s3.GetBucketLifecycle", "s3.PutBucketLifecycle", "s3.GetBucketNotification", "s3.PutBucketNotification",  # of old
    "lambda.InvokeAsync",  # its status is its output
    "rum.CreateAppMonitor", "rum.UpdateAppMonitor",  # a pattern with a word boundary, which is hard to draw
    "rds.CopyDBClusterSnapshot", "rds.CopyDBSnapshot", "rds.CreateDBInstanceReadReplica", "rds.CreateDBCluster",
    "rds.StartDBInstanceAutomatedBackupsReplication",  # presigned URLs are put into them
    "s3.WriteGetObjectResponse", "rum.PutRumEvents",  # go to a host of their own
}
TEXT = string.ascii_letters + string.digits + " -_/.:é&<>\"'"


class Drawer:
    """Values of a shape. `inputs`: within its bounds, and without what botocore makes itself."""

    def __init__(self, seed, inputs):
        self.random = random.Random(seed)
        self.inputs = inputs

    def draw(self, shape, depth=0, where=""):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            low = max(int(shape.metadata.get("min", 1)), 1)
            high = int(shape.metadata.get("max", low + 1))
            return [self.draw(shape.member, depth + 1) for _ in range(self.random.randint(low, min(low + 1, high)))]
        if kind == "map":
            return {self.draw(shape.key, depth + 1, "key"): self.draw(shape.value, depth + 1, where) for _ in range(2)}
        return self.scalar(shape, where)

    def structure(self, shape, depth):
        value = {}
        for name, member in shape.members.items():
            needed = name in shape.required_members
            if depth > 6 and not needed or getattr(shape, "is_tagged_union", False) and value:
                continue
            if member.type_name == "structure" and getattr(member, "is_eventstream", False):
                continue
            where = member.serialization.get("location", "")
            drawn = self.draw(member, depth + 1, where)
            value[name] = drawn
        return value

    def scalar(self, shape, where):
        kind = shape.type_name
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in ("integer", "long"):
            return self.random.randint(int(low or 0), int(high if high is not None else (low or 0) + 1000))
        if kind in ("float", "double"):
            low = float(low or 0)
            return low + self.random.randrange(8) / 8 * min(1.0, float(high if high is not None else low + 1) - low)
        if kind == "timestamp":
            return datetime.datetime.fromtimestamp(self.random.randrange(1, 2_000_000_000), datetime.timezone.utc)
        if kind == "blob":
            return self.random.randbytes(self.random.randrange(max(int(low or 1), 1), 40))
        if shape.enum:
            return self.random.choice(shape.enum)
        if where in ("header", "headers", "uri", "key"):
            letters = string.ascii_lowercase
        else:
            letters = TEXT
        low = int(low or 0)
        if self.inputs and shape.metadata.get("pattern"):
            return self.matching(shape.metadata["pattern"], low, int(high if high is not None else 1000))
        size = max(low, self.random.randrange(3, 12))
        if high is not None:
            size = min(size, int(high))
        text = "".join(self.random.choice(letters) for _ in range(size))
        return text.strip() if where else text

    def matching(self, pattern, low, high):
        pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", "")
        pattern = re.sub(r"\\p\{[A-Z]\w*\}", "a-z" if "[" in pattern else "[a-z]", pattern)
        parsed = re._parser.parse(pattern.replace("(?s)", "").replace("[[", "[").replace("]]", "]"))
        for _ in range(300):
            text = self.from_pattern(parsed)
            if low <= len(text) <= high:
                return text
        return "a" * max(low, 1)

    def from_pattern(self, parsed):
        text = ""
        for operator, argument in parsed:
            operator = str(operator)
            if operator == "LITERAL":
                text += chr(argument)
            elif operator in ("ANY", "NOT_LITERAL"):
                text += "b"
            elif operator == "IN":
                text += self.from_set(argument)
            elif operator in ("MAX_REPEAT", "MIN_REPEAT"):
                low, high, inside = argument
                for _ in range(self.random.randint(low, min(int(high), low + 8))):
                    text += self.from_pattern(inside)
            elif operator == "SUBPATTERN":
                text += self.from_pattern(argument[3])
            elif operator == "BRANCH":
                text += self.from_pattern(self.random.choice(argument[1]))
        return text

    def from_set(self, choices):
        if str(choices[0][0]) == "NEGATE":
            return "q"
        operator, argument = self.random.choice(choices)
        if str(operator) == "LITERAL":
            return chr(argument)
        if str(operator) == "RANGE":
            low, high = argument
            return chr(self.random.randint(max(low, 33), max(min(high, 126), low)))
        return "7" if "DIGIT" in str(argument) else " " if "SPACE" in str(argument) else "w"


def plain(value):
    """As the mirror writes it: times as seconds, bytes as base64, map order forgotten."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def without_empty(value):
    """Empty lists and maps and what is not there cannot be told apart in XML and query."""
    if isinstance(value, dict):
        return {key: without_empty(one) for key, one in value.items() if one not in ([], {}, None, "")}
    if isinstance(value, list):
        return [without_empty(one) for one in value]
    return value


def differences(expected, got, path=""):
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in expected.keys() | got.keys():
            if key not in got:
                yield f"{path}.{key}: lost {expected[key]!r}"
            elif key not in expected:
                yield f"{path}.{key}: unexpected {got[key]!r}"
            else:
                yield from differences(expected[key], got[key], f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for i, (a, b) in enumerate(zip(expected, got)):
            yield from differences(a, b, f"{path}[{i}]")
    elif isinstance(expected, float) or isinstance(got, float):
        if not isinstance(got, (int, float)) or abs(expected - got) > 1e-3:
            yield f"{path}: {expected!r} became {got!r}"
    elif expected != got:
        yield f"{path}: {expected!r} became {got!r}"


class Mirror:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def put(self, what, value):
        request = urllib.request.Request(f"{self.url}/-/{what}", json.dumps(value).encode(), method="PUT")
        urllib.request.urlopen(request).read()

    def input(self):
        return json.load(urllib.request.urlopen(f"{self.url}/-/input"))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def tailored(service, operation, given):
    """What botocore checks or rewrites itself is given as it leaves it."""
    if service == "s3":
        if "Bucket" in given:
            given["Bucket"] = "a-bucket"
        for name in list(given):
            if name.startswith(("SSECustomer", "CopySourceSSE", "Checksum", "ContentMD5", "SourceSSE")):
                del given[name]
        if "CopySource" in given:
            given["CopySource"] = "other/key"
        given.pop("ContentLength", None)
        given.pop("EncodingType", None)
    if service == "lambda" and operation == "Invoke":
        given.pop("ClientContext", None)
    return given


def try_one(mirror, client, service, operation):
    model = client.meta.service_model.operation_model(operation)
    seed = f"{service}.{operation}"
    given = Drawer(seed, True).draw(model.input_shape) if model.input_shape else {}
    given = tailored(service, operation, given)
    answer = Drawer(seed + "!", False).draw(model.output_shape) if model.output_shape else {}
    answer.pop("ContentLength", None)
    if service == "s3":  # botocore would compare them with the body
        answer = {name: one for name, one in answer.items() if not name.startswith("Checksum")}
    if "StatusCode" in answer:
        answer["StatusCode"] = 200
    mirror.put("output", plain(answer))
    method = next(name for name, wire in client.meta.method_to_api_mapping.items() if wire == operation)
    try:
        got = getattr(client, method)(**given)
    except botocore.exceptions.BotoCoreError as error:
        return [f"{seed}: {type(error).__name__}: {error}"]
    except botocore.exceptions.ClientError as error:
        return [f"{seed}: {error}"]
    got.pop("ResponseMetadata")
    for name, one in got.items():
        if hasattr(one, "read"):
            got[name] = one.read()
    seen = mirror.input()
    if service == "s3":  # botocore adds these
        for name in ("ContentMD5", "ContentLength", "EncodingType"):
            seen["input"].pop(name, None)
    if (seen["service"], seen["operation"]) != (service, operation):
        return [f"{seed}: was taken for {seen['service']}.{seen['operation']}"]
    wrong = [f"{seed} input{one}" for one in differences(without_empty(plain(given)), without_empty(seen["input"]))]
    got.pop("ContentLength", None)
    wrong += [f"{seed} output{one}" for one in differences(without_empty(plain(answer)), without_empty(plain(got)))]
    return wrong


def main():
    mirror = Mirror(sys.argv[1])
    wanted = sys.argv[2:]
    config = botocore.config.Config(retries={"total_max_attempts": 1}, parameter_validation=False,
                                    s3={"addressing_style": "path"}, inject_host_prefix=False)
    session = botocore.session.get_session()
    session.set_credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    tried, wrong = 0, []
    try:
        for service in SERVICES:
            client = session.create_client(service, region_name="us-east-1", endpoint_url=mirror.url, config=config)
            for operation in client.meta.service_model.operation_names:
                name = f"{service}.{operation}"
                if name in LEFT_OUT or wanted and service not in wanted and name not in wanted:
                    continue
                tried += 1
                wrong += try_one(mirror, client, service, operation)
    finally:
        mirror.stop()
    for one in wrong:
        print(one)
    print(f"{tried} operations, {len(wrong)} differences")
    return 1 if wrong or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
