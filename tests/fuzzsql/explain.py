"""Differences in errors that are explained by an experiment, not by a pattern: the reason is tried before it is believed.

Rules    Spark's optimiser removes what cannot matter (a column that nobody reads, a filter that is never true) and computes what is
         constant, so an error comes or not by its rules. Asked again without them, Spark answers as leat does. A rule that is
         enough to leave out alone is named.
Order    There are two errors in the statement, and each engine names the one that it meets first. Without the one's cause both
         engines name the other, and the other way round.
Rows     Two rows of a table fail differently. With the one alone both engines name the one error, with the other alone the other.
Need     A part of the statement fails in both engines when it is asked for alone, and without it they answer alike: one of them
         computes it although no row needs its value.
"""
import re

from tree import null_of, walk

RULES = """ConstantFolding NullPropagation NullDownPropagation PruneFilters ColumnPruning BooleanSimplification SimplifyConditionals
    ReplaceNullWithFalseInPredicate PropagateEmptyRelation OptimizeIn EliminateOuterJoin PushDownPredicates PushPredicateThroughJoin
    PushDownLeftSemiAntiJoin PushLeftSemiLeftAntiThroughJoin InferFiltersFromConstraints InferFiltersFromGenerate CollapseProject
    FoldablePropagation ConstantPropagation SimplifyCasts SimplifyBinaryComparison LimitPushDown EliminateLimits EliminateSorts
    RemoveRedundantAggregates EliminateAggregateFilter SimplifyExtractValueOps OptimizeCsvJsonExprs ReassignLambdaVariableID
    UnwrapCastInBinaryComparison OptimizeOneRowRelationSubquery RemoveNoopOperators TransposeWindow CombineFilters
    OptimizeWindowFunctions MergeScalarSubqueries DecimalAggregates ConvertToLocalRelation RewriteDistinctAggregates
    GenerateOptimization NestedColumnAliasing EliminateDistinct CombineUnions RemoveRedundantAliases""".split()
LIKELY = ["ConstantFolding", "NullPropagation", "ColumnPruning", "PruneFilters", "PropagateEmptyRelation", "ReplaceNullWithFalseInPredicate",
          "BooleanSimplification", "SimplifyConditionals"]
PACKAGE = "org.apache.spark.sql.catalyst.optimizer."
ALWAYS_OUT = ["ConvertToLocalRelation"]  # engines.SPARK_SETTINGS
TRIES = 1500  # statements that one experiment may cost leat
TRIES_OF_SPARK = 40
PARSE = "PARSE_SYNTAX_ERROR"
COLUMN = re.compile(r"\b[a-z]+\d+\.|\b(acc|[a-z])\d+\b")  # of a table, or a lambda's


class Without:
    """Spark with some of its rules left out."""

    def __init__(self, spark, rules):
        self.spark, self.rules = spark, rules

    def __enter__(self):
        self._tell(sorted(set(self.rules) | set(ALWAYS_OUT)))

    def __exit__(self, *_):
        self._tell(ALWAYS_OUT)

    def _tell(self, rules):
        self.spark.tell("rules", "SET spark.sql.optimizer.excludedRules=" + ",".join(PACKAGE + rule for rule in rules))


def by_rules(spark, statement, alike):
    """alike(answer): it is leat's."""

    def holds(rules):
        with Without(spark, rules):
            return alike(spark.ask(statement))
    if not holds(RULES):
        return None
    for rule in LIKELY:
        if holds([rule]):
            return f"Spark's optimiser: {rule}"
    return "Spark's optimiser: several rules together"


def by_order(root, leat, spark, mine, theirs):
    """root: the statement's tree; mine, theirs: the two conditions. Both engines name either one when the other's cause is gone."""
    return _both_say(root, leat, spark, theirs, mine) and _both_say(root, leat, spark, mine, theirs)


def _both_say(root, leat, spark, condition, other):
    """Whether there is a variant of the statement, a part or two less, for which both engines name that condition."""
    tries = [TRIES, TRIES_OF_SPARK]
    for answer in _variants(root, leat, tries):
        if answer.error == condition and _spends(tries, 1) and spark.ask(str(root)).error == condition:
            return True
    for answer in _variants(root, leat, tries):
        if answer.error in (condition, other, PARSE):
            continue
        for second in _variants(root, leat, tries):  # a third error stood before it
            if second.error == condition and _spends(tries, 1) and spark.ask(str(root)).error == condition:
                return True
    return False


def by_rows_apart(tables, leat, spark, statement, mine, theirs):
    """With a table cut to one of its rows both engines name one condition, with another row the other."""
    engines = (leat, spark)
    for table in tables:
        kept, said = table.rows.parts, set()
        try:
            for row in kept:
                table.rows.parts = [row]
                _tell(engines, table)
                answers = {engine.ask(statement).error for engine in engines}
                said |= answers if len(answers) == 1 else set()
        finally:
            table.rows.parts = kept
            _tell(engines, table)
        if {mine, theirs} <= said:
            return True
    return False


def _tell(engines, table):
    for engine in engines:
        engine.tell(table.name, str(table.statement))


def by_need(root, leat, spark, alike):
    """A part that fails alone, with the same condition in both engines, and without which they answer alike: one needs its value."""
    tries = [TRIES, TRIES_OF_SPARK]
    for answer, part in _variants(root, leat, tries, parts=True):
        if part.drop or COLUMN.search(part_text(part)) or not _spends(tries, 1) or not alike(answer, spark.ask(str(root))):
            continue
        alone = "SELECT " + part_text(part)
        mine = leat.ask(alone).error
        if mine and _spends(tries, 1) and mine == spark.ask(alone).error:
            return True
    return False


def part_text(part):
    return str(part).strip()


def _variants(root, leat, tries, parts=False):
    """leat's answers to the statement with one part NULL or one clause gone; the tree is the variant's until the next is asked for."""
    for node in list(walk(root)):
        for i, child in node.children():
            if not child.drop and (child.type is None or str(child).startswith("CAST(NULL AS")):
                continue
            if not _spends(tries, 0):
                return
            node.parts[i] = type(child)([]) if child.drop else null_of(child.type)
            try:
                answer = leat.ask(str(root))
                yield (answer, child) if parts else answer
            finally:
                node.parts[i] = child


def _spends(tries, of):
    tries[of] -= 1
    return tries[of] >= 0
