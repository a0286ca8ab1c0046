"""One Spark Connect server on this machine and clients that run pipeline folders on it.

A `spark-pipelines run` of its own takes 15 s, most of it the start of a JVM; a folder on a server that is up takes 3.
"""
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / "build/venv-spark"
JARS = ROOT / "build/spark/jars"
START_SECONDS = 90
RUN_SECONDS = 300
STOP_SECONDS = 20

# What Spark itself gives a JVM (JavaModuleOptions).
MODULES = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in (
    "java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util",
    "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs",
    "sun.security.action", "sun.util.calendar")]

SETTINGS = {
    "spark.app.name": "parity",
    "spark.master": "local[2]",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.pipelines.maxFlowRetryAttempts": "0",
    # Compiled code is kept per session and every run is one: for epochs of a few rows, interpreting takes half the time.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # Without Hadoop's native library every file costs processes: chmod, and readlink with the default file manager.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",  # no .crc beside each file
    "spark.sql.streaming.checkpointFileManagerClass":
        "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager",
    "spark.sql.streaming.checkpoint.fileChecksum.enabled": "false",
    # Times as INT64 of the proleptic calendar: what every reader understands, before 1900 too.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}


class SparkError(Exception):
    """A pipeline failed, or Spark is not there."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A context: the server runs inside it. `folder` gets its log and warehouse."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.log = self.folder / "server.log"
        self.port = free_port()
        self.process = None
        self.clients = []
        self.lock = threading.Lock()

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        home = next(VENV.glob("lib/python3*/site-packages/pyspark"))
        settings = {**SETTINGS, "spark.connect.grpc.binding.port": self.port,
                    "spark.sql.warehouse.dir": self.folder / "warehouse", "spark.local.dir": self.folder / "local"}
        command = ["java", "-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                   # Without the second compiler the default is 48 MB; when they are full, method handles cannot be linked.
                   "-XX:ReservedCodeCacheSize=240m", "-Duser.timezone=UTC", *MODULES,
                   "-Djdk.lang.Process.launchMechanism=VFORK",
                   "-Djdk.reflect.useDirectMethodHandle=false", "-Dio.netty.tryReflectionSetAccessible=true",
                   f"-Dlog4j2.configurationFile=file:{ROOT}/tools/spark/log4j2.properties",
                   *(f"-D{key}={value}" for key, value in settings.items()),
                   "-cp", f"{home}/jars/*:{JARS}/*", "org.apache.spark.sql.connect.service.SparkConnectServer"]
        environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            env=environment, start_new_session=True)  # Ctrl-C is for us, we stop it
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise SparkError(f"the Spark server did not start; its log is {self.log}")
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def client(self):
        """For one thread at a time."""
        with self.lock:
            self.clients.append(Client(self.port, self.folder / f"client-{len(self.clients)}.log"))
            return self.clients[-1]

    def progress(self):
        """What the streaming queries reported by now: {query name: [one dict a batch]}."""
        found, block = {}, None
        for line in self.log.read_text(errors="replace").splitlines():
            if "Streaming query made progress: {" in line:
                block = ["{"]
            elif block is not None:
                block.append(line)
                if line == "}":
                    report = json.loads("\n".join(block))
                    found.setdefault(report["name"], []).append(report)
                    block = None
        return found


class Client:
    """A process that runs one folder at a time."""

    def __init__(self, port, log):
        self.log = log
        with open(log, "wb") as stderr:
            self.process = subprocess.Popen([VENV / "bin/python", ROOT / "tools/spark/pipelines.py"],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True,
                                            bufsize=1, start_new_session=True,
                                            env={**os.environ, "SPARK_REMOTE": f"sc://127.0.0.1:{port}"})

    def run(self, project, database, location):
        """Until everything in the sources is worked off. SparkError when the pipeline failed."""
        begin = self.log.stat().st_size
        timer = threading.Timer(RUN_SECONDS, self.process.kill)
        timer.start()
        try:
            print(json.dumps({"project": str(project), "database": database, "location": str(location)}),
                  file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            timer.cancel()
        said = self.log.read_bytes()[begin:].decode(errors="replace")
        if not answer:
            raise SparkError(f"the client died or took more than {RUN_SECONDS} s\n{said[-2000:]}")
        if error := json.loads(answer)["error"]:
            raise SparkError(f"{error[:2000]}\n{said[-2000:]}")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
