"""Toxiproxy between leat and a Kafka of its own: what is slow, cut, torn into pieces or gone.

The broker has a second listener whose advertised address is the proxy's, so that a client that came through the proxy stays
behind it; tests and the broker itself use the first one.
"""
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
KAFKA = ROOT / "tools/kafka/kafka"
SERVER = ROOT / "build/toxiproxy/server"
START_SECONDS = 10


def ports_free(count):
    listeners = [socket.socket() for _ in range(count)]
    for listener in listeners:
        listener.bind(("127.0.0.1", 0))
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


class Toxiproxy:
    """direct and proxied: bootstrap addresses. Use as `with Toxiproxy(name) as proxy`."""

    def __init__(self, name):
        self.name = name
        self.api, own, front = ports_free(3)
        self.server = subprocess.Popen([SERVER, "-host", "127.0.0.1", "-port", str(self.api)], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.proxied = f"127.0.0.1:{front}"
        try:
            started = subprocess.run([KAFKA, "start", "--name", name, "--proxied", f"{own}:{front}"], check=True,
                                     stdout=subprocess.PIPE, text=True)
            self.direct = started.stdout.strip()
            self.ask_until_there()
            self.ask("POST", "/proxies", {"name": "kafka", "listen": self.proxied, "upstream": f"127.0.0.1:{own}"})
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.api}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def ask_until_there(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.ask("GET", "/proxies")
            except (urllib.error.URLError, json.JSONDecodeError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def toxic(self, kind, stream, **attributes):
        """stream: upstream is what leat sends, downstream what it gets."""
        self.ask("POST", "/proxies/kafka/toxics", {"type": kind, "stream": stream, "attributes": attributes})

    def down(self):
        """Connections are cut, new ones are refused."""
        self.ask("POST", "/proxies/kafka", {"enabled": False})

    def heal(self):
        self.ask("POST", "/reset")

    def stop(self):
        self.server.kill()
        self.server.wait()
        subprocess.run([KAFKA, "stop", "--kill", "--name", self.name], check=False)
        subprocess.run(["rm", "-rf", ROOT / "build/kafka" / self.name], check=False)
