"""What the shapes of all delivered values are made of: strict models, names, places, findings, documents."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from milestone.domain.text import KEY

Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=KEY, max_length=64)]
Kiro = Literal["keep", "improve", "remove", "originate"]
Level = Literal["low", "medium", "high"]
Phase = Literal["design", "spec", "task", "execute"]


class Shape(BaseModel):
    """A delivered value: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Place(Shape):
    """Where in the project a claim can be checked."""

    file: Text
    line: int | None = Field(default=None, ge=1)


class Finding(Shape):
    """Something that was found, with the places that prove it."""

    statement: Text
    places: list[Place] = Field(default=[])


class Risk(Shape):
    """Something that may go wrong, and what is done about it."""

    risk: Text
    likelihood: Level
    impact: Level
    mitigation: Text


class Document(Shape):
    """A file for people; the server writes it under `.milestones/deliverables/<id>/`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\.md$")]
    title: Text
    content: Text
