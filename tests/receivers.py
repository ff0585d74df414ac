"""Receivers of notifications, for tests: webhooks that verify SNS's signatures, Slack's and PagerDuty's ends, and a
mail server with STARTTLS and AUTH. Each is a context manager with a thread of its own and keeps what came.
"""

import base64
import contextlib
import email
import email.policy
import http.server
import json
import ssl
import threading
import time
import urllib.request

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


def verify(message, authority_pem):
    """Raises unless the message bears a signature of a certificate that the authority issued."""
    with urllib.request.urlopen(message["SigningCertURL"], timeout=5) as answer:
        certificate = x509.load_pem_x509_certificate(answer.read())
    authority = x509.load_pem_x509_certificate(authority_pem)
    from cryptography.hazmat.primitives.asymmetric import ec
    authority.public_key().verify(certificate.signature, certificate.tbs_certificate_bytes,
                                  ec.ECDSA(certificate.signature_hash_algorithm))
    text = "".join(f"{name}\n{message[name]}\n" for name in SIGNED[message["Type"]] if name in message)
    digest = hashes.SHA256() if message["SignatureVersion"] == "2" else hashes.SHA1()
    certificate.public_key().verify(base64.b64decode(message["Signature"]), text.encode(), padding.PKCS1v15(), digest)


def wait_for(condition, seconds=10, what="it"):
    """Polls until the condition gives something true, and gives that."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.02)


class Webhook:
    """Answers `statuses` in turn, then 200. `.got` has what came: path, headers, body."""

    def __init__(self, statuses=(), tls=None, delay=0, headers=()):
        self.got = []
        self.statuses = list(statuses)
        self.delay = delay
        self.answer_headers = dict(headers)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                time.sleep(receiver.delay)
                receiver.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in receiver.answer_headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a peer that is killed, or does not trust us, is what tests do
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def messages(self, kind=None):
        """The bodies as JSON, of one type of SNS's or all."""
        bodies = [json.loads(body) for _, _, body in list(self.got)]
        return [body for body in bodies if kind is None or body.get("Type") == kind]


class Mailbox:
    """An SMTP server. `.got` has (sender, receivers, parsed mail). With `tls` it offers STARTTLS and asks for it."""

    def __init__(self, tls=None, user=None, password=None, refuse=()):
        self.got = []
        self.refuse = list(refuse)  # replies to RCPT TO, in turn
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)

        def check(_server, _session, _envelope, _mechanism, data):
            good = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
            return AuthResult(success=good)

        self.controller = Controller(
            self, hostname="127.0.0.1", port=0, tls_context=context, require_starttls=bool(tls),
            authenticator=check if user else None, auth_required=bool(user), auth_require_tls=bool(tls))

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if self.refuse:
            return self.refuse.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        self.got.append((envelope.mail_from, list(envelope.rcpt_tos),
                         email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 taken"

    # aiosmtpd's Controller asks its own port whether it is up, which port 0 does not allow for: it is started by hand.
    def __enter__(self):
        import socket
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.controller.port = self.port
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.controller.stop()
