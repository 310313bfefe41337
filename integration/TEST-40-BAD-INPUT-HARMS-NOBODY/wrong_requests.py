"""HTTP requests that are wrong in one way each, and the answer that each must get: status, and words of its text."""

import json
import socket

KIB, MIB = 1024, 1024 * 1024
LARGEST_HEAD, LARGEST_BODY = 64 * KIB, 16 * MIB
SCHEDULER = "/api/v1/scheduler"
JSON, PROTOBUF = "Content-Type: application/json", "Content-Type: application/x-protobuf"


def request(method, target, *headers, body=b""):
    body = body.encode() if isinstance(body, str) else body
    head = [f"{method} {target} HTTP/1.1", "Host: master1", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def call(body, *headers, content=JSON, target=SCHEDULER):
    return request("POST", target, content, *headers, body=body)


def chunked(*chunks):
    head = f"POST {SCHEDULER} HTTP/1.1\r\nHost: m\r\n{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(chunks)


SUBSCRIBE = json.dumps({"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": "root", "name": "x"}}})
REVIVE = json.dumps({"type": "REVIVE", "framework_id": {"value": "nobody"}})
ACCEPT_OF_NOBODY = json.dumps({"type": "ACCEPT", "framework_id": {"value": "nobody"}, "accept": {"offer_ids": []}})
RESERVE_NOTHING = '{"type":"RESERVE_RESOURCES","reserve_resources":{"agent_id":{"value":"x"},"resources":[]}}'
SHORT_UUID = json.dumps({"type": "ACKNOWLEDGE", "framework_id": {"value": "nobody"}, "acknowledge": {
    "agent_id": {"value": "a"}, "task_id": {"value": "t"}, "uuid": "AAAA"}})

# name, bytes to send, status, words of the answer
CASES = [
    # HTTP
    ("a TLS client", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n", 400, "not valid HTTP"),
    ("no HTTP at all", b"hello\r\n\r\n", 400, "not valid HTTP"),
    ("a version of tomorrow", b"GET /health HTTP/7.0\r\n\r\n", 400, "not valid HTTP"),
    ("a path with a broken escape", request("GET", "/%zz"), 400, "escape"),
    ("an unknown path", request("GET", "/etc/passwd"), 404, "nothing is served"),
    ("a path that climbs", request("GET", "/../../etc/passwd"), 404, "nothing is served"),
    ("a head without end", b"GET /health HTTP/1.1\r\nX: " + b"x" * (LARGEST_HEAD + KIB) + b"\r\n\r\n", 431, "head"),
    ("ten thousand header lines", b"GET /health HTTP/1.1\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", 431, "head"),
    ("a length that is no number", b"POST / HTTP/1.1\r\nContent-Length: ten\r\n\r\n", 400, "not valid HTTP"),
    ("a negative length", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "not valid HTTP"),
    ("two lengths", b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, "not valid HTTP"),
    ("a length and chunks", b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "not valid HTTP"),
    ("a body announced as huge", call(b"").replace(b"Content-Length: 0", b"Content-Length: 99999999999"), 413, "larger"),
    ("a huge body", call(b" " * (LARGEST_BODY + 1)), 413, "larger"),
    ("a huge body in chunks", chunked(*[b"100000\r\n" + b" " * MIB + b"\r\n"] * 17), 413, "larger"),
    ("a chunk with a length beyond 64 bits", chunked(b"fffffffffffffffff\r\n"), 400, "not valid HTTP"),
    ("chunks that are none", chunked(b"what?\r\n"), 400, "not valid HTTP"),
    # media types and methods
    ("GET where calls are posted", request("GET", SCHEDULER), 405, "Expecting 'POST'"),
    ("no content type", request("POST", SCHEDULER, body=REVIVE), 400, "'Content-Type' to be present"),
    ("a form", call(REVIVE, content="Content-Type: application/x-www-form-urlencoded"), 415, "application/json"),
    ("RecordIO as content type", call(REVIVE, content="Content-Type: application/recordio"), 415, "application/json"),
    ("an answer nobody can give", call(SUBSCRIBE, "Accept: text/html"), 406, "'Accept'"),
    # RecordIO: calls are not framed
    ("a call in a record", call(f"{len(REVIVE)}\n{REVIVE}"), 400, "Failed to parse body"),
    ("a record with a wrong length", call(f"999999999999\n{REVIVE}"), 400, "Failed to parse body"),
    # JSON
    ("an empty body", call(""), 400, "Failed to parse body"),
    ("JSON that is cut off", call(SUBSCRIBE[:-3]), 400, "Failed to parse body"),
    ("JSON with something behind it", call(REVIVE + "}"), 400, "Failed to parse body"),
    ("a list", call("[]"), 400, "Failed to parse body"),
    ("a hundred thousand brackets", call("[" * 100_000), 400, "Failed to parse body"),
    ("deep nesting in an unknown field", call('{"x":' * 50_000 + "1" + "}" * 50_000), 400, "Failed to parse body"),
    ("bytes that are no UTF-8", call(b'{"type":"\xff\xfe\x00"}'), 400, "Failed to"),
    ("text where an object is due", call('{"type":"REVIVE","framework_id":"x"}'), 400, "framework_id"),
    ("a number beyond its range", call(
        '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"r","name":"n","failover_timeout":1e999}}}'),
     400, "failover_timeout"),
    ("an enum as a number", call('{"type":1}'), 400, "type"),
    ("JSON said to be protobuf", call(REVIVE, content=PROTOBUF), 400, "Failed to parse body"),
    # protobuf
    ("protobuf that is cut off", call(b"\x0a\xff\xff\xff\x7f", content=PROTOBUF), 400, "Failed to parse body"),
    ("protobuf of random bytes", call(bytes(range(255, 0, -1)), content=PROTOBUF), 400, "Failed to parse body"),
    ("an empty protobuf", call(b"", content=PROTOBUF), 400, "'type' to be present"),
    ("protobuf without required fields", call(b"\x10\x01\x1a\x02\x0a\x00", content=PROTOBUF), 400, "framework_info"),
    # calls
    ("a call without type", call("{}"), 400, "'type' to be present"),
    ("a call of a type that nobody knows", call('{"type":"EXPLODE"}'), 400, "'type' to be present"),
    ("SUBSCRIBE without its message", call('{"type":"SUBSCRIBE"}'), 400, "'subscribe' to be present"),
    ("no framework id", call('{"type":"REVIVE"}'), 400, "'framework_id' to be present"),
    ("an unknown framework", call(REVIVE, "Mesos-Stream-Id: x"), 400, "Framework cannot be found"),
    ("an unknown framework's ACCEPT", call(ACCEPT_OF_NOBODY, "Mesos-Stream-Id: x"), 400, "Framework cannot be found"),
    ("a stream id on SUBSCRIBE", call(SUBSCRIBE, "Mesos-Stream-Id: x"), 400, "should not include"),
    ("a uuid of three bytes", call(SHORT_UUID), 400, "16 bytes"),
    ("an operator's call that nobody knows", call('{"type":"EXPLODE"}', target="/api/v1"), 501, "not served"),
    ("a reservation without its message", call('{"type":"RESERVE_RESOURCES"}', target="/api/v1"), 400,
     "'reserve_resources'"),
    ("a reservation of nothing", call(RESERVE_NOTHING, target="/api/v1"), 400, "no resources are named"),
    ("an agent that does not ask to upgrade", request("GET", "/fairlead/agent-link"), 426, "agents connect"),
]


def exchange(address, data, deadline=30):
    """Sends these bytes, gives everything that comes back until the server closes or the answer is complete."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=deadline) as connection:
        try:
            connection.sendall(data)
        except OSError:
            pass  # the server may have refused before it had everything
        answer = b""
        try:
            while not is_complete(answer) and (more := connection.recv(65536)):
                answer += more
        except ConnectionResetError:
            pass
        return answer.decode(errors="replace")


def is_complete(answer):
    head, found, body = answer.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return bool(found) and bool(lengths) and len(body) >= int(lengths[0])


def failures(address):
    """A sentence for each case that was not answered as it must be."""
    for name, data, status, words in CASES:
        answer = exchange(address, data)
        if not answer.startswith(f"HTTP/1.1 {status} ") or words not in answer:
            yield f"{name}: expected {status} with '{words}', got: {answer[:300]!r}"
