"""What the page's routes share: the door, the reader, the keys, the templates, and what was just answered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from milestone.surfaces.door import Door
from milestone.surfaces.web.charting import Pictures
from milestone.surfaces.web.keys import Keys
from milestone.surfaces.web.live import Hub
from milestone.surfaces.web.reading import Reader
from milestone.surfaces.web.showing import environment
from milestone.wiring import Application, random_hex

if TYPE_CHECKING:
    from jinja2 import Environment

_NOTES = 32


@dataclass(frozen=True)
class Note:
    """What is said once on the page that follows a form."""

    words: str
    answer: dict[str, Any]


@dataclass
class Notes:
    """The newest notes, by an id that stands in the address; their words never do."""

    _kept: OrderedDict[str, Note] = field(default_factory=OrderedDict[str, Note])

    def keep(self, note: Note) -> str:
        """Return the id of a note."""
        name = random_hex(8)
        self._kept[name] = note
        while len(self._kept) > _NOTES:
            self._kept.popitem(last=False)
        return name

    def get(self, name: str) -> Note | None:
        """Return a note that is still known."""
        return self._kept.get(name)


class Site:
    """One dashboard in one process; made where its event loop runs."""

    def __init__(self, application: Application, keys: Keys) -> None:
        self.application, self.keys = application, keys
        self.door = Door(application)
        self.reader = Reader(application.settings)
        self.hub = Hub(self.reader.position)
        self.pictures = Pictures()
        self.notes = Notes()

    @cached_property
    def templates(self) -> Environment:
        """The templates; whatever is put into them is escaped."""
        return environment()

    def draw(self, template: str, **facts: Any) -> str:
        """Return a page."""
        return self.templates.get_template(template).render(**facts, mark=self.keys.form)

    async def close(self) -> None:
        """End every stream, write what is stale, give everything back."""
        self.hub.close()
        await self.door.close()
        self.pictures.close()
        await self.reader.close()
