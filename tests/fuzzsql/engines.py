"""The two engines: a statement in, an Answer out."""
import dataclasses
import hashlib
import json
import logging
import os
import select
import sqlite3
import subprocess
from dataclasses import dataclass, field

SECONDS_MAX = 30
DYING_SECONDS = 1  # a JVM that crashes writes a report first
VIEW = "CREATE OR REPLACE TEMPORARY VIEW"
DIED = "JAVA died"
MARK = "\x01|\x1e"  # between the rows that Spark's side hands over in one text

# What makes many small queries quick; none changes a result. ConvertToLocalRelation would compute over VALUES before it looks
# which columns and rows are needed, unlike over any other table.
SPARK_SETTINGS = {
    "spark.master": "local[1]", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1", "spark.default.parallelism": "1",
    "spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN", "spark.sql.adaptive.enabled": "false",
    "spark.sql.timeType.enabled": "true", "spark.sql.datetime.java8API.enabled": "true", "spark.ui.showConsoleProgress": "false", "spark.driver.host": "127.0.0.1",
    "spark.sql.optimizer.excludedRules": "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss16m", "spark.sql.warehouse.dir": "/tmp/fuzzsql-warehouse",
}
FIRST_RULES = "SET spark.sql.optimizer.excludedRules=" + SPARK_SETTINGS["spark.sql.optimizer.excludedRules"]


@dataclass
class Answer:
    error: str = None      # the condition
    schema: str = ""
    rows: list = field(default_factory=list)
    message: str = ""

    def __str__(self):
        if self.error:
            return f"[{self.error}] {self.message.splitlines()[0][:150] if self.message else ''}"
        return f"{self.schema}  {self.rows[:12]}"


class Leat:
    """`leat sql --jsonl`, started again when it dies; each setup statement is then told again."""

    def __init__(self, binary):
        self.binary, self.told, self.process = binary, {}, None

    def start(self):
        self.process = subprocess.Popen([self.binary, "sql", "--jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for statement in self.told.values():
            self._ask(statement)

    def tell(self, key, statement):
        """A setting or a view: stays, and is told again to a process that follows one that died."""
        self.told[key] = statement
        return self.ask(statement)

    def ask(self, statement):
        if self.process is None:
            self.start()
        return self._ask(statement)

    def _ask(self, statement):
        self.process.stdin.write(json.dumps({"id": 1, "sql": statement}).encode() + b"\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS_MAX)
        line = self.process.stdout.readline() if ready else b""
        if line:
            found = json.loads(line)
            return Answer(found["error"], found["schema"], found["rows"], found.get("message") or "")
        if not ready:
            self.process.kill()
        code = self.process.wait()
        told = self.process.stderr.read().decode(errors="replace")[-3000:]
        self.process = None
        return Answer("TIMEOUT" if not ready else f"CRASH {code}", message=told)

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


class Remembered:
    """An engine whose answers are kept in a file: what was asked once, with the same settings and tables, is not asked again. The
    engine is made when the first question needs it. Several processes may share the file."""

    def __init__(self, make, path):
        self.make, self.engine, self.told, self.heard = make, None, {}, {}
        self.store = sqlite3.connect(path, timeout=60)
        self.store.execute("PRAGMA journal_mode=WAL")
        self.store.execute("CREATE TABLE IF NOT EXISTS answers (question TEXT PRIMARY KEY, answer TEXT)")

    def tell(self, key, statement):
        """Told to the engine only when something is asked that needs it."""
        self.told[key] = statement
        return Answer()

    def questions(self, statement):
        """The keys of the answer: an experiment tells the rules anew, and then they are as they were before it."""
        plain = {key: told for key, told in self.told.items() if told != FIRST_RULES}
        for told in (plain, {"rules": FIRST_RULES, **plain}):
            yield hashlib.sha256("\n".join([*sorted(told.values()), statement]).encode(errors="surrogatepass")).hexdigest()

    def ask(self, statement):
        question, other = self.questions(statement)
        row = self.store.execute("SELECT answer FROM answers WHERE question IN (?, ?)", (question, other)).fetchone()
        if row is not None:
            return Answer(**json.loads(row[0]))
        if self.engine is None:
            self.engine = self.make()
        for key, told in self.told.items():
            if self.heard.get(key) != told:
                self.engine.tell(key, told)
                self.heard[key] = told
        answer = self.engine.ask(statement)
        if answer.error == DIED:  # the next question goes to a new one
            self.engine, self.heard = None, {}
        answer.message = answer.message[:1000]
        self.store.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (question, json.dumps(dataclasses.asdict(answer))))
        self.store.commit()
        return answer

    def close(self):
        self.store.close()
        if self.engine is not None:
            self.engine.close()


class Spark:
    """A session in this process; rows as Spark's own tests print them (HiveResult)."""

    def __init__(self):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        from pyspark.sql import SparkSession
        logging.getLogger("SQLQueryContextLogger").disabled = True  # PySpark would print every error that is asked for
        builder = SparkSession.builder
        for key, value in SPARK_SETTINGS.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")
        self.jvm = self.session._jvm
        self.result = self.jvm.org.apache.spark.sql.execution.HiveResult

    def tell(self, name, statement):
        """A view becomes rows in memory: Spark would read the text of its VALUES again for every query."""
        if not statement.startswith(VIEW):
            return self.ask(statement)
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        try:
            session = self.session._jsparkSession
            frame = session.sql(statement[statement.index("SELECT"):])
            session.createDataFrame(frame.collectAsList(), frame.schema()).createOrReplaceTempView(name)
            return Answer()
        except (PySparkException, Py4JError):
            return self.ask(statement)

    def ask(self, statement):
        from py4j.protocol import Py4JError, Py4JJavaError
        from pyspark.errors import PySparkException
        try:
            frame = self.session._jsparkSession.sql(statement)
            plan = frame.queryExecution().executedPlan()
            rows = self.result.hiveResultString(plan)
            count = rows.size()
            text = rows.mkString(MARK)
            return Answer(None, frame.schema().catalogString(), text.split(MARK) if count else [])
        except PySparkException as error:
            return Answer(self.condition(error), message=str(error))
        except (Py4JError, OSError) as error:  # OSError: nobody listens
            if not isinstance(error, Py4JJavaError) and self.died():
                self.forget()
                return Answer(DIED, message=str(error))
            return Answer("JAVA " + str(error)[:200])

    def died(self):
        try:
            self.session.sparkContext._gateway.proc.wait(DYING_SECONDS)
            return True
        except subprocess.TimeoutExpired:
            return False

    @staticmethod
    def forget():
        """So that PySpark starts another JVM."""
        from pyspark import SparkContext
        from pyspark.sql import SparkSession
        SparkContext._active_spark_context = SparkContext._gateway = SparkContext._jvm = None
        SparkSession._instantiatedSession = SparkSession._activeSession = None

    @staticmethod
    def condition(error):
        found = error.getCondition()
        cause = getattr(error, "_origin", None)
        while found is None and cause is not None:
            cause = cause.getCause()
            try:
                found = cause.getCondition() if cause is not None else None
            except Exception:
                found = None
        return found or "JAVA " + str(error).splitlines()[0][:150]

    def close(self):
        self.session.stop()
