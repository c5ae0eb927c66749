"""Which saved patterns are worth a place in a brief: the categories, how often each is reused, and the ranking."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Category = Literal["architectural", "task_structure", "code_template", "specification"]
Reuse = Literal["always", "often", "conditional", "rarely"]

CATEGORIES: tuple[Category, ...] = get_args(Category)
REUSE: Mapping[str, Reuse] = {
    "architectural": "always",
    "task_structure": "often",
    "code_template": "conditional",
    "specification": "rarely",
}
TTL_SECONDS = 3_600
LIMIT = 3

# A specification is rarely of use a second time: only where most of what is asked for stands in it.
_STRONG_SHARE, _STRONG_WORDS = 0.5, 3
_FAVOUR: Mapping[Reuse, float] = {"always": 0.3, "often": 0.2, "conditional": 0.1, "rarely": 0.0}
_HOME: Mapping[str, str] = {
    "design": "architectural",
    "spec": "specification",
    "task": "task_structure",
    "execute": "code_template",
}
_HOME_FAVOUR = 0.1
_SHORTEST = 3
_COMMON = frozenset(
    (
        *("and", "are", "but", "for", "from", "has", "have", "into", "its", "not", "that", "the", "their", "then"),
        *("this", "was", "what", "when", "which", "with", "you", "your"),
    )
)


@dataclass(frozen=True)
class Pattern:
    """A reusable result. `successes` counts the tasks that were completed with it, among its `uses`."""

    pattern_id: str
    category: Category
    name: str
    text: str
    use_when: str
    uses: int
    successes: int
    age_seconds: float
    ttl_seconds: float


def saving_problem(category: str, use_when: str) -> str:
    """Return why a pattern of a category cannot be saved so, or an empty text.

    >>> saving_problem("code_template", " ")
    'a code template is reused under conditions only, so use_when has to state them'
    """
    if category not in REUSE:
        return f"{category!r} is no category; allowed: {', '.join(CATEGORIES)}"
    if REUSE[category] == "conditional" and not use_when.strip():
        return "a code template is reused under conditions only, so use_when has to state them"
    return ""


def rank(patterns: Iterable[Pattern], text: str, phase: str, limit: int = LIMIT) -> list[Pattern]:
    """Return the patterns that fit what `text` asks for in a phase, the best first, at most `limit`.

    What has expired never fits. An architectural pattern always does, a task structure where it shares a word, a code
    template where its condition does, a specification where it shares most words. Among those that fit the order goes
    by the share of words, how well the category is reused, whether it belongs to the phase, and how often it helped.
    """
    asked = words(text)
    scored = [(_score(one, asked, phase), one) for one in patterns if _fits(one, asked)]
    scored.sort(key=lambda pair: (-pair[0], pair[1].age_seconds, pair[1].pattern_id))
    return [one for _, one in scored[: max(limit, 0)]]


def words(text: str) -> frozenset[str]:
    """Return the words of a text that tell it from another.

    >>> sorted(words("Write the token_store, and test Tokens!"))
    ['store', 'test', 'token', 'write']
    """
    found = re.findall(r"[^\W_]+", text.casefold())
    return frozenset(_stem(word) for word in found if len(word) >= _SHORTEST and word not in _COMMON)


def _stem(word: str) -> str:
    """Return a word without the s of its plural."""
    return word[:-1] if len(word) > _SHORTEST and word.endswith("s") and not word.endswith("ss") else word


def _fits(pattern: Pattern, asked: frozenset[str]) -> bool:
    if pattern.age_seconds >= pattern.ttl_seconds:
        return False
    shared = asked & _all_words(pattern)
    match REUSE[pattern.category]:
        case "always":
            return True
        case "often":
            return bool(shared)
        case "conditional":
            return bool(asked & words(pattern.use_when))
        case "rarely":
            return len(shared) >= _STRONG_WORDS and len(shared) >= _STRONG_SHARE * len(asked)


def _score(pattern: Pattern, asked: frozenset[str], phase: str) -> float:
    share = len(asked & _all_words(pattern)) / len(asked) if asked else 0.0
    helped = (pattern.successes + 1) / (pattern.uses + 2)  # one that was never used stands in the middle
    home = _HOME_FAVOUR if _HOME.get(phase) == pattern.category else 0.0
    return share + _FAVOUR[REUSE[pattern.category]] + home + helped / 2


def _all_words(pattern: Pattern) -> frozenset[str]:
    return words(f"{pattern.name} {pattern.text} {pattern.use_when}")
