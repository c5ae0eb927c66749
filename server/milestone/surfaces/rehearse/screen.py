"""What a person sees of a rehearsal: plain lines of at most 80 columns, coloured on a terminal only."""

from __future__ import annotations

import textwrap
import time

import click

from milestone.surfaces.rehearse.listing import shown

WIDTH = 80
_LABEL = 13
_COLOURS = {
    **dict.fromkeys(("saved", "committed", "mended"), "cyan"),
    **dict.fromkeys(("finished", "done", "passed", "approved", "completed"), "green"),
    **dict.fromkeys(("started", "starts"), "yellow"),
    **dict.fromkeys(("failed", "refused", "objected to"), "red"),
}


class Screen:
    """Prints line by line, aside (to stderr) if it is to; `say` with the seconds since it was made."""

    def __init__(self, *, aside: bool = False) -> None:
        self._start = time.monotonic()
        self._aside = aside

    @property
    def seconds(self) -> float:
        """Seconds since the rehearsal began."""
        return time.monotonic() - self._start

    def title(self, text: str) -> None:
        """Print an important sentence."""
        click.secho(_wrapped(text, "", ""), bold=True, err=self._aside)

    def text(self, text: str = "") -> None:
        """Print a sentence, or an empty line."""
        click.echo(_wrapped(text, "", ""), err=self._aside)

    def fact(self, label: str, value: str) -> None:
        """Print what something is; a value that is one long word is never broken."""
        first = f"  {label:<{_LABEL}}"
        click.echo(_wrapped(value, first, " " * len(first)), err=self._aside)

    def say(self, who: str, verb: str, what: str = "", *details: str) -> None:
        """Print what somebody does now, and below it what else is to be said."""
        first = f"{self.seconds:6.1f}s  {who:<{_LABEL}}"
        line = _wrapped(f"{verb} {what}".strip(), first, " " * len(first))
        head, _, tail = line.partition(verb)
        click.echo(f"{head}{click.style(verb, fg=_COLOURS.get(verb))}{tail}", err=self._aside)
        for detail in filter(None, details):
            click.secho(_wrapped(detail, " " * len(first), " " * len(first)), dim=True, err=self._aside)


def _wrapped(text: str, first: str, rest: str) -> str:
    lines = textwrap.wrap(
        shown(text, 1000),
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines) or first.rstrip()
