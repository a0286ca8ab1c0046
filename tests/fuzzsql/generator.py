"""Random queries with types: each is made from its own seed, so it can be made again alone."""
import values
from forms import Forms, Scope
from hints import HINTS
from signatures import unify
from tree import Items, Node
from values import DAY_TIME, NUMBERS, WHOLE, YEAR_MONTH, element, fields, key_value, orderable

INFIX = set("+ - * / div % & | ^ << >> >>> = == <> != < <= > >= <=> ||".split())
COMPARISONS = ["=", "<>", "<", "<=", ">", ">=", "<=>"]
# CASTs that are worth a try, by source; others are refused, which is tested now and then.
CASTS = {
    "number": NUMBERS + ("string", "boolean", "decimal(18,6)", "decimal(5,2)", "timestamp"),
    "string": values.SIMPLE,
    "time": ("date", "timestamp", "timestamp_ntz", "string"),
}


class Generator(Forms):
    def __init__(self, functions, tables, random):
        self.functions, self.tables, self.random = functions, tables, random
        self.values = values.Values(random)
        self.scalars = [f for f in functions if not f.aggregate]
        self.aggregates = [f for f in functions if f.aggregate]
        self.names = 0

    # ---- expressions ----

    def chance(self, share):
        return self.random.random() < share

    def name(self, stem):
        self.names += 1
        return f"{stem}{self.names}"

    def leaf(self, type, scope):
        names = scope.of(type)
        if names and self.chance(0.75):
            return Node([self.random.choice(names)], type=type)
        return self.values.literal(type)

    def expr(self, type, scope, depth):
        if depth <= 0 or self.chance(0.1):
            return self.leaf(type, scope)
        kind = self.random.random()
        if kind < 0.12:
            return self.cast(type, scope, depth)
        if kind < 0.22:
            return self.conditional(type, scope, depth)
        if kind < 0.30:
            made = self.part(type, scope, depth)
            if made is not None:
                return made
        if type == "boolean" and kind < 0.75:
            return self.condition(scope, depth)
        return self.call(type, scope, depth) or self.leaf(type, scope)

    def argument(self, type, scope, depth):
        """Mostly of that type; else of one that has to be cast, or cannot be."""
        if self.chance(0.025):
            other = self.values.type(values.SIMPLE)
            return self.expr(other, scope, depth - 1)
        return self.expr(type, scope, depth - 1)

    def cast(self, type, scope, depth):
        sources = [source for source in values.SIMPLE if type in self.casts_from(source)]
        source = self.random.choice(sources) if sources and self.chance(0.93) else self.values.type()
        word = self.random.choice(["CAST", "CAST", "TRY_CAST"])
        inner = self.expr(source, scope, depth - 1)
        if self.chance(0.1):
            return Node([inner, f" :: {type}"], type=type) if inner.children() == [] else Node(["(", inner, f") :: {type}"], type=type)
        return Node([f"{word}(", inner, f" AS {type})"], type=type)

    @staticmethod
    def casts_from(source):
        if source in NUMBERS or source.startswith("decimal"):
            return CASTS["number"]
        if source in ("date", "timestamp", "timestamp_ntz"):
            return CASTS["time"]
        return CASTS.get(source, ("string",))

    def conditional(self, type, scope, depth):
        kind = self.random.randrange(4)
        one, two = self.argument(type, scope, depth), self.argument(type, scope, depth)
        if kind == 0:
            parts = ["CASE WHEN ", self.condition(scope, depth - 1), " THEN ", one]
            if self.chance(0.3):
                parts += [" WHEN ", self.condition(scope, depth - 1), " THEN ", self.expr(type, scope, depth - 1)]
            parts += [Node([" ELSE ", two], drop=True), " END"]
            return Node(parts, type=type)
        if kind == 1:
            return Node(["if(", self.condition(scope, depth - 1), ", ", one, ", ", two, ")"], type=type)
        if kind == 2:
            key = self.random.choice(("int", "string"))
            return Node(["CASE ", self.leaf(key, scope), " WHEN ", self.values.literal(key), " THEN ", one, " ELSE ", two, " END"], type=type)
        return Node([self.random.choice(["coalesce(", "nvl("]), one, ", ", two, ")"], type=type)

    def part(self, type, scope, depth):
        """An element, a field, a value; or a nested value made of parts; or a function of functions."""
        kind = self.random.randrange(6)
        if type.startswith(("array", "map", "struct")) and self.chance(0.2):
            return self.from_text(type, scope)
        if type.startswith("array") and kind < 3:
            of = element(type)
            parts = [self.argument(of, scope, depth) for _ in range(self.random.randint(1, 3))]
            return Node(["array(", Items(parts), ")"], type=type)
        if type.startswith("array") and kind < 5:
            return self.lambda_call(type, scope, depth)
        if type.startswith("map") and kind < 4:
            return self.map_call(type, scope, depth)
        if type.startswith("struct"):
            parts = [part for name, of in fields(type) for part in (", ", f"'{name}', ", self.argument(of, scope, depth))]
            return Node(["named_struct(", *parts[1:], ")"], type=type)
        if type == "boolean" and kind < 3:
            of = self.values.type(values.SIMPLE)
            word = self.random.choice(["exists", "forall"])
            x = self.name("x")
            body = self.condition(scope.plus([(x, of)] * 3), depth - 1)
            return Node([f"{word}(", self.expr(f"array<{of}>", scope, depth - 1), f", {x} -> ", body, ")"], type=type)
        if kind == 0:
            index = self.random.choice(["0", "1", "5", "-1"])
            return Node([self.expr(f"array<{type}>", scope, depth - 1), f"[{index}]"], type=type) if not self.chance(0.5) else \
                Node(["get(", self.expr(f"array<{type}>", scope, depth - 1), f", {index})"], type=type)
        if kind == 1 and type in ("int", "string"):
            holder = {"int": "map<string,int>", "string": "map<int,string>"}[type]
            key = self.argument(key_value(holder)[0], scope, depth)
            return Node(["(", self.expr(holder, scope, depth - 1), ")[", key, "]"], type=type)
        if kind == 2 and type in ("int", "string"):
            return Node(["(", self.expr("struct<a:int,b:string>", scope, depth - 1), ")." + {"int": "a", "string": "b"}[type]], type=type)
        if kind == 3 and type in values.SIMPLE:
            of = self.values.type(values.SIMPLE)
            x, acc = self.name("x"), self.name("acc")
            body = self.expr(type, scope.plus([(x, of), (acc, type)] * 3), depth - 1)
            return Node(["aggregate(", self.expr(f"array<{of}>", scope, depth - 1), ", ", self.expr(type, scope, depth - 2),
                         f", ({acc}, {x}) -> CAST(", body, f" AS {type}))"], type=type)
        return None

    def lambda_call(self, type, scope, depth):
        of, x = element(type), self.name("x")
        kind = self.random.randrange(4)
        if kind == 0:
            body = self.condition(scope.plus([(x, of)] * 3), depth - 1)
            return Node(["filter(", self.expr(type, scope, depth - 1), f", {x} -> ", body, ")"], type=type)
        if kind == 1:
            source, i = self.values.type(values.SIMPLE), self.name("i")
            body = self.expr(of, scope.plus([(x, source), (i, "int")] * 3), depth - 1)
            heads = f"({x}, {i})" if self.chance(0.5) else x
            if heads == x:
                body = self.expr(of, scope.plus([(x, source)] * 3), depth - 1)
            return Node(["transform(", self.expr(f"array<{source}>", scope, depth - 1), f", {heads} -> ", body, ")"], type=type)
        if kind == 2:
            a, b, y = self.values.type(values.SIMPLE), self.values.type(values.SIMPLE), self.name("y")
            body = self.expr(of, scope.plus([(x, a), (y, b)] * 2), depth - 1)
            return Node(["zip_with(", self.expr(f"array<{a}>", scope, depth - 1), ", ", self.expr(f"array<{b}>", scope, depth - 1),
                         f", ({x}, {y}) -> ", body, ")"], type=type)
        return Node(["array_sort(", self.expr(type, scope, depth - 1), ")"], type=type)

    def map_call(self, type, scope, depth):
        key, value = key_value(type)
        k, v = self.name("k"), self.name("v")
        inner = scope.plus([(k, key), (v, value)] * 2)
        kind = self.random.randrange(3)
        if kind == 0:
            return Node(["map_filter(", self.expr(type, scope, depth - 1), f", ({k}, {v}) -> ", self.condition(inner, depth - 1), ")"], type=type)
        if kind == 1:
            return Node(["transform_values(", self.expr(type, scope, depth - 1), f", ({k}, {v}) -> ",
                         self.expr(value, inner, depth - 1), ")"], type=type)
        return Node(["map(", self.values.literal(key, 0), ", ", self.argument(value, scope, depth), ")"], type=type)

    def condition(self, scope, depth):
        kind = self.random.randrange(9) if depth > 0 else self.random.randrange(2)
        down = depth - 1
        if kind == 0:
            return Node([self.expr(self.values.type(), scope, down), self.random.choice([" IS NULL", " IS NOT NULL"])], type="boolean") \
                if depth > 0 else self.leaf("boolean", scope)
        if kind == 1 or kind == 2 or kind == 3:
            type = self.values.type([t for t in values.TYPES if orderable(t)])
            if scope.columns and self.chance(0.6):
                type = self.random.choice([has for _, has in scope.columns if orderable(has)] or [type])
            return Node(["(", self.expr(type, scope, down), f" {self.random.choice(COMPARISONS)} ", self.argument(type, scope, depth), ")"],
                        type="boolean")
        if kind == 4:
            return Node(["(", self.condition(scope, down), self.random.choice([" AND ", " OR "]), self.condition(scope, down), ")"], type="boolean")
        if kind == 5:
            return Node(["(NOT ", self.condition(scope, down), ")"], type="boolean")
        type = self.values.type(values.SIMPLE)
        if kind == 6:
            items = Items([self.argument(type, scope, down) for _ in range(self.random.randint(1, 3))])
            return Node(["(", self.expr(type, scope, down), self.random.choice([" IN (", " NOT IN ("]), items, "))"], type="boolean")
        if kind == 7:
            return Node(["(", self.expr(type, scope, down), self.random.choice([" BETWEEN ", " NOT BETWEEN "]), self.expr(type, scope, down),
                         " AND ", self.argument(type, scope, down), ")"], type="boolean")
        return Node(["(", self.expr(type, scope, down), self.random.choice([" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "]),
                     self.expr(type, scope, down), ")"], type="boolean")

    def call(self, type, scope, depth):
        fitting = []
        for function in self.scalars:
            bound = {}
            if unify(function.result, type, bound):
                fitting.append((function, bound))
        loose = [f for f in self.scalars if f.result in ("any", "D")]
        if loose and (not fitting or self.chance(0.08)):
            made = self.call_of(self.random.choice(loose), {}, scope, depth)
            return Node(["CAST(", made, f" AS {type})"], type=type)
        if not fitting:
            return None
        # A function of many overloads is not more likely than one of a single: by name first.
        names = sorted({function.name for function, _ in fitting})
        name = self.random.choice(names)
        function, bound = self.random.choice([pair for pair in fitting if pair[0].name == name])
        made = self.call_of(function, bound, scope, depth)
        made.type = type
        return made

    def count_of(self, function):
        count = self.random.randint(function.least, len(function.args))
        if function.repeats and self.chance(0.4):
            count += self.random.randint(1, 2)
        return count

    def call_of(self, function, bound, scope, depth):
        hints, args = HINTS.get(function.name, {}), []
        for i in range(self.count_of(function)):
            pattern = function.args[min(i, len(function.args) - 1)]
            if i in hints and hints[i]:
                args.append(Node([self.random.choice(hints[i])]))
            else:
                args.append(self.argument(self.type_for(pattern, bound), scope, depth))
        name = function.name
        if name in INFIX and len(args) == 2:
            return Node(["(", args[0], f" {name} ", args[1], ")"])
        if name in ("-", "+", "~") and len(args) == 1:
            return Node([f"({name} ", args[0], ")"])
        if name == "extract":
            return Node(["extract(", args[0], " FROM ", args[1], ")"])
        if name == "position" and len(args) == 2 and self.chance(0.5):
            return Node(["position(", args[0], " IN ", args[1], ")"])
        return Node([f"{name}(", *[part for arg in args for part in (", ", arg)][1:], ")"])

    def type_for(self, pattern, bound):
        simple = values.SIMPLE
        if pattern in bound:
            return bound[pattern]
        if len(pattern) == 1:
            if pattern == "D":
                return self.random.choice(values.DECIMALS)
            pool = {"N": NUMBERS, "I": WHOLE, "Y": (DAY_TIME, YEAR_MONTH), "K": ("int", "string")}.get(pattern, simple)
            bound[pattern] = self.values.type(pool)
            return bound[pattern]
        if pattern == "any":
            return self.values.type()
        if pattern == "text":
            return self.random.choice(("string", "string", "binary"))
        if pattern in ("struct", "array", "map"):
            return self.values.type([type for type in values.NESTED if type.startswith(pattern)])
        for outer in ("array<", "map<"):
            if pattern.startswith(outer):
                inner = pattern[len(outer):-1]
                parts = key_value(pattern) if outer == "map<" else [inner]
                return outer + ",".join(self.type_for(part, bound) for part in parts) + ">"
        return pattern

    # ---- aggregates and windows ----

    def aggregate(self, scope, depth, sorts=True):
        """sorts: may be a list in order, which is no aggregate by itself"""
        fitting = self.aggregates
        name = self.random.choice(sorted({f.name for f in fitting}))
        function = self.random.choice([f for f in fitting if f.name == name])
        made = self.call_of(function, {}, scope, depth)
        if name == "count" and self.chance(0.4):
            made = Node(["count(*)"])
        elif name in ("count", "sum", "avg", "min", "max") and self.chance(0.2):
            made.parts.insert(1, "DISTINCT ")
        if self.chance(0.15):
            made = Node([made, Node([" FILTER (WHERE ", self.condition(scope, 1), ")"], drop=True)])
        if sorts and self.chance(0.12):
            of = self.values.type([t for t in values.SIMPLE])
            made = Node([f"sort_array(collect_{self.random.choice(['set', 'list'])}(", self.expr(of, scope, 1), "))"])
        return made

    def window(self, scope, order):
        kind = self.random.randrange(3)
        down = self.random.choice(["", " DESC", " NULLS LAST", " DESC NULLS FIRST"])
        partition = Node(["PARTITION BY ", self.leaf(self.values.type(values.SIMPLE), scope)], drop=True) if self.chance(0.6) else Node([])
        first = Node([self.expr(self.values.type(values.SIMPLE), scope, 0), down, ", "], drop=True) if self.chance(0.5) else Node([])
        by = Node([" ORDER BY ", first, order])
        if kind == 0:
            head = self.random.choice(["row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "ntile(3)"])
            return Node([head, " OVER (", partition, by, ")"])
        if kind == 1:
            of = self.expr(self.values.type(), scope, 1)
            head = self.random.choice(["lag(", "lead("])
            offset = self.random.choice(["", ", 1", ", 2", ", 0"])
            if self.chance(0.3):
                return Node([self.random.choice(["first_value(", "last_value("]), of, ") OVER (", partition, by, self.frame(), ")"])
            return Node([head, of, offset, ") OVER (", partition, by, ")"])
        return Node([self.aggregate(scope, 1, sorts=False), " OVER (", partition, by, self.frame(), ")"])

    def frame(self):
        if self.chance(0.4):
            return Node([])
        start = self.random.choice(["UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW"])
        end = self.random.choice(["CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING"])
        return Node([f" ROWS BETWEEN {start} AND {end}"], drop=True)

    # ---- queries ----

    def from_table(self):
        table = self.random.choice(self.tables)
        alias = self.name("q")
        columns = [(f"{alias}.{name}" if self.chance(0.3) else f"{alias}.{name}", type) for name, type in table.columns]
        return Node([f"{table.name} AS {alias}"]), Scope(columns), f"{alias}.id"

    def from_clause(self):
        """(Node, scope, unique order key)"""
        kind = self.random.random()
        node, scope, key = self.from_table()
        if kind < 0.55:
            return node, scope, key
        if kind < 0.65:
            return self.from_subquery()
        if kind < 0.78:
            return self.lateral_view(node, scope, key)
        right, more, more_key = self.from_table()
        word = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"])
        both = scope.plus(more.columns)
        if word == "CROSS JOIN":
            return Node([node, f" {word} ", right]), both, f"{key}, {more_key}"
        on = Node([f"({key} = {more_key})"], type="boolean")
        type = self.random.choice([has for _, has in scope.columns if orderable(has)])
        if self.chance(0.5):
            on = Node(["(", self.leaf(type, scope), " = ", self.expr(type, more, 1), ")"], type="boolean")
        if self.chance(0.4):
            on = Node(["(", on, " AND ", self.condition(both, 1), ")"], type="boolean")
        joined = Node([node, f" {word} ", right, " ON ", on])
        return (joined, scope, key) if "SEMI" in word or "ANTI" in word else (joined, both, f"{key}, {more_key}")

    def lateral_view(self, node, scope, key):
        view, c1, c2 = self.name("v"), self.name("e"), self.name("f")
        outer = self.random.choice(["", "OUTER "])
        if self.chance(0.6):
            of = self.values.type(values.SIMPLE)
            made = Node([node, f" LATERAL VIEW {outer}posexplode(", self.expr(f"array<{of}>", scope, 2), f") {view} AS {c1}, {c2}"])
            return made, scope.plus([(c1, "int"), (c2, of)]), f"{key}, {c1}"
        made = Node([node, f" LATERAL VIEW {outer}explode(", self.expr("map<int,string>", scope, 2), f") {view} AS {c1}, {c2}"])
        return made, scope.plus([(c1, "int"), (c2, "string")]), f"{key}, {c1}"

    def from_subquery(self):
        node, scope, key = self.from_table()
        alias = self.name("s")
        types = [self.values.type() for _ in range(self.random.randint(1, 3))]
        names = [self.name("c") for _ in types]
        items = [Node([self.expr(type, scope, 2), f" AS {name}"]) for name, type in zip(names, types)]
        where = Node([" WHERE ", self.condition(scope, 1)], drop=True) if self.chance(0.3) else Node([])
        made = Node(["(SELECT ", key, " AS id, ", *[p for item in items for p in (", ", item)][1:], " FROM ", node, where, f") AS {alias}"])
        return made, Scope([(f"{alias}.id", "int")] + [(f"{alias}.{n}", t) for n, t in zip(names, types)]), f"{alias}.id"

    def where(self, scope):
        if self.chance(0.55):
            return Node([])
        if self.chance(0.25):
            return Node([" WHERE ", self.subquery_condition(scope)], drop=True)
        return Node([" WHERE ", self.condition(scope, 2)], drop=True)

    def subquery_condition(self, scope):
        node, inner, _ = self.from_table()
        type = self.random.choice([has for _, has in scope.columns if orderable(has)])
        mine = self.random.choice(scope.of(type))
        kind = self.random.randrange(4)
        if kind == 0:
            return Node([f"{mine} ", self.random.choice(["IN", "NOT IN"]), " (SELECT ", self.expr(type, inner, 1), " FROM ", node, ")"], type="boolean")
        if kind == 1:
            return Node([self.random.choice(["EXISTS", "NOT EXISTS"]), " (SELECT 1 FROM ", node, f" WHERE {mine} = ", self.expr(type, inner, 0), ")"],
                        type="boolean")
        of = self.random.choice(("int", "string", "date", "double", "bigint"))
        function = self.random.choice(["max", "min", "count"])
        equal = Node([f" WHERE {mine} = ", self.expr(type, inner, 0)], drop=True) if kind == 2 else Node([])
        return Node([self.expr("bigint" if function == "count" else of, scope, 1), self.random.choice([" = ", " < ", " >= ", " <> "]), f"(SELECT {function}(",
                     self.expr(of, inner, 0), ") FROM ", node, equal, ")"], type="boolean")

    def item(self, node):
        """Mostly with a name; without one Spark makes it from the expression's text."""
        return Node([node, f" AS {self.name('c')}"]) if self.chance(0.97) else Node([node])

    def any_expr(self, scope, depth):
        if self.chance(0.06):
            return self.special(scope, depth)
        if self.chance(0.25):
            loose = self.random.choice([f for f in self.scalars if f.result in ("any", "D")] or self.scalars)
            return self.call_of(loose, {}, scope, depth)
        return self.expr(self.values.type(), scope, depth)

    def plain(self):
        node, scope, key = self.from_clause()
        depth = self.random.choice([1, 2, 2, 3])
        items = Items([self.item(self.any_expr(scope, depth)) for _ in range(self.random.choice([1, 1, 2]))])
        distinct = Node(["DISTINCT "], drop=True) if self.chance(0.06) else Node([])
        order, limit = Node([]), Node([])
        if not distinct.parts and self.chance(0.3):
            order = Node([f" ORDER BY {self.order_item(scope)}{key}"], drop=True)
            if self.chance(0.5):
                limit = Node([self.random.choice([" LIMIT 3", " LIMIT 2 OFFSET 1", " OFFSET 2", " LIMIT 0"])], drop=True)
                order.drop = False
        return Node(["SELECT ", distinct, items, " FROM ", node, self.where(scope), order, limit])

    def order_item(self, scope):
        names = [name for name, type in scope.columns if orderable(type)]
        if not names or self.chance(0.3):
            return ""
        return self.random.choice(names) + self.random.choice(["", " DESC", " ASC NULLS LAST", " DESC NULLS FIRST"]) + ", "

    def grouped(self):
        node, scope, _ = self.from_clause()
        keys = [self.expr(self.values.type([t for t in values.TYPES if orderable(t)]), scope, self.random.choice([0, 0, 1, 2]))
                for _ in range(self.random.choice([0, 1, 1, 2]))]
        texts = [str(key) for key in keys]
        having = Node([])
        aggregates = [self.item(self.aggregate(scope, 1)) for _ in range(self.random.choice([1, 1, 2, 3]))]
        if self.chance(0.2):
            having = Node([" HAVING count(*) ", self.random.choice(["> 1", "= 1", "<> 2"])], drop=True)
        if not keys or not all(any(name in text for name, _ in scope.columns) for text in texts):
            return Node(["SELECT ", Items(aggregates), " FROM ", node, self.where(scope), having])
        named = [Node([f"{text} AS {self.name('g')}"]) for text in texts]
        form = self.random.choice(["{}", "{}", "{}", "ROLLUP({})", "CUBE({})", "GROUPING SETS (({}), ())"])
        by = form.format(", ".join(texts))
        return Node(["SELECT ", Items(named + aggregates), " FROM ", node, self.where(scope), f" GROUP BY {by}", having])

    def windowed(self):
        node, scope, key = self.from_clause()
        order = ", ".join(key.split(", "))
        items = Items([self.item(self.window(scope, order)) for _ in range(self.random.choice([1, 2]))])
        return Node(["SELECT ", items, " FROM ", node, self.where(scope)])

    def set_operation(self):
        types = [self.values.type([t for t in values.TYPES if orderable(t)]) for _ in range(self.random.choice([1, 2]))]
        sides = []
        for _ in range(2):
            node, scope, _ = self.from_table()
            items = Items([Node([self.argument(type, scope, 2), f" AS c{i}"]) for i, type in enumerate(types)], least=len(types))
            sides.append(Node(["SELECT ", items, " FROM ", node, self.where(scope)]))
        word = self.random.choice(["UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
        return Node([sides[0], f" {word} ", sides[1]])

    def cte(self):
        name, c = self.name("w"), self.name("c")
        node, scope, _ = self.from_clause()
        type = self.values.type([t for t in values.TYPES if orderable(t)])
        inner = Node(["SELECT ", self.expr(type, scope, 2), f" AS {c} FROM ", node, self.where(scope)])
        outer = Scope([(f"{name}.{c}", type)])
        if self.chance(0.4):
            return Node([f"WITH {name} AS (", inner, f") SELECT a.{c}, count(*) AS n FROM {name} a JOIN {name} b ON a.{c} <=> b.{c} GROUP BY a.{c}"])
        return Node([f"WITH {name} AS (", inner, ") SELECT ", self.item(self.any_expr(outer, 2)), f" FROM {name}", self.where(outer)])

    def constants(self):
        items = Items([self.item(self.any_expr(Scope(), self.random.choice([1, 2, 3])))])
        return Node(["SELECT ", items])

    def query(self):
        makers = ((30, self.plain), (16, self.constants), (13, self.grouped), (9, self.windowed), (6, self.set_operation), (5, self.cte),
                  (3, self.pivot), (1, self.unpivot), (4, self.lateral), (3, self.generator), (3, self.subqueries), (2, self.using),
                  (2, self.piped), (2, self.range_window), (2, self.set_chain), (2, self.by_position))
        return self.random.choices([make for _, make in makers], [share for share, _ in makers])[0]()
