"""Views: what people look at says what the data says, on both engines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from milestone.domain.identity import Caller
from milestone.operations.context import Context
from milestone.operations.views import board, records, time, work
from milestone.surfaces.looking import look
from tests.conftest import ENGINES
from tests.helpers.execution import lean, task
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess, by_hand
