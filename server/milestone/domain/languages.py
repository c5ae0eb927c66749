"""Which transformer carries out a task: PHP has its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

Transformer = Literal["php-transformer", "code-transformer"]

PHP_SUFFIXES = frozenset((".php", ".phtml", ".inc", ".phpt", ".php3", ".php4", ".php5", ".php7", ".php8"))
# Files of any project, whatever its language: they do not decide.
_NEUTRAL = frozenset(
    (".md", ".rst", ".txt", ".json", ".yaml", ".yml", ".xml", ".toml", ".ini", ".cfg", ".lock", ".csv", ".svg", ".png")
)


def transformer_for(paths: Sequence[str], languages: Sequence[str]) -> Transformer:
    """Return who transforms these paths: the majority of their suffixes decides, else the first language found.

    >>> transformer_for(["src/login.php", "src/view.phtml", "app.js"], ["JavaScript"])
    'php-transformer'
    >>> transformer_for(["src/"], ["Python 3.11", "PHP"])
    'code-transformer'
    """
    suffixes = [suffix for path in paths if (suffix := PurePosixPath(path).suffix.lower()) and suffix not in _NEUTRAL]
    php = sum(suffix in PHP_SUFFIXES for suffix in suffixes)
    other = len(suffixes) - php
    if php != other:
        return "php-transformer" if php > other else "code-transformer"
    first = languages[0] if languages else ""
    return "php-transformer" if re.match(r"\s*php(?![a-z])", first, re.IGNORECASE) else "code-transformer"
