"""What bench/metrics says to the servers it measures: remote write for the peers, signed PutMetricData for SecureBase."""

import datetime
import hashlib
import hmac
import random
import struct

HOSTS = "host-{:06d}"


class Values:
    """Latencies in milliseconds with a long tail, to the microsecond: the same for a series at a time whoever asks, in
    eight bytes, little-endian for protobuf and big-endian for CBOR."""

    def __init__(self, seed=1):
        source = random.Random(seed)
        values = [round(source.lognormvariate(3, 1), 3) for _ in range(1 << 17)]
        self.little = [struct.pack("<d", value) for value in values]
        self.big = [struct.pack(">d", value) for value in values]
        self.mask = len(values) - 1

    def place(self, series, step):
        return (series * 40503 + step) & self.mask


# --- Prometheus' remote write: protobuf, in snappy's frame of literals


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def prometheus_labels(series):
    pairs = [("__name__", "bench_latency"), ("host", HOSTS.format(series)), ("service", "checkout")]
    return b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in pairs)


def write_request(all_series, values, seconds, step):
    """One WriteRequest with all series, as (number, labels), at all of the seconds."""
    stamps = [(second // step, b"\x10" + varint(second * 1000)) for second in seconds]
    body = bytearray()
    for number, of_series in all_series:
        samples = b"".join(b"\x12" + varint(9 + len(stamp)) + b"\x09" + values.little[values.place(number, at)] + stamp
                           for at, stamp in stamps)
        body += field(1, of_series + samples)
    return varint(len(body)) + b"\xfc" + struct.pack("<I", len(body) - 1) + bytes(body)


# --- PutMetricData in CBOR (Smithy RPC v2), as current SDKs send it


def cbor_text(text):
    data = text.encode()
    return (bytes([0x60 + len(data)]) if len(data) < 24 else b"\x78" + bytes([len(data)])) + data


def datum_prefix(series):
    """The members that are the same each time: a map of `name, dimensions, unit, resolution` and two more."""
    dimensions = b"".join(b"\xa2" + cbor_text("Name") + cbor_text(name) + cbor_text("Value") + cbor_text(value)
                          for name, value in (("Host", HOSTS.format(series)), ("Service", "checkout")))
    return (b"\xa5" + cbor_text("MetricName") + cbor_text("Latency") + cbor_text("Dimensions") + b"\x82" + dimensions +
            cbor_text("Unit") + cbor_text("Milliseconds"))


def cbor_time(seconds):
    return cbor_text("Timestamp") + b"\xc1\xfb" + struct.pack(">d", seconds)


def put_request(data):
    """`data`: bytes of up to 1000 datums."""
    head = b"\xa2" + cbor_text("Namespace") + cbor_text("Bench") + cbor_text("MetricData")
    return head + b"\x99" + struct.pack(">H", len(data)) + b"".join(data)


def one_value(prefix, time, value):
    return prefix + time + b"\x65Value\xfb" + value


def value_list(prefix, time, values):
    return prefix + time + b"\x66Values" + bytes([0x80 + len(values)]) + b"".join(b"\xfb" + value for value in values)


# --- AWS Signature Version 4


class Signer:
    def __init__(self, key, secret, host):
        self.key, self.host = key, host
        now = datetime.datetime.now(datetime.timezone.utc)
        self.stamp = now.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.stamp[:8]}/us-east-1/monitoring/aws4_request"
        signing = ("AWS4" + secret).encode()
        for part in self.scope.split("/"):
            signing = hmac.digest(signing, part.encode(), "sha256")
        self.signing = signing

    def headers(self, path, body, more):
        """The fields of a POST, signed: good for five minutes."""
        fields = {"host": self.host, "x-amz-date": self.stamp, **more}
        names = ";".join(sorted(fields))
        canonical = "\n".join(["POST", path, "", *(f"{name}:{fields[name]}" for name in sorted(fields)), "", names,
                               hashlib.sha256(body).hexdigest()])
        to_sign = "\n".join(["AWS4-HMAC-SHA256", self.stamp, self.scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signature = hmac.digest(self.signing, to_sign.encode(), "sha256").hex()
        return {**fields, "authorization": f"AWS4-HMAC-SHA256 Credential={self.key}/{self.scope}, SignedHeaders={names}, "
                                           f"Signature={signature}"}
