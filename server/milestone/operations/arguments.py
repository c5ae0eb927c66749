"""The kinds of arguments operations take."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from milestone.domain.text import AGENT_ID, ID_LIMIT, KEY, MILESTONE_ID, MILESTONE_LIMIT

_MAYBE = "^$|"
LARGEST = 2**53  # what every database and every JSON reader can hold

AgentId = Annotated[str, Field(pattern=AGENT_ID, max_length=ID_LIMIT)]
MaybeAgentId = Annotated[str, Field(pattern=_MAYBE + AGENT_ID, max_length=ID_LIMIT)]
MaybeMilestoneId = Annotated[str, Field(pattern=_MAYBE + MILESTONE_ID, max_length=MILESTONE_LIMIT)]
MaybeSessionId = Annotated[str, Field(pattern=_MAYBE + AGENT_ID, max_length=ID_LIMIT)]
Key = Annotated[str, Field(pattern=KEY, max_length=ID_LIMIT)]
Token = Annotated[str, Field(max_length=128, description="token of your brief")]
RequestId = Annotated[str, Field(max_length=128)]
Line = Annotated[str, Field(max_length=400)]
Text = Annotated[str, Field(max_length=20_000)]
Seconds = Annotated[int, Field(ge=0, le=300)]
Offset = Annotated[int, Field(ge=0, le=LARGEST)]
Version = Annotated[int, Field(ge=0, le=LARGEST)]
Json = Any
