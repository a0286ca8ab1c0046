"""Differences that are meant, each with its reason."""


def reason(difference):
    """Why it is meant; None for one that nobody has explained."""
    for test, words in KNOWN:
        if test(difference):
            return words
    return None


def no_row(difference):
    return difference.kind == "error" and difference.mine.error is None and not difference.mine.rows


KNOWN = [
    (no_row, "a constant fails that no row needs: Spark computes constants before it looks for rows"),
    (lambda d: "is no regular expression here" in d.mine.message, "leat's linear-time engine refuses what only backtracking or Java has"),
    (lambda d: d.mine.error == "RECORD_TOO_BIG", "leat's ceiling of a value's size; Spark's is the JVM's largest array"),
    (lambda d: d.kind == "java", "Spark fails with a Java exception that has no condition"),
]
