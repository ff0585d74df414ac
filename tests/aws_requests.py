"""The AWS services by the bytes: for each in ROWS a request that is right, the same made wrong in each way, and what AWS
answers to them; code_in() reads an error in the service's own protocol.
"""

import dataclasses
import json
import re
from urllib.parse import urlencode


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes = b""


def form(version, action, **members):
    body = urlencode({"Action": action, "Version": version, **members}).encode()
    return Request("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, body)


def target(prefix, version, operation, body=b"{}"):
    return Request("POST", "/", {"Content-Type": f"application/x-amz-json-{version}",
                                 "X-Amz-Target": f"{prefix}.{operation}"}, body)


def rest(method, path, body=b"", kind="application/json"):
    return Request(method, path, {"Content-Type": kind} if body else {}, body)


def cbor(operation, body=b"\xbf\xff"):
    return Request("POST", f"/service/GraniteServiceVersion20100801/operation/{operation}",
                   {"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor", "X-Amzn-Query-Mode": "true"},
                   body)


@dataclasses.dataclass
class Row:
    """A service: its name in a signature's scope, requests, and what they get: (status, code)."""
    scope: str
    right: Request            # 200
    missing: Request          # lacks a required member
    missing_gets: tuple
    unknown: Request          # no operation of the service
    unknown_gets: tuple
    unreadable: Request       # a body that is not of its protocol
    unreadable_gets: tuple
    unsigned_gets: tuple
    forged_gets: tuple
    huge: Request             # `right`, or another, to which a body of 70 MiB is given
    huge_gets: tuple


def query_row(scope, version, right, missing, missing_gets):
    return Row(scope, form(version, *right), form(version, missing), missing_gets,
               form(version, "MakeCoffee"), (400, "InvalidAction"),
               Request("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"},
                       f"Action={right[0]}&Version={version}&X=%zz".encode()), (400, "MalformedInput"),
               (403, "MissingAuthenticationToken"), (403, "SignatureDoesNotMatch"),
               form(version, *right), (413, "RequestEntityTooLarge"))


def json_row(scope, prefix, version, right, missing, missing_gets):
    return Row(scope, target(prefix, version, *right), target(prefix, version, missing), missing_gets,
               target(prefix, version, "MakeCoffee"), (400, "UnknownOperationException"),
               target(prefix, version, right[0], b'{"torn'), (400, "SerializationException"),
               (400, "MissingAuthenticationTokenException"), (400, "InvalidSignatureException"),
               target(prefix, version, *right), (413, "RequestEntityTooLargeException"))


ROWS = {
    "cloudwatch": query_row("monitoring", "2010-08-01", ["ListMetrics"], "PutMetricAlarm", (400, "MissingParameter")),
    "cloudwatch, CBOR": Row("monitoring", cbor("ListMetrics"),
                            cbor("PutMetricAlarm"), (400, "MissingRequiredParameterException"),
                            cbor("MakeCoffee"), (400, "InvalidAction"),
                            cbor("ListMetrics", b"\xbf\x61"), (400, "MalformedInput"),
                            (403, "MissingAuthenticationToken"), (403, "SignatureDoesNotMatch"),
                            cbor("ListMetrics"), (413, "RequestEntityTooLarge")),
    "sns": query_row("sns", "2010-03-31", ["ListTopics"], "GetTopicAttributes", (400, "ValidationError")),
    "sts": query_row("sts", "2011-06-15", ["GetCallerIdentity"], "AssumeRole", (400, "ValidationError")),
    "rds": query_row("rds", "2014-10-31", ["DescribeDBClusters"], "DescribeDBLogFiles", (400, "MissingParameter")),
    "iam": query_row("iam", "2010-05-08", ["GetUser"], "", (400, "MissingAction")),
    "secretsmanager": json_row("secretsmanager", "secretsmanager", "1.1", ["ListSecrets"], "GetSecretValue",
                               (400, "ValidationException")),
    "lambda": Row("lambda", rest("GET", "/2015-03-31/functions"),
                  rest("POST", "/2015-03-31/functions", b"{}"), (400, "ValidationException"),
                  rest("GET", "/2015-03-31/coffee"), (404, "UnknownOperationException"),
                  rest("POST", "/2015-03-31/functions", b'{"torn'), (400, "SerializationException"),
                  (403, "MissingAuthenticationTokenException"), (403, "InvalidSignatureException"),
                  rest("POST", "/2015-03-31/functions"), (413, "RequestEntityTooLargeException")),
    "apigateway": Row("apigateway", rest("GET", "/restapis"),
                      rest("GET", "/restapis/none/stages"), (404, "NotFoundException"),
                      rest("GET", "/coffee"), (404, "UnknownOperationException"),
                      None, None,
                      (403, "MissingAuthenticationTokenException"), (403, "InvalidSignatureException"),
                      rest("POST", "/restapis"), (413, "RequestEntityTooLargeException")),
    "cloudfront": Row("cloudfront", rest("GET", "/2020-05-31/distribution"),
                      rest("POST", "/2020-05-31/distribution/E1234ABCD/invalidation",
                           b'<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"/>', "text/xml"),
                      (400, "MalformedXML"),
                      rest("GET", "/2020-05-31/coffee"), (400, "InvalidAction"),
                      rest("POST", "/2020-05-31/distribution/E1234ABCD/invalidation", b"<torn", "text/xml"),
                      (400, "MalformedXML"),
                      (403, "MissingAuthenticationToken"), (403, "SignatureDoesNotMatch"),
                      rest("POST", "/2020-05-31/distribution/E1234ABCD/invalidation"), (413, "RequestEntityTooLarge")),
    "s3": Row("s3", rest("GET", "/"),
              rest("POST", "/portal?delete", b"<Delete/>", "application/xml"), (400, "MalformedXML"),
              rest("POST", "/portal/object"), (405, "MethodNotAllowed"),
              rest("POST", "/portal?delete", b"<torn", "application/xml"), (400, "MalformedXML"),
              (403, "AccessDenied"), (403, "SignatureDoesNotMatch"),
              rest("POST", "/portal?delete"), (400, "MaxMessageLengthExceeded")),
}


def cbor_map(data):
    """A map of texts to texts (RFC 8949), which is all that an error is."""
    at = 0

    def head():
        nonlocal at
        kind, low = data[at] >> 5, data[at] & 31
        at += 1
        if low in (24, 25, 26):
            size = 1 << (low - 24)
            low = int.from_bytes(data[at:at + size], "big")
            at += size
        return kind, low

    def text():
        nonlocal at
        kind, length = head()
        assert kind == 3, data
        at += length
        return data[at - length:at].decode()
    kind, count = head()
    assert kind == 5, data
    if count < 31:
        return {text(): text() for _ in range(count)}
    pairs = {}
    while data[at] != 0xff:
        name = text()
        pairs[name] = text()
    return pairs


def code_in(service, status, headers, body):
    """The error's code where the service's protocol has it, after a look at the shape around it."""
    text = body.decode(errors="replace")
    if service == "s3":
        assert re.search(r"^<\?xml [^>]*>\n?<Error><Code>.*<RequestId>.*</RequestId><HostId>.*</HostId></Error>$", text,
                         re.S), text
    elif text.startswith("<"):
        assert re.search(r"<ErrorResponse xmlns=\"[^\"]+\"><Error><Type>(Sender|Receiver)</Type><Code>", text), text
        assert re.search(r"<RequestId>[0-9a-f-]{36}</RequestId></ErrorResponse>$", text), text
    if text.startswith("<"):
        return re.search("<Code>([^<]*)</Code>", text)[1]
    assert "x-amzn-requestid" in headers, headers
    if headers["content-type"] == "application/cbor":
        assert headers["smithy-protocol"] == "rpc-v2-cbor", headers
        assert headers.get("x-amzn-query-error"), headers
        error = cbor_map(body)
        assert error["message"], error
        return error["__type"].rpartition("#")[2]
    error = json.loads(text)
    assert error.get("message") or error.get("Message"), text
    kind = error["__type"].rpartition("#")[2]
    assert headers["x-amzn-errortype"].rpartition("#")[2] == kind, (headers, text)
    return kind
