"""Differences in errors that are explained by an experiment, not by a pattern: the reason is tried before it is believed.

Rules    Spark's optimiser removes what cannot matter (a column that nobody reads, a filter that is never true) and computes what is
         constant, so an error comes or not by its rules. Asked again without them, Spark answers as leat does. A rule that is
         enough to leave out alone is named.
Order    There are two errors in the statement, and each engine names the one that it meets first. Without the first one's cause leat
         names Spark's, and without the other's Spark names leat's.
"""
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
TRIES = 25  # statements that finding the other error may cost, each engine


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
    """root: the statement's tree; mine, theirs: the two conditions."""
    return _says(root, leat, theirs) and _says(root, spark, mine)


def _says(root, engine, condition):
    """Whether the engine names that condition when one part of the statement is NULL, or a clause is gone."""
    tries = 0
    for node in list(walk(root)):
        for i, child in node.children():
            if not child.drop and (child.type is None or str(child).startswith("CAST(NULL AS")):
                continue
            node.parts[i] = type(child)([]) if child.drop else null_of(child.type)
            found = engine.ask(str(root)).error == condition
            node.parts[i] = child
            tries += 1
            if found:
                return True
            if tries > TRIES:
                return False
    return False
