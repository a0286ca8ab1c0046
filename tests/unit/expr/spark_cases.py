#!/usr/bin/env python3
"""Asks Spark for the type and the value of every expression in spark_cases.sql and writes spark_cases.txt.

    spark_cases.py              needs PySpark (tools/requirements.txt)

The test has no SQL parser below it, so an expression becomes a tree in prefix form: 1 + abs(-2) is (+ 1 (abs (- 2))).
A line of the output: tree, type, value or !CONDITION, separated by tabs. Session: America/Los_Angeles, ANSI on.
"""
import os
import re
import sys
from pathlib import Path

TOKEN = re.compile(
    r"""\s*(?:(?P<typed>(?:date|DATE|timestamp_ntz|timestamp|TIMESTAMP|X)'(?:[^'])*')|(?P<text>'(?:[^']|'')*')|(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?[dDLfF]?|\.\d+)"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<op><=>|<>|<=|>=|==|\|\||<<|>>|::|[-+*/%=<>(),\[\]&|^~.]))""", re.X)
LEVELS = [["or"], ["and"], ["=", "==", "<>", "<", "<=", ">", ">=", "<=>", "like", "ilike", "rlike", "is", "in", "between"],
          ["|"], ["^"], ["&"], ["<<", ">>"], ["||"], ["+", "-"], ["*", "/", "%", "div"]]


class Parser:
    def __init__(self, text):
        self.tokens, at = [], 0
        while at < len(text.rstrip()):
            m = TOKEN.match(text, at)
            if not m:
                raise SyntaxError(text[at:])
            self.tokens.append((m.lastgroup, m.group(m.lastgroup)))
            at = m.end()
        self.at = 0

    def peek(self):
        return self.tokens[self.at][1].lower() if self.at < len(self.tokens) else None

    def take(self, want=None):
        kind, value = self.tokens[self.at]
        if want is not None and value.lower() != want:
            raise SyntaxError(f"{want} expected, not {value}")
        self.at += 1
        return kind, value

    def level(self, n=0):
        if n == len(LEVELS):
            return self.unary()
        if n == 2 and self.peek() == "not":
            self.take()
            return f"(not {self.level(n)})"
        left = self.level(n + 1)
        while self.peek() in LEVELS[n] or (n == 2 and self.peek() == "not"):
            op = self.take()[1].lower()
            turned = op == "not"  # a NOT LIKE b
            if turned:
                op = self.take()[1].lower()
            if op == "is":
                negated = self.peek() == "not" and bool(self.take())
                self.take("null")
                left = f"({'isnotnull' if negated else 'isnull'} {left})"
            elif op == "in":
                self.take("(")
                left = f"(in {left} {' '.join(self.arguments())})"
            elif op == "between":
                low = self.level(n + 1)
                self.take("and")
                left = f"(between {left} {low} {self.level(n + 1)})"
            else:
                left = f"({op} {left} {self.level(n + 1)})"
            if turned:
                left = f"(not {left})"
        return left

    def unary(self):
        if self.peek() in ("-", "+", "~"):
            op = self.take()[1]
            operand = self.unary()
            if op == "-" and re.fullmatch(r"[\d.]+(?:[eE][+-]?\d+)?[dDLfF]?", operand):
                return "-" + operand
            return f"({op} {operand})"
        value = self.primary()
        while self.peek() in ("[", "."):
            if self.take()[1] == "[":
                value = f"([] {value} {self.level()})"
                self.take("]")
            else:
                value = f"(field {self.take()[1]} {value})"
        return value

    def arguments(self):
        out = []
        while self.peek() != ")":
            out.append(self.level())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return out

    def type_name(self):
        out, depth = "", 0
        while depth > 0 or self.peek() not in (")",):
            word = self.take()[1]
            depth += (word in "(<") - (word in ")>")
            out += word
        return out

    def primary(self):
        kind, value = self.take()
        low = value.lower()
        if kind == "text":
            return value
        if kind == "number":
            return value
        if kind == "typed":
            name, text = value.split("'", 1)
            return value if name == "X" else f"(cast {name} '{text})"
        if value == "(":
            inner = self.level()
            self.take(")")
            return inner
        if low in ("null", "true", "false"):
            return low
        if low == "interval":
            raise SyntaxError("interval")
        if low in ("cast", "try_cast"):
            self.take("(")
            inner = self.level()
            self.take("as")
            target = self.type_name()
            self.take(")")
            return f"({low} {target} {inner})"
        if low == "case":
            out = []
            while self.peek() == "when":
                self.take()
                out.append(self.level())
                self.take("then")
                out.append(self.level())
            if self.peek() == "else":
                self.take()
                out.append(self.level())
            self.take("end")
            return f"(case {' '.join(out)})"
        self.take("(")
        return f"({low} {' '.join(self.arguments())})".replace(" )", ")")


def tree(expression):
    parser = Parser(expression)
    out = parser.level()
    if parser.at != len(parser.tokens):
        raise SyntaxError(expression)
    return out


def ask(spark, expression):
    try:
        frame = spark.sql("SELECT " + expression)
        kind = frame.schema.fields[0].dataType.simpleString()
        value = frame.toDF("c").selectExpr("CAST(c AS STRING)").collect()[0][0]
        return kind, "NULL" if value is None else value
    except Exception as error:
        condition = error.getCondition() if hasattr(error, "getCondition") else None
        return "", "!" + (condition or type(error).__name__)


def main():
    here = Path(__file__).resolve().parent
    from pyspark.sql import SparkSession
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "America/Los_Angeles").config("spark.sql.ansi.enabled", "true")
             .getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    lines = ["# Made by spark_cases.py from spark_cases.sql with Spark " + spark.version]
    for expression in (here / "spark_cases.sql").read_text().splitlines():
        if not expression or expression.startswith("--"):
            continue
        kind, value = ask(spark, expression)
        if any(c in value for c in "\t\n"):
            sys.exit(f"the value of {expression} does not fit on a line")
        lines.append(f"{tree(expression)}\t{kind}\t{value}")
    (here / "spark_cases.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
