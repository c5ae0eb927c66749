"""The manifests of a repository, found and read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from milestone.surfaces.rehearse.declared import Manifest, Reader, Unreadable
from milestone.surfaces.rehearse.formats import READERS, REQUIREMENTS
from milestone.surfaces.rehearse.kinds import in_fixtures
from milestone.surfaces.rehearse.listing import READ_LIMIT, Entry, Listing, read, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MANIFESTS = 200


def find_manifests(listing: Listing) -> tuple[list[Manifest], list[str]]:
    """Return the manifests of a repository, read, and what was left out."""
    found = [(entry, world, reader) for entry in listing.entries for world, reader in _readers(entry.path)]
    own = [each for each in found if not in_fixtures(each[0].path)]
    left = len(found) - len(own)
    notes = [f"manifests in folders of test material, left out: {left}"] if left else []
    if len(own) > MAX_MANIFESTS:
        notes.append(f"only the first {MAX_MANIFESTS} of {len(own)} manifests were read")
    return [_read(listing, *each) for each in own[:MAX_MANIFESTS]], notes


def _readers(path: str) -> Iterator[tuple[str, Reader]]:
    name = path.rpartition("/")[2]
    if name.endswith((".toml", ".txt", ".cfg", ".json", ".mod", ".xml")) or name == "Gemfile":
        matching = (reader for pattern, reader in READERS.items() if re.fullmatch(pattern, name))
        first = next(matching, READERS[REQUIREMENTS] if re.fullmatch(REQUIREMENTS, path) else None)
        if first:
            yield first


def _read(listing: Listing, entry: Entry, world: str, reader: Reader) -> Manifest:
    content = read(listing.root, entry.path)
    manifest = Manifest(shown(entry.path), world, (content or b"").decode("utf-8-sig", "replace"))
    if content is None:
        manifest.problems.append("it could not be read")
    elif entry.size > READ_LIMIT:
        manifest.problems.append(f"it is larger than {READ_LIMIT // 1024} KiB and was not read")
    else:
        try:
            reader(manifest)
        except Unreadable as reason:
            manifest.problems.append(shown(str(reason), 160))
        except RecursionError:
            manifest.problems.append("it is nested too deeply to be read")
    return manifest
