"""Differences that are meant, each with its reason."""


def reason(difference):
    """Why it is meant; None for one that nobody has explained."""
    for test, words in KNOWN:
        if test(difference):
            return words
    return None


KNOWN = [
    (lambda d: d.kind == "java", "Spark fails with a Java exception that has no condition"),
]
