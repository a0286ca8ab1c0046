"""S3 servers of a test's own: moto, and versitygw, whose objects are plain files below a folder (tools/setup s3)."""

import atexit
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MOTO = ROOT / "build/venv-s3/bin/moto_server"
VERSITYGW = ROOT / "build/versitygw/versitygw"
KEY, SECRET = "leat-test-key", "leat-test-secret-canary"
START_SECONDS = 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def credentials():
    """For leat, away from anything that this machine may be logged in to."""
    return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": None, "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_EC2_METADATA_DISABLED": "true"}


class Server:
    """A server at work, with one bucket."""

    name = ""

    def __init__(self, folder, bucket):
        self.folder, self.bucket, self.port = Path(folder), bucket, free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(self.folder / f"{self.name}.log", "ab")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env={**os.environ, **self.environment()})
        atexit.register(self.stop)  # also when the test breaks off
        self.wait()

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def wait(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(self.url, timeout=1).close()
                return
            except urllib.error.HTTPError:  # it answers
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{self.name} does not start: see {self.log.name}\n0 passed, 1 failed")
                time.sleep(0.05)

    def stop(self):
        """Once or more."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def settings(self):
        """What leat reads."""
        return {**credentials(), "AWS_ENDPOINT_URL": self.url}


class Moto(Server):
    """In memory; it takes any key."""

    name = "moto"

    @staticmethod
    def there():
        return MOTO.exists()

    def command(self):
        return [MOTO, "-H", "127.0.0.1", "-p", str(self.port)]

    def wait(self):
        super().wait()
        request = urllib.request.Request(f"{self.url}/{self.bucket}", method="PUT")
        urllib.request.urlopen(request, timeout=10).close()


def has_attributes(folder):
    """Files there can have attributes of the user's."""
    path = folder / f".attribute-{os.getpid()}"
    path.touch()
    try:
        os.setxattr(path, "user.test", b"1")
        return True
    except OSError:
        return False
    finally:
        path.unlink()


class Versitygw(Server):
    """Its buckets are the folders below `root`, its objects their files. What it knows of them are their attributes; or it lies
    beside, then a file that was removed behind its back is still there for it."""

    name = "versitygw"

    def __init__(self, folder, bucket, root=None):
        self.root = Path(root or Path(folder) / "objects")
        (self.root / bucket).mkdir(parents=True, exist_ok=True)
        super().__init__(folder, bucket)

    @staticmethod
    def there():
        return VERSITYGW.exists()

    def command(self):
        words = [VERSITYGW, "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", "--bucketlinks"]
        if not has_attributes(self.root):
            beside = self.folder / "sidecar"
            beside.mkdir(exist_ok=True)
            words += ["--sidecar", beside]
        return [*words, self.root]

    def environment(self):
        return {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}


def servers():
    """Those that tools/setup s3 has brought here."""
    return [kind for kind in (Moto, Versitygw) if kind.there()]
