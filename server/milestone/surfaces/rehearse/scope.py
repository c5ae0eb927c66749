"""What the scope stand-in delivers: what is there today, as far as names, counts and byte comparison can tell."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from milestone.domain.results import Candidate, Finding, Part, Place, PlanningScope
from milestone.surfaces.rehearse import kinds
from milestone.surfaces.rehearse.listing import Listing, count, shown
from milestone.surfaces.rehearse.manifests import find_manifests
from milestone.surfaces.rehearse.parts import TOP, Piece, pieces
from milestone.surfaces.rehearse.survey import Seen, Survey, survey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milestone.surfaces.rehearse.declared import Manifest

MOST_PARTS = 40
MOST_OF_A_KIND = 10
HEAP = 5
SMALLEST_COPY = 64


def planning_scope(name: str, listing: Listing) -> PlanningScope:
    """Return the scope reading of a repository."""
    seen = survey(listing)
    manifests, _ = find_manifests(listing)
    parts = pieces(seen)
    return PlanningScope(
        summary=_summary(name, seen, parts),
        languages=[
            f"{language}: {count(files, 'file')}, {count(lines, 'line')}" for language, files, lines in seen.languages()
        ],
        parts=[_part(piece) for piece in parts[:MOST_PARTS]],
        patterns=_patterns(seen),
        capabilities=_capabilities(seen, manifests),
        constraints=_constraints(seen, manifests),
        candidates=_candidates(seen, parts),
        unknowns=[
            "What the code means, and whether it is good, was not judged: names, counts and bytes were compared.",
            *(f"Files: {note}." for note in seen.notes),
            *([f"Only the first {MOST_PARTS} of {len(parts)} parts are listed."] if len(parts) > MOST_PARTS else []),
        ],
    )


def _summary(name: str, seen: Survey, parts: list[Piece]) -> str:
    if not seen.files:
        return f"{name} holds no files that could be looked at."
    code = [piece for piece in parts if piece.code]
    tested = sum(piece.proof is not None for piece in code)
    main = next((language for language, _, _ in seen.languages()), "no known language")
    tests = count(sum(file.test for file in seen.files), "test file")
    reached = f"{count(len(code), 'part')} with code, {tested} of them reached by {tests}" if code else "no code"
    return f"{name}: {count(len(seen.files), 'file')} named by {seen.listing.source}, mostly {main}; {reached}."


def _place(seen: Seen, line: int | None = None) -> Place:
    return Place(file=shown(seen.path), line=line or (1 if seen.lines else None))


def _part(piece: Piece) -> Part:
    files = (*piece.code, *(file for file in piece.files if not file.code))
    return Part(name=shown(piece.name, 120), purpose=piece.purpose, places=[_place(file) for file in files[:3]])


def _patterns(seen: Survey) -> list[Finding]:
    tests = [file for file in seen.files if file.test]
    marked = [file for file in seen.files if file.marks]
    ci = [file for file in seen.files if kinds.is_ci(file.path)]
    folders = sorted({shown(file.path.rpartition("/")[0] or TOP, 60) for file in tests})
    found: list[tuple[str, list[Place]]] = []
    if tests:
        some = ", ".join(folders[:5]) + (", …" if len(folders) > len(folders[:5]) else "")
        found.append((f"{count(len(tests), 'test file')} in {some}", [_place(file) for file in tests[:3]]))
    if ci:
        found.append(
            (f"Continuous integration is configured in {count(len(ci), 'file')}", [_place(file) for file in ci[:3]])
        )
    if marked:
        total = sum(len(file.marks) for file in marked)
        places = [_place(file, file.marks[0]) for file in marked[:5]]
        found.append((f"{count(total, 'mark')} (TODO, FIXME, XXX, HACK) in {count(len(marked), 'file')}", places))
    return [Finding(statement=statement, places=places) for statement, places in found]


def _capabilities(seen: Survey, manifests: Iterable[Manifest]) -> list[Finding]:
    titles = [file for file in seen.files if kinds.is_readme(file.path) and file.title]
    said = [said for manifest in manifests for said in manifest.commands]
    return [
        *(Finding(statement=f"It calls itself: {file.title}", places=[_place(file)]) for file in titles[:1]),
        *(
            Finding(statement=f"It offers the command {each.value}", places=[Place(file=each.manifest, line=each.line)])
            for each in said[:20]
        ),
    ]


def _constraints(seen: Survey, manifests: list[Manifest]) -> list[Finding]:
    licences = [file for file in seen.files if kinds.is_licence(file.path) and file.title]
    said = [each for manifest in manifests for each in (*manifest.runtimes, *manifest.licences)]
    return [
        *(Finding(statement=f"Licence: {file.title}", places=[_place(file)]) for file in licences[:5]),
        *(
            Finding(statement=f"Declared {each.what}: {each.value}", places=[Place(file=each.manifest, line=each.line)])
            for each in said[:30]
        ),
    ]


def _candidates(seen: Survey, parts: list[Piece]) -> list[Candidate]:
    code = [piece for piece in parts if piece.code]
    found = [
        *(_of_part(piece) for piece in code[:MOST_PARTS]),
        *_empty(seen),
        *_copies(seen),
        *_heaps(seen),
        *_missing(seen),
    ]
    whole = Candidate(kind="keep", what="Keep what is there", reason="Nothing that a rule could object to was found.")
    return found or [whole]


def _of_part(piece: Piece) -> Candidate:
    name, largest = shown(piece.name, 120) if piece.name != TOP else "the code at the top", _place(piece.code[0])
    if piece.proof is None:
        reason = f"No test lies in it and no test names it; {count(len(piece.code), 'file')} of code."
        return Candidate(kind="improve", what=f"Give {name} tests", reason=reason, places=[largest])
    file = shown(piece.proof.file)
    reason = f"{file} names it." if piece.proof.line else f"{file} lies in it."
    return Candidate(
        kind="keep", what=f"Keep {name}", reason=reason, places=[largest, Place(file=file, line=piece.proof.line)]
    )


def _empty(seen: Survey) -> list[Candidate]:
    files = [file for file in seen.files if not file.size and not kinds.is_meant_empty(file.path)]
    return [
        Candidate(
            kind="remove",
            what=f"Remove the empty file {shown(file.path, 120)}",
            reason="It holds no byte.",
            places=[_place(file)],
        )
        for file in files[:MOST_OF_A_KIND]
    ] + _more(files, "empty files", "They hold no byte.")


def _more(files: list[Seen], what: str, reason: str) -> list[Candidate]:
    rest = files[MOST_OF_A_KIND:]
    places = [_place(file) for file in rest[:20]]
    return (
        [Candidate(kind="remove", what=f"Remove {len(rest)} more {what}", reason=reason, places=places)] if rest else []
    )


def _copies(seen: Survey) -> list[Candidate]:
    same: dict[str, list[Seen]] = defaultdict(list)
    for file in seen.files:
        if (
            file.digest
            and file.size >= SMALLEST_COPY
            and not (kinds.is_licence(file.path) or kinds.in_fixtures(file.path))
        ):
            same[file.digest].append(file)
    groups = sorted(
        (files for files in same.values() if len(files) > 1), key=lambda files: (-files[0].size, files[0].path)
    )
    found = [
        Candidate(
            kind="remove",
            what=f"Remove what repeats {shown(files[0].path, 120)}",
            reason=f"{len(files)} files are equal byte for byte; keep them only where the copy is meant.",
            places=[_place(file) for file in files[:20]],
        )
        for files in groups[:MOST_OF_A_KIND]
    ]
    return found + _more([files[0] for files in groups], "groups of equal files", "They are equal byte for byte.")


def _heaps(seen: Survey) -> list[Candidate]:
    files = sorted(
        (file for file in seen.files if len(file.marks) >= HEAP), key=lambda file: (-len(file.marks), file.path)
    )
    return [
        Candidate(
            kind="remove",
            what=f"Remove the heap of {len(file.marks)} marks in {shown(file.path, 120)}",
            reason="So many TODO, FIXME, XXX or HACK marks in one file are debt: do them, or drop them.",
            places=[_place(file, line) for line in file.marks[:10]],
        )
        for file in files[:MOST_OF_A_KIND]
    ]


def _missing(seen: Survey) -> list[Candidate]:
    paths = [file.path for file in seen.files]
    code = any(file.code for file in seen.files)
    wanted = [
        (
            any(map(kinds.is_licence, paths)),
            "a licence",
            "No LICENSE or COPYING lies at the top, so nobody may use it.",
        ),
        (any(map(kinds.is_readme, paths)), "a README", "No README lies at the top, so a stranger cannot start."),
        (
            not code or any(file.test for file in seen.files),
            "tests",
            "There is code, and no file is named like a test.",
        ),
        (
            not code or any(map(kinds.is_ci, paths)),
            "continuous integration",
            "There is code, and nothing that checks each change.",
        ),
    ]
    return [
        Candidate(kind="originate", what=f"Write {what}", reason=reason) for there, what, reason in wanted if not there
    ]
