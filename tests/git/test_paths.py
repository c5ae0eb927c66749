"""Which files a declared path covers."""

from __future__ import annotations

import time

import pytest

from milestone.domain.paths import outside


@pytest.mark.parametrize(
    ("entry", "covered", "left"),
    [
        ("src/a.py", ["src/a.py"], ["src/a.pyc", "src/a", "a.py", "x/src/a.py"]),
        ("src", ["src/a.py", "src/x/y.py", "src"], ["src2/a.py", "srcs", "x/src/a.py"]),
        ("src/", ["src/a.py", "src/x/y.py"], ["src2/a.py"]),
        ("./src", ["src/a.py"], ["a.py"]),
        ("src//x/.", ["src/x/y.py"], ["src/y.py"]),
        ("src/*.py", ["src/a.py", "src/.py"], ["src/x/a.py", "src/a.pyc", "a.py"]),
        ("*", ["a", ".env"], ["a/b"]),
        ("src/*/", ["src/a/b", "src/a/b/c"], ["src/a"]),
        ("src/**", ["src/a", "src/a/b"], ["src", "srcs/a"]),
        ("**", ["a", "a/b/c"], []),
        ("**/*.md", ["a.md", "x/a.md", "x/y/a.md"], ["a.mdx", "x/a.md/b"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["a/z/b", "b/a/z"]),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/y/z/c"], ["a/c", "a/b/x"]),
        ("**/x/", ["x/a", "y/x/a"], ["x", "xx/a"]),
        ("app/[id]/page?.tsx", ["app/[id]/page?.tsx"], ["app/i/page1.tsx"]),
        (".", ["a", "a/b"], []),
        ("./", ["a", "a/b"], []),
        ("", [], ["a"]),
        (" ", [], ["a"]),
        ("/", [], ["a"]),
        ("/src", [], ["src/a", "/src/a"]),
        ("..", [], ["a", "../a"]),
        ("src/../docs", [], ["docs/a", "src/a"]),
        ("src/..", [], ["docs/a", "src/a"]),
        ("**/../x", [], ["x", "a/x"]),
        ("SRC", [], ["src/a"]),
        ("ключ/*.md", ["ключ/я.md"], ["ключ/я.txt"]),
    ],
)
def test_an_entry_covers_files_folders_and_patterns(entry: str, covered: list[str], left: list[str]) -> None:
    """Planted and found: a prefix without the slash; `..` taken away instead of refused; `*` that crosses folders."""
    assert outside([*covered, *left], [entry]) == tuple(left)


def test_what_no_entry_covers_is_named_once_and_in_order() -> None:
    assert outside(["z", "a", "z", "src/x"], ["src", "docs/"]) == ("z", "a")
    assert outside(["a"], []) == ("a",)


def test_a_pattern_made_to_be_slow_is_not() -> None:
    """Planted and found: patterns as regular expressions."""
    begun = time.process_time()
    assert outside(["/".join(["a" * 200] * 40)], ["**/" * 60 + "b", "*a" * 80 + "b", "**/*a*a*a*a*a*a*b/" * 20]) != ()
    assert time.process_time() - begun < 1
