"""A proxy before an S3 server that does to requests what networks and servers do. Everything random comes from a seed.

    busy         500 or 503 before the request is carried out
    lost         carried out; the connection ends without an answer
    cut          carried out; the answer ends in the midst of its body
    slow         carried out; the answer comes in pieces
    conflict     409 to a conditional request, which is not carried out
    lie          412 to a conditional request that was carried out, as a retry inside the network would get it
    late         the answer to a request that was carried out is lost, and the request comes once more, a little later
    hang         carried out; no answer comes for `hang_s`, then the connection ends
    reset        before it is carried out, the connection is reset

A fault is drawn per request with probability `rate`; `counts` says what was done. Three more are for the whole of it:

    delay_s      every answer comes so much later, as from a server far away

    skew_s       its clock goes so many seconds ahead, and requests of another time are refused
    sessions     after so many requests a session's token has expired, and only another one is good
"""

import email.utils
import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONDITIONAL = ("conflict", "lie")
ANY = ("busy", "lost", "cut", "slow", "late")
ROUGH = ANY + CONDITIONAL + ("hang", "reset")
ERROR = "<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>made by the test</Message></Error>"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do(self):
        proxy = self.server.proxy
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if proxy.is_skewed(self.headers.get("x-amz-date")):
            return self.error(403, "RequestTimeTooSkewed")
        if proxy.has_expired(self.headers.get("x-amz-security-token")):
            return self.error(400, "ExpiredToken")
        fault = proxy.draw(self.headers.get("If-None-Match") is not None)
        if fault == "busy":
            return self.error(*proxy.pick(((500, "InternalError"), (503, "SlowDown"), (503, "ServiceUnavailable"))))
        if fault == "conflict":
            return self.error(409, "ConditionalRequestConflict")
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        time.sleep(proxy.delay_s)
        status, headers, body = self.forward()
        with proxy.lock:
            proxy.counts["bytes"] += len(body)
        if fault == "hang":
            time.sleep(proxy.hang_s)
            self.close_connection = True
            return
        if fault == "late":
            threading.Timer(proxy.pick((0.01, 0.1, 0.4)), self.forward).start()
        if fault in ("lost", "late"):
            self.close_connection = True
            return
        if fault == "lie" and status < 300:
            return self.error(412, "PreconditionFailed")
        self.answer(status, headers, body, fault)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do

    def forward(self):
        """Signatures stay valid: the Host header is passed on as it came."""
        host, port = self.server.proxy.target
        connection = http.client.HTTPConnection(host, port, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "content-length"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(self.body)))
            connection.endheaders(self.body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def error(self, status, code):
        body = b"" if self.command == "HEAD" else ERROR.format(code).encode()
        self.answer(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body, None)

    def answer(self, status, headers, body, fault):
        self.send_response_only(status)
        sized = False
        self.send_header("Date", email.utils.formatdate(time.time() + self.server.proxy.skew_s, usegmt=True))
        for name, value in headers:
            if name.lower() in ("connection", "transfer-encoding", "date"):
                continue
            sized |= name.lower() == "content-length"
            self.send_header(name, value)
        if not sized and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "cut" and body:
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
        elif fault == "slow":
            step = max(1, len(body) // 5)
            for at in range(0, len(body), step):
                self.wfile.write(body[at:at + step])
                self.wfile.flush()
                time.sleep(0.02)
        else:
            self.wfile.write(body)


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):  # who was killed hangs up
        pass


class Proxy:
    def __init__(self, target_port, rate=0.0, seed=0, faults=ANY + CONDITIONAL, skew_s=0, sessions=0, delay_s=0.0, hang_s=3.0):
        self.delay_s, self.hang_s = delay_s, hang_s
        self.target, self.rate, self.faults = ("127.0.0.1", target_port), rate, faults
        self.skew_s, self.sessions, self.tokens = skew_s, sessions, Counter()
        self.dice, self.lock, self.counts = random.Random(seed), threading.Lock(), Counter()
        self.server = Listener(("127.0.0.1", 0), Handler)
        self.server.proxy = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def pick(self, choices):
        with self.lock:
            return self.dice.choice(choices)

    def is_skewed(self, stamp):
        if not self.skew_s or stamp is None:
            return False
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        skewed = abs(at - time.time() - self.skew_s) > 300
        self.counts["skewed"] += skewed
        return skewed

    def has_expired(self, token):
        if not self.sessions or token is None:
            return False
        with self.lock:
            self.tokens[token] += 1
            self.counts["expired"] += self.tokens[token] > self.sessions
            return self.tokens[token] > self.sessions

    def draw(self, conditional):
        """A fault or None."""
        with self.lock:
            self.counts["requests"] += 1
            if self.dice.random() >= self.rate:
                return None
            fault = self.dice.choice([f for f in self.faults if conditional or f not in CONDITIONAL])
            self.counts[fault] += 1
            return fault

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
