"""Runs a Python handler: a client of the Lambda Runtime API that imports as little as it can.

The shapes of errors, the context object and the log format are those of AWS's own runtime interface client, so that
code and people that read them find what they know. Started with -S: the site module costs more than all of this file.
"""

import sys

_TASK = "/var/task"
_PACKAGES = (
    _TASK,
    "/opt/python",
    "/opt/python/lib/python3.11/site-packages",
    "/var/runtime",
)
_SYSTEM_PACKAGES = ("/usr/local/lib/python3.11/dist-packages", "/usr/lib/python3/dist-packages")

_own_directory = sys.path[0]
sys.path[:] = list(_PACKAGES) + [path for path in sys.path if path and path != _own_directory] + list(_SYSTEM_PACKAGES)

import json  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402
from _socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, socket  # noqa: E402

_API = "/2018-06-01/runtime/"


class RuntimeApi:
    """One kept connection to the Runtime API."""

    def __init__(self, address):
        self._address = address
        host, _, port = address.rpartition(":")
        self._peer = (host, int(port))
        self._socket = None
        self._rest = b""

    def _connect(self):
        self._socket = socket(AF_INET, SOCK_STREAM)
        self._socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self._socket.connect(self._peer)
        self._rest = b""

    def _receive(self):
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the Runtime API closed the connection")
        return data

    def request(self, method, path, headers, body=b""):
        """Status, fields by lower-case name, body."""
        lines = ["%s %s%s HTTP/1.1" % (method, _API, path), "Host: " + self._address]
        if method == "POST":
            lines.append("Content-Length: %d" % len(body))
        lines.extend("%s: %s" % field for field in headers)
        if self._socket is None:
            self._connect()
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body)
        return self._response()

    def _response(self):
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        head = data[:end].decode("latin-1").split("\r\n")
        fields = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        length = int(fields.get("content-length", "0"))
        parts = [data[end + 4 :]]
        have = len(parts[0])
        while have < length:
            parts.append(self._receive())
            have += len(parts[-1])
        body = b"".join(parts)
        self._rest = body[length:]
        if fields.get("connection", "").lower() == "close":
            self._socket.close()
            self._socket = None
        return int(head[0].split(" ", 2)[1]), fields, body[:length]


class CognitoIdentity:
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, values=None):
        values = values or {}
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def __repr__(self):
        return "CognitoIdentity([cognito_identity_id={},cognito_identity_pool_id={}])".format(
            self.cognito_identity_id, self.cognito_identity_pool_id
        )


class Client:
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext:
    __slots__ = ("custom", "env", "client")

    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        self.client = None
        if "client" in values:
            self.client = Client()
            for name in Client.__slots__:
                setattr(self.client, name, values["client"].get(name))


class LambdaContext:
    """What the handler is told besides the event (AWS Lambda developer guide, "Python context object")."""

    def __init__(self, fields):
        self.aws_request_id = fields.get("lambda-runtime-aws-request-id")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.invoked_function_arn = fields.get("lambda-runtime-invoked-function-arn")
        self._epoch_deadline_time_in_ms = int(fields.get("lambda-runtime-deadline-ms", "0"))
        client = fields.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        identity = fields.get("lambda-runtime-cognito-identity")
        self.identity = CognitoIdentity(json.loads(identity) if identity else None)

    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        names = (
            "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
            "function_version", "invoked_function_arn", "client_context", "identity",
        )  # fmt: skip
        return "LambdaContext([" + ",".join("%s=%s" % (name, getattr(self, name)) for name in names) + "])"


class Fault(Exception):
    """An error of the runtime's own: a handler that is not there, an event or an answer that is no JSON."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace


def error_result(kind, message, trace, request_id):
    result = {"errorMessage": message, "errorType": kind, "requestId": request_id or "", "stackTrace": trace or []}
    return result


def describe(error, request_id):
    """The JSON that Lambda answers for an exception: the frames of this file are not in its trace."""
    if isinstance(error, Fault):
        return error_result(error.kind, error.message, error.trace, request_id)
    import traceback

    # As tuples: without columns there are no lines of carets, which Lambda's traces do not have.
    frames = [
        (frame.filename, frame.lineno, frame.name, frame.line)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and not frame.filename.startswith("<frozen imp")
    ]
    return error_result(type(error).__name__, str(error), traceback.format_list(frames), request_id)


def log_error(result):
    """One event of the log: as AWS's client writes it, lines end in \\r and are indented by spaces that do not break."""
    lines = ["[ERROR] %s: %s" % (result["errorType"], result["errorMessage"])]
    if result["stackTrace"]:
        lines.append("Traceback (most recent call last):")
        for line in "".join(result["stackTrace"]).splitlines():
            text = line.lstrip(" ")
            lines.append("\u00a0" * (len(line) - len(text)) + text)
    sys.stdout.write("\r".join(lines).replace("\n", "\r") + "\n")
    sys.stdout.flush()


_request_id = None


class LoggingHook:
    """Gives the root logger Lambda's handler as soon as the function imports logging, and not before: it is dear."""

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            install_log_handler(module)

        spec.loader.exec_module = exec_module
        return spec


def install_log_handler(logging):
    class RequestIdFilter(logging.Filter):
        def filter(self, record):
            record.aws_request_id = _request_id
            return True

    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(RequestIdFilter())
    logging.root.addHandler(handler)


def load_handler(name):
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        message = "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name
        raise Fault("Runtime.MalformedHandlerName", message)
    try:
        from importlib import import_module

        module = import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), trace)
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = "Handler '%s' missing on module '%s'" % (function_name, module_name)
        raise Fault("Runtime.HandlerNotFound", message)


def encode_other(value):
    decimal = sys.modules.get("decimal")
    if decimal and isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


_encode = json.JSONEncoder(ensure_ascii=False, default=encode_other).encode


def run_handler(handler, fields, body):
    try:
        event = json.loads(body)
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)
    answer = handler(event, LambdaContext(fields))
    try:
        return _encode(answer).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError) as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error)


def post_error(api, path, result):
    headers = (("Lambda-Runtime-Function-Error-Type", result["errorType"]), *_RESULT_HEADERS)
    return api.request("POST", path, headers, _encode(result).encode("utf-8", "replace"))


# With the second field the platform answers a result with the next event: one exchange for a call instead of two.
_RESULT_HEADERS = (("Content-Type", "application/json"), ("Securebase-Runtime-Next", "true"))


def serve(api, handler):
    global _request_id
    status = 0
    while True:
        if status != 200:
            status, fields, body = api.request("GET", "invocation/next", ())
        if status != 200:
            raise SystemExit("the Runtime API answered %d to next" % status)
        _request_id = fields["lambda-runtime-aws-request-id"]
        if trace := fields.get("lambda-runtime-trace-id"):
            os.environ["_X_AMZN_TRACE_ID"] = trace
        try:
            answer = run_handler(handler, fields, body)
        except Exception as error:
            result = describe(error, _request_id)
            log_error(result)
            status, fields, body = post_error(api, "invocation/%s/error" % _request_id, result)
            continue
        status, fields, body = api.request("POST", "invocation/%s/response" % _request_id, _RESULT_HEADERS, answer)
        if status == 413:
            sys.stdout.write("[ERROR] [%s] The response is larger than 6 MB\n" % _request_id)


def main():
    # Line by line, as the log wants it; a print is on its way before the answer is.
    sys.stdout.reconfigure(line_buffering=True)
    sys.meta_path.insert(0, LoggingHook())
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ.get("_HANDLER", ""))
    except Exception as error:
        result = describe(error, None)
        log_error(result)
        post_error(api, "init/error", result)
        sys.exit(1)
    serve(api, handler)


main()
