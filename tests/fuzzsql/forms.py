"""Forms of queries and calls beside the plain ones, mixed into generator.Generator: PIVOT, LATERAL, generators, subqueries that are
values, ranges as frames, pipes; texts with schemas; functions whose arguments hang together."""
import values
from hints import CSVS, JSON_OPTIONS, JSONS, texts
from tree import Items, Node
from values import element, fields, key_value, orderable


class Scope:
    """Columns that an expression may read: (text, type)."""

    def __init__(self, columns=()):
        self.columns = list(columns)

    def of(self, type):
        return [name for name, has in self.columns if has == type]

    def plus(self, more):
        return Scope(self.columns + list(more))


def ddl(type):
    """The type as a schema names it."""
    if type.startswith("struct"):
        return "STRUCT<" + ", ".join(f"{name}: {ddl(of)}" for name, of in fields(type)) + ">"
    if type.startswith("array"):
        return f"ARRAY<{ddl(element(type))}>"
    if type.startswith("map"):
        key, value = key_value(type)
        return f"MAP<{ddl(key)}, {ddl(value)}>"
    return type.upper()


class Forms:
    # ---- calls ----

    def from_text(self, type, scope):
        """from_json, or from_csv of a struct with plain fields."""
        if type.startswith("struct") and not any("<" in of for _, of in fields(type)) and self.chance(0.3):
            schema = ", ".join(f"{name} {ddl(of)}" for name, of in fields(type))
            options = self.random.choice(["", "", ", map('sep', ';')", ", map('mode', 'FAILFAST')"])
            return Node(["from_csv(", self.text(CSVS, scope), f", '{schema}'{options})"], type=type)
        options = self.random.choice([""] * 4 + [f", map({option})" for option in JSON_OPTIONS])
        return Node(["from_json(", self.text(JSONS, scope), f", '{ddl(type)}'{options})"], type=type)

    def text(self, words, scope):
        if self.chance(0.25):
            return self.leaf("string", scope)
        return Node([self.random.choice(texts(words))], type="string")

    def special(self, scope, depth):
        """Functions that a signature does not describe well enough; of any type."""
        kind = self.random.randrange(8)
        if kind == 0:
            return Node([f"schema_of_json({self.random.choice(texts(JSONS))})"])
        if kind == 1:
            return Node([f"schema_of_csv({self.random.choice(texts(CSVS))})"])
        if kind == 2:
            type = self.values.type()
            return Node(["typeof(", self.expr(type, scope, depth - 1), ")"])
        if kind == 3:
            return Node(["to_json(", self.expr(self.values.type([t for t in values.NESTED]), scope, depth - 1),
                         self.random.choice([")", ", map('ignoreNullFields', 'false'))", ", map('timestampFormat', 'dd/MM/yyyy HH:mm'))"])])
        if kind == 4:
            return Node(["to_csv(named_struct('a', ", self.expr(self.values.type(values.SIMPLE), scope, depth - 1), ", 'b', ", self.leaf("string", scope), "))"])
        if kind == 5:
            of = self.values.type(values.NESTED)
            return Node(["to_json(to_variant_object(", self.expr(of, scope, depth - 1), "))"])
        if kind == 6:
            path = self.random.choice([":a", ":a.c", ":a.c[0]", "[0]", ":b::string", ":a::int", ":['a']"])
            return Node([f"(parse_json({self.random.choice(texts(JSONS))}){path if path[0] == ':' else ':' + path})::string"])
        return Node(["CAST(", self.expr("variant", scope, depth - 1), f" AS {self.values.type(values.SIMPLE + ('array<int>', 'map<string,int>'))})"])

    # ---- queries ----

    def pivot(self):
        node, scope, key = self.from_table()
        by = self.random.choice([has for _, has in scope.columns if has in ("int", "string", "boolean", "date", "bigint")] or ["int"])
        at = self.leaf(by, scope)
        of = self.values.type(("int", "bigint", "double", "decimal(18,6)", "string", "date"))
        head = self.random.choice(["max", "min", "count"])
        # Each value once: where one comes twice Spark fails at run time.
        values_of = dict.fromkeys(self.values.literal_text(by, 0) for _ in range(self.random.choice([1, 2, 3])))
        keys = ", ".join(f"{value} AS p{i}" for i, value in enumerate(values_of))
        group = self.leaf(self.values.type(("int", "string", "boolean")), scope)
        more = ", count(*) AS n" if self.chance(0.3) else ""
        return Node(["SELECT * FROM (SELECT ", group, " AS g, ", at, " AS k, ", self.expr(of, scope, 1), " AS v FROM ", node, self.where(scope),
                     f") PIVOT ({head}(v) AS m{more} FOR k IN ({keys}))"])

    def unpivot(self):
        node, scope, key = self.from_table()
        of = self.values.type(("int", "string", "double", "date"))
        nulls = self.random.choice(["", "INCLUDE NULLS ", "EXCLUDE NULLS "])
        return Node([f"SELECT * FROM (SELECT {key} AS id, ", self.expr(of, scope, 1), " AS a, ", self.expr(of, scope, 1), " AS b FROM ", node,
                     f") UNPIVOT {nulls}(v FOR k IN (a, b{self.random.choice(['', ' AS x'])}))"])

    def lateral(self):
        node, scope, key = self.from_table()
        alias, c = self.name("l"), self.name("c")
        kind = self.random.randrange(3)
        join = self.random.choice([", ", " CROSS JOIN ", " LEFT JOIN "])
        on = " ON true" if join == " LEFT JOIN " else ""
        if kind == 0:
            type = self.values.type()
            made = Node([node, f"{join}LATERAL (SELECT ", self.expr(type, scope, 2), f" AS {c}) AS {alias}{on}"])
        elif kind == 1:
            other, inner, other_key = self.from_table()
            type = self.values.type(("int", "string", "double", "date", "decimal(18,6)"))
            made = Node([node, f"{join}LATERAL (SELECT {self.random.choice(['max', 'min'])}(", self.expr(type, inner, 1), f") AS {c} FROM ", other,
                         f" WHERE {other_key} = {key}) AS {alias}{on}"])
        else:
            type = self.values.type(values.SIMPLE)
            made = Node([node, f"{join}LATERAL explode(", self.expr(f"array<{type}>", scope, 1), f") AS {alias}({c}){on}"])
        both = scope.plus([(f"{alias}.{c}", type)] * 3)
        return Node(["SELECT ", self.item(self.any_expr(both, 1)), f", {alias}.{c} AS last FROM ", made, self.where(both)])

    def generator(self):
        """A generator in the list of columns, or as a table."""
        of = self.values.type(values.SIMPLE)
        kind = self.random.randrange(5)
        outer = self.random.choice(["", "", "_outer"])
        if kind == 0:
            one, two = self.values.type(values.SIMPLE), self.values.type(values.SIMPLE)
            rows = [Node([self.expr(one, Scope(), 1), ", ", self.expr(two, Scope(), 1)]) for _ in range(2)]
            return Node(["SELECT stack(2, ", rows[0], ", ", rows[1], ")"])
        node, scope, key = self.from_table()
        if kind == 1:
            made = Node([f"explode{outer}(", self.expr(f"array<{of}>", scope, 2), ") AS e"])
        elif kind == 2:
            made = Node([f"posexplode{outer}(", self.expr("map<string,int>", scope, 2), ") AS (p, k, v)"])
        elif kind == 3:
            made = Node([f"inline{outer}(", self.expr("array<struct<a:int,b:string>>", scope, 2), ")"])
        else:
            made = Node(["json_tuple(", self.text(JSONS, scope), ", 'a', 'b') AS (j, k)"])
        return Node([f"SELECT {key} AS id, ", made, " FROM ", node, self.where(scope)])

    def scalar_subquery(self, scope):
        """(SELECT max(x) FROM t WHERE t.id = outer): a value."""
        node, inner, key = self.from_table()
        mine = self.random.choice(scope.of("int") or ["1"])
        type = self.values.type(("int", "string", "double", "date", "bigint", "decimal(18,6)"))
        head = self.random.choice(["max(", "min(", "count("])
        equal = f" WHERE {key} = {mine}" if self.chance(0.7) else ""
        return Node([f"(SELECT {head}", self.expr(type, inner, 1), ") FROM ", node, equal, ")"])

    def subqueries(self):
        node, scope, key = self.from_table()
        return Node(["SELECT ", Items([Node([key]), Node([self.scalar_subquery(scope), f" AS {self.name('c')}"])]), " FROM ", node, self.where(scope)])

    def using(self):
        left, scope, key = self.from_table()
        right, more, _ = self.from_table()
        word = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"])
        both = scope if "SEMI" in word or "ANTI" in word else scope.plus(more.columns)
        return Node(["SELECT id, ", self.item(self.any_expr(both, 1)), " FROM ", left, f" {word} ", right, " USING (id)"])

    def piped(self):
        node, scope, key = self.from_table()
        type = self.values.type([t for t in values.TYPES if orderable(t)])
        c = self.name("c")
        steps = [Node([" |> WHERE ", self.condition(scope, 1)], drop=True), Node([" |> EXTEND ", self.expr(type, scope, 2), f" AS {c}"])]
        last = self.random.choice([f" |> SELECT id, {c}", f" |> AGGREGATE count(*) AS n GROUP BY {c}", f" |> AGGREGATE max({c}) AS m",
                                   f" |> SELECT id, {c} |> ORDER BY id |> LIMIT 2", f" |> SELECT {c}"])
        return Node(["FROM ", node, *steps, last])

    def range_window(self):
        node, scope, key = self.from_table()
        by, frames = self.random.choice([("int", ["1 PRECEDING AND 1 FOLLOWING", "UNBOUNDED PRECEDING AND 2 FOLLOWING", "CURRENT ROW AND CURRENT ROW"]),
                                         ("double", ["1.5D PRECEDING AND CURRENT ROW", "UNBOUNDED PRECEDING AND 10 FOLLOWING"]),
                                         ("date", ["INTERVAL '10' DAY PRECEDING AND CURRENT ROW", "2 PRECEDING AND 2 FOLLOWING"]),
                                         ("timestamp", ["INTERVAL '1' HOUR PRECEDING AND INTERVAL '1' DAY FOLLOWING"]),
                                         ("decimal(10,0)", ["5 PRECEDING AND 5 FOLLOWING"])])
        at = self.leaf(by, scope) if scope.of(by) else Node([key if by == "int" else f"CAST({key} AS {by})" if by == "double" else self.values.literal_text(by)])
        down = self.random.choice(["", " DESC", " NULLS LAST"])
        head = self.random.choice(["count(", "min(", "max("])
        type = self.values.type(("int", "bigint", "string", "date", "decimal(18,6)"))
        partition = Node(["PARTITION BY ", self.leaf(self.values.type(values.SIMPLE), scope)], drop=True) if self.chance(0.4) else Node([])
        return Node([f"SELECT {key} AS id, {head}", self.expr(type, scope, 1), ") OVER (", partition, " ORDER BY ", at,
                     f"{down} RANGE BETWEEN {self.random.choice(frames)}) AS c FROM ", node, self.where(scope)])

    def set_chain(self):
        """Three sides, of types that have to meet."""
        pools = (values.NUMBERS + values.DECIMALS, ("date", "timestamp", "timestamp_ntz"), ("string",), ("int", "string"))
        pool = self.random.choice(pools)
        sides = []
        for _ in range(3):
            node, scope, _ = self.from_table()
            sides.append(Node(["SELECT ", self.expr(self.values.type(pool), scope, 1), " AS c FROM ", node, self.where(scope)]))
        words = [self.random.choice([" UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT "]) for _ in range(2)]
        return Node([sides[0], words[0], sides[1], words[1], sides[2]])

    def by_position(self):
        """GROUP BY and ORDER BY that name columns by number, by alias, or ALL."""
        node, scope, _ = self.from_table()
        type = self.values.type([t for t in values.TYPES if orderable(t)])
        by = self.random.choice(["1", "g", "ALL"])
        return Node(["SELECT ", self.expr(type, scope, 2), " AS g, ", self.aggregate(scope, 1), " AS a FROM ", node, self.where(scope),
                     f" GROUP BY {by}", Node([self.random.choice([" ORDER BY g", " ORDER BY 1 DESC", ""])], drop=True)])
