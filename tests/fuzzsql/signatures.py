"""The functions that leat has, from the page that `leat docs functions` prints: names, and what they take and give.

The words of a signature are explained in src/expr/signature.h: types, `any`, capital letters for types that are the same at all
their places, `?`, `!` and `...` at the end. Names with a colon are leat's own.
"""
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from values import DAY_TIME, PARTIAL, YEAR_MONTH

WORDS = {"interval_dt": DAY_TIME, "interval_ym": YEAR_MONTH, "interval_day": "interval day", "time": "time(6)"}


@dataclass(frozen=True)
class Function:
    name: str
    args: tuple      # patterns, without the marks
    least: int       # arguments
    repeats: bool    # the last one may come again
    result: str
    aggregate: bool


def split_top(text, separator):
    """At separators that stand in no bracket."""
    found, depth, start, i = [], 0, 0, 0
    while i < len(text):
        if text.startswith("->", i):
            i += 2
            continue
        depth += (text[i] in "(<") - (text[i] in ")>")
        if depth == 0 and text.startswith(separator, i):
            found.append(text[start:i])
            start = i = i + len(separator)
            continue
        i += 1
    return found + [text[start:]]


def compact(pattern):
    pattern = re.sub(r"\s*([<>,])\s*", r"\1", pattern.strip())
    return re.sub(r"[a-z_]+", lambda word: WORDS.get(word[0], word[0]), pattern)


def overloads(names, signature, aggregate):
    for one in split_top(signature, " | "):
        match = re.fullmatch(r"\((.*)\) -> (.+)", one.strip())
        if match is None:
            continue
        words = [word.strip() for word in split_top(match[1], ",")] if match[1].strip() else []
        if any("->" in word for word in words):
            continue  # functions of functions: generator.py has their forms
        repeats = bool(words) and words[-1].endswith("...")
        least = sum(not word.endswith("?") for word in words)
        args = tuple(compact(word.removesuffix("...").removesuffix("?").rstrip("!")) for word in words)
        for name in names:
            yield Function(name, args, least, repeats, compact(match[2]), aggregate)


def read(leat, page_file, overrides, left_out):
    """page_file: the page as it was, or None to ask leat."""
    page = Path(page_file).read_text() if page_file else \
        subprocess.run([leat, "docs", "functions"], check=True, capture_output=True, text=True).stdout
    found, aggregate = [], False
    for line in page.splitlines():
        if line.startswith("## "):
            aggregate = "ggregate" in line
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) < 4 or not cells[1].startswith("`"):
            continue
        names = [name for name in re.findall(r"`([^`]+)`", cells[1].replace("\\|", "|")) if name not in left_out and ":" not in name]
        signature = re.findall(r"`([^`]+)`", cells[2].replace("\\|", "|"))
        named = [name for name in names if name in overrides]
        for name in named:
            if not any(function.name == name for function in found):
                found += overloads([name], overrides[name], aggregate)
        if signature:
            found += overloads([name for name in names if name not in named], signature[0], aggregate)
    return found


def unify(pattern, type, bound):
    """Whether the pattern can be that type; `bound` gets the types of the letters."""
    if len(pattern) == 1:
        if not fits_letter(pattern, type) or bound.setdefault(pattern, type) != type:
            return False
        return True
    if pattern == type:
        return True
    if pattern == "text":
        return type in ("string", "binary")
    for outer in ("array<", "map<"):
        if pattern.startswith(outer) and type.startswith(outer):
            ours = split_top(pattern[len(outer):-1], ",")
            theirs = split_top(type[len(outer):-1], ",")
            return len(ours) == len(theirs) and all(unify(a, b, bound) for a, b in zip(ours, theirs))
    return False


def fits_letter(letter, type):
    if letter == "N":
        return type in ("tinyint", "smallint", "int", "bigint", "float", "double")
    if letter == "I":
        return type in ("tinyint", "smallint", "int", "bigint")
    if letter == "O":
        return "map" not in type and "variant" not in type
    if letter == "Y":
        return type in (DAY_TIME, YEAR_MONTH) + PARTIAL
    return letter != "D"
