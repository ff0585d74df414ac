"""The Python runtime: asks the Runtime API for invocations, calls the handler, answers.

AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes". Started as the instance's program with the
environment that Lambda documents; ends when the platform ends the instance. Uses sockets directly: http.client costs
more start time than all else here, and the other side is known.
"""

import os
import sys
import time

_API = "/2018-06-01/runtime"


class _Connection:
    """One kept HTTP/1.1 connection to the Runtime API."""

    def __init__(self, address):
        import socket
        host, port = address.rsplit(":", 1)
        self._host = address
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def _fill(self):
        piece = self._socket.recv(65536)
        if not piece:
            sys.exit(0)  # the platform is gone
        self._buffer += piece

    def _head(self):
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(lines[0].split(" ", 2)[1]), headers

    def _body(self, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while True:
                while b"\r\n" not in self._buffer:
                    self._fill()
                line, _, self._buffer = self._buffer.partition(b"\r\n")
                size = int(line.split(b";")[0], 16)
                while len(self._buffer) < size + 2:
                    self._fill()
                body += self._buffer[:size]
                self._buffer = self._buffer[size + 2:]
                if size == 0:
                    return body
        length = int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            self._fill()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def ask(self, method, path, body=b"", headers=()):
        lines = [f"{method} {_API}{path} HTTP/1.1", f"Host: {self._host}", "User-Agent: securebase-python/3.11"]
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
            lines.append("Content-Type: application/json")
        lines.extend(headers)
        self._socket.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        status, answered = self._head()
        return status, answered, self._body(answered)


class LambdaContext:
    """What a handler gets as its second argument ("Using the Lambda context object to retrieve Python function
    information")."""

    def __init__(self, headers):
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id", "")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn", "")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", "0"))
        self.identity = _Parts(_parsed(headers.get("lambda-runtime-cognito-identity")),
                               {"cognito_identity_id": "cognitoIdentityId",
                                "cognito_identity_pool_id": "cognitoIdentityPoolId"})
        client = _parsed(headers.get("lambda-runtime-client-context"))
        self.client_context = _ClientContext(client) if client else None

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        return f"LambdaContext([aws_request_id={self.aws_request_id},function_name={self.function_name}])"


class _Parts:
    def __init__(self, values, names):
        for name, key in names.items():
            setattr(self, name, values.get(key))


class _ClientContext:
    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        self.client = _Parts(values.get("client") or {}, {
            "installation_id": "installation_id", "app_title": "app_title", "app_version_name": "app_version_name",
            "app_version_code": "app_version_code", "app_package_name": "app_package_name"})


def _parsed(text):
    import json
    return json.loads(text) if text else {}


def _error(failure, skip):
    """Lambda's shape of a raised exception. `skip` frames of this file are not the function's."""
    import traceback
    frames = traceback.extract_tb(failure.__traceback__)[skip:]
    return {
        "errorMessage": str(failure),
        "errorType": type(failure).__name__,
        "requestId": "",
        "stackTrace": traceback.format_list(frames),
    }


def _print_error(error, request_id=""):
    """What Lambda writes to the log for an error, as one event: lines are joined by carriage returns there."""
    kind = f"[ERROR] {error['errorType']}" + (f": {error['errorMessage']}" if error["errorMessage"] else "")
    trace = "Traceback (most recent call last):\n" + "".join(error["stackTrace"]) if error["stackTrace"] else ""
    sys.stdout.write(f"{kind}\n{trace}" if trace else f"{kind}\n")
    sys.stdout.flush()


def _load_handler():
    """The function that _HANDLER names, as Lambda finds it: a/b.handler is module a.b in the task root."""
    import importlib
    name = os.environ["_HANDLER"]
    module_name, _, function_name = name.rpartition(".")
    if not module_name:
        raise ValueError(f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ModuleNotFoundError as failure:
        raise _as("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {failure}", failure)
    except SyntaxError as failure:
        raise _as("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {failure}", failure)
    handler = getattr(module, function_name, None)
    if handler is None:
        raise _as("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'", None)
    return handler


def _as(kind, message, cause):
    failure = type(kind, (Exception,), {})(message)
    failure.__name__ = kind
    if cause is not None and not isinstance(cause, SyntaxError):
        failure.__traceback__ = None
    return failure


def _paths():
    root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
    first = [root, "/opt/python/lib/python3.11/site-packages", "/opt/python"]
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = first + [path for path in sys.path if path not in first and path != here and path != ""]


def _run():
    _paths()
    # Where Lambda's clients look for what traces an invocation.
    connection = _Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    import json
    try:
        handler = _load_handler()
    except BaseException as failure:  # also SystemExit: the function ended its own start
        if isinstance(failure, SystemExit):
            raise
        error = _error(failure, 2 if not type(failure).__name__.startswith("Runtime.") else 99)
        _print_error(error)
        connection.ask("POST", "/init/error", json.dumps(error).encode(),
                       [f"Lambda-Runtime-Function-Error-Type: {error['errorType']}"])
        sys.exit(1)

    while True:
        _, headers, event = connection.ask("GET", "/invocation/next")
        request_id = headers["lambda-runtime-aws-request-id"]
        if "lambda-runtime-trace-id" in headers:
            os.environ["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        try:
            result = handler(json.loads(event), LambdaContext(headers))
        except Exception as failure:
            error = _error(failure, 1)
            error["requestId"] = request_id
            _print_error(error, request_id)
            connection.ask("POST", f"/invocation/{request_id}/error", json.dumps(error).encode(),
                           [f"Lambda-Runtime-Function-Error-Type: {error['errorType']}"])
            continue
        try:
            answer = json.dumps(result, ensure_ascii=False).encode()
        except (TypeError, ValueError) as failure:
            error = {"errorMessage": f"Unable to marshal response: {failure}", "errorType": "Runtime.MarshalError",
                     "requestId": request_id, "stackTrace": []}
            _print_error(error, request_id)
            connection.ask("POST", f"/invocation/{request_id}/error", json.dumps(error).encode(),
                           [f"Lambda-Runtime-Function-Error-Type: {error['errorType']}"])
            continue
        sys.stdout.flush()
        sys.stderr.flush()
        connection.ask("POST", f"/invocation/{request_id}/response", answer)


if __name__ == "__main__":
    _run()
