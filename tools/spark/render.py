"""A project folder as Spark takes it: what stands in for the few things that are leat's alone.

    ${env:NAME:-default}      in the spec becomes its value
    bridge.py                 as `leat init` writes it: sources and sinks of the spec
    leat.dedup                such a table is no SDP table: neither SQL nor, over a pipeline's views, Python can say
                              dropDuplicates (Spark Connect resolves its columns before the views are known). dedup.json
                              says what tools/spark/pipelines.py runs beside the pipeline, as a plain streaming query
    several flows, one table  Spark's file tables take one flow each (a second one loses its rows or fails with
                              "Race while writing batch"), so every flow gets a table of its own, TABLE__FLOW
"""
import json
import re
import shutil
import subprocess

NAME = r"`?(\w+)`?"
CREATE = re.compile(rf"^\s*CREATE\s+STREAMING\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{NAME}", re.I)
PROPERTIES = re.compile(r"\bTBLPROPERTIES\s*\(((?:[^()']|'[^']*')*)\)", re.I)
PROPERTY = re.compile(r"'?([\w.]+)'?\s*=?\s*'([^']*)'")
VIEW = re.compile(rf"^\s*CREATE\s+TEMPORARY\s+VIEW\s+{NAME}", re.I)
READ = re.compile(rf"\bSTREAM\b[\s(]*{NAME}", re.I)
QUERY = re.compile(r"\bAS\s+(?=SELECT\b|WITH\b|\()", re.I)
FLOW = re.compile(rf"^\s*CREATE\s+FLOW\s+{NAME}\s+(?:COMMENT\s+'[^']*'\s+)?AS\s+INSERT\s+INTO\s+(?:ONCE\s+)?{NAME}", re.I)
STATEMENT = re.compile(r"(?:[^;'`\"-]|'(?:[^'\\]|\\.)*'|`[^`]*`|\"(?:[^\"\\]|\\.)*\"|--[^\n]*|-)+")

def without_comments(text):
    return re.sub(r"^\s*--[^\n]*\n", "", text, flags=re.M)


class Statements:
    """The SQL of a folder: which tables, fed by which flows."""

    def __init__(self, text):
        self.texts = [without_comments(t) for t in STATEMENT.findall(text) if without_comments(t).strip()]
        self.tables, self.flows = [], {}    # names; {flow: table}
        for statement in self.texts:
            if created := CREATE.match(statement):
                self.tables.append(created[1])
                if QUERY.search(statement):
                    self.flows[created[1]] = created[1]
            elif flow := FLOW.match(statement):
                self.flows[flow[1]] = flow[2]

    def of(self, table):
        """The statements that make a table or view."""
        return [text for text in self.texts for found in (CREATE.match(text), FLOW.match(text), VIEW.match(text))
                if found and found.groups()[-1] == table]

    def above(self, name):
        """The tables among a table and all that it reads, directly or through views."""
        found, todo = set(), {name}
        while todo:
            found |= todo
            todo = {read for at in todo for text in self.of(at) for read in READ.findall(text)} - found
        return found & set(self.tables)

    def target(self, flow):
        """The table on Spark that takes the rows of a flow."""
        table = self.flows[flow]
        return table if list(self.flows.values()).count(table) == 1 else f"{table}__{flow}"

    def targets(self, table):
        return [self.target(flow) for flow, into in self.flows.items() if into == table]

    def rendered(self):
        """The statements for Spark, and the tables with leat.dedup."""
        statements, dedup = [], []
        for text in self.texts:
            created, flow = CREATE.match(text), FLOW.match(text)
            properties = dict(PROPERTY.findall(found[1])) if (found := PROPERTIES.search(text)) else {}
            if created and "leat.dedup" in properties:
                dedup.append(dedup_table(created[1], text[QUERY.search(text).end():], properties))
            elif created and created[1] not in self.flows:
                statements += [f"CREATE STREAMING TABLE {target}" for target in self.targets(created[1])]
            elif flow:
                statements.append(text[:flow.start(2)] + self.target(flow[1]) + text[flow.end(2):])
            else:
                statements.append(text)
        return statements, dedup


def dedup_table(name, query, properties):
    columns = [column.strip(" `") for column in properties["leat.dedup"].split(",")]
    within = properties.get("leat.dedup.within_watermark", "false").lower() == "true"
    return {"name": name, "query": query, "columns": None if columns == ["*"] else columns,
            "method": "dropDuplicatesWithinWatermark" if within else "dropDuplicates"}


def sql_of(folder):
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.sql")))


def render(folder, target, environment, database, leat):
    """A copy of the project `folder` in `target`, which must not exist."""
    def value(match):
        name, _, default = match[1].partition(":-")
        return environment.get(name) or default
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.sql", "feed.*", "__pycache__"))
    spec = target / "spark-pipeline.yml"
    spec.write_text(re.sub(r"\$\{env:([^}]*)\}", value, spec.read_text()) + f"\ndatabase: {database}\n")
    statements, dedup = Statements(sql_of(folder)).rendered()
    (target / "transformations").mkdir(exist_ok=True)
    (target / "transformations/tables.sql").write_text("".join(text + ";\n" for text in statements))
    if dedup:
        views = [text for text in statements if VIEW.match(text)]
        (target / "dedup.json").write_text(json.dumps({"views": views, "tables": dedup}))
    template = target.with_name(target.name + "-template")
    subprocess.run([leat, "init", template], check=True, capture_output=True)
    shutil.copy(template / "transformations/bridge.py", target / "transformations")
    shutil.rmtree(template)
