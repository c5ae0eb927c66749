"""What a person does on the page, with a mouse or with keys alone."""

from __future__ import annotations

import re

from playwright.sync_api import Page

REACH = 80  # how many tabs lead anywhere on a page


def confirm(page: Page, **fields: str) -> None:
    """Fill in what is asked for and send it."""
    for name, text in fields.items():
        page.fill(f"#field-{name}", text)
    page.click("form button")
    page.wait_for_load_state()


def tab_to(page: Page, name: str) -> None:
    """Go on with the tab key until what has the focus bears a name.

    Raises:
        AssertionError: no tab leads there.
    """
    seen: list[str] = []
    for _ in range(REACH):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if re.fullmatch(name, seen[-1]):
            return
    raise AssertionError(f"{name!r} is not among {seen}")


def focused(page: Page) -> str:
    """Return the name of what has the focus."""
    return page.evaluate(
        """() => {
          const one = document.activeElement;
          const label = one.labels && one.labels[0];
          const said = one.getAttribute("aria-label") || (label && label.textContent) || one.textContent || "";
          return said.trim().replace(/\\s+/g, " ");
        }"""
    )
