"""What the dependencies stand-in delivers: declared dependencies, read and compared with each other."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

from milestone.domain.results import Candidate, Dependency, Level, Place, PlanningDependencies, Trouble
from milestone.surfaces.rehearse import ranges
from milestone.surfaces.rehearse.declared import WORLDS, Declared, Manifest, Said
from milestone.surfaces.rehearse.listing import Listing, count
from milestone.surfaces.rehearse.manifests import find_manifests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


MOST_DEPENDENCIES = 400
MOST_TROUBLES = 40
NAMED = 5
NEVER = (
    "No vulnerability database was asked: whether a dependency is vulnerable is not known.",
    "No package registry was asked: whether a dependency is outdated, unmaintained or exists at all is not known.",
    "Lock files were not read, so what is really installed is not known.",
    "The licences of the dependencies were not looked up.",
)
_NOT_READ = re.compile(
    r"(setup\.py|Pipfile|environment\.ya?ml|build\.gradle(\.kts)?|build\.sbt|mix\.exs|Package\.swift|pubspec\.yaml"
    r"|.*\.(csproj|fsproj|vbproj|gemspec|cabal|podspec)|deps\.edn|project\.clj|rebar\.config|vcpkg\.json|conanfile\.\w+)"
)
_COMPARED_RUNTIMES = {"Python": "pypi", "Node.js": "npm", "PHP": "composer"}


def planning_dependencies(listing: Listing) -> PlanningDependencies:
    """Return what the manifests of a repository declare, and where they contradict each other."""
    manifests, notes = find_manifests(listing)
    declared = [each for manifest in manifests for each in manifest.dependencies]
    troubles = _conflicts(manifests)
    unread = sorted(
        {e.path.rpartition("/")[2] for e in listing.entries if _NOT_READ.fullmatch(e.path.rpartition("/")[2])}
    )
    problems = [f"{manifest.path}: {problem}" for manifest in manifests for problem in manifest.problems[:5]]
    return PlanningDependencies(
        summary=_summary(manifests, declared, [trouble for trouble, _ in troubles]),
        manifests=[manifest.path for manifest in manifests],
        dependencies=[_dependency(each) for each in declared[:MOST_DEPENDENCIES]],
        troubles=[trouble for trouble, _ in troubles[:MOST_TROUBLES]],
        candidates=[*_from_troubles(troubles[:MOST_TROUBLES]), *_from_manifests(manifests, troubles)],
        not_checked=[
            *NEVER,
            *([f"Not read, because only their own tools can: {', '.join(unread)}."] if unread else []),
            *(f"{note}." for note in (*notes, *problems[:40])),
            *_cut(len(declared), MOST_DEPENDENCIES, "dependencies are listed"),
            *_cut(len(troubles), MOST_TROUBLES, "conflicts are listed"),
        ],
    )


def _cut(found: int, limit: int, what: str) -> list[str]:
    return [f"Only the first {limit} of {found} {what}."] if found > limit else []


def _summary(manifests: Sequence[Manifest], declared: Sequence[Declared], troubles: Sequence[Trouble]) -> str:
    if not manifests:
        return "No manifest was found, so no dependency is declared where it could be read. Nothing was looked up."
    worlds = sorted({WORLDS[each.world] for each in declared})
    loose = sum(_risk(each)[0] == "high" for each in declared)
    return (
        f"{count(len(manifests), 'manifest')} with {count(len(declared), 'dependency', 'dependencies')} "
        f"of {' and '.join(worlds) or 'no language'}, {count(len(troubles), 'conflict')}, {loose} without any range. "
        "Read and compared by rule; nothing was looked up."
    )


def _dependency(each: Declared) -> Dependency:
    risk, note = _risk(each)
    where = f"line {each.line}" if each.line else ""
    group = f"group {each.group}" if each.group else ""
    said = "; ".join(part for part in (note, where, group, f"only where {each.marker}" if each.marker else "") if part)
    return Dependency(name=each.name, declared=each.declared, manifest=each.manifest, risk=risk, note=said)


def _risk(each: Declared) -> tuple[Level, str]:
    """Return how much may change without anybody deciding it, and why."""
    if each.local:
        return "low", "lies beside this repository's code"
    if each.group == "platform":
        return "low", "comes with the language"
    found = ranges.parse(each.world, each.declared)
    if found is None:
        source = re.search(r"://|^@ |^git|^github:", each.declared)
        return "medium", "a source instead of a version" if source else "no range that could be compared"
    if found == ranges.ANY:
        return "high", "takes any version"
    if not ranges.bounded(found):
        return "medium", "has no upper bound"
    return "low", "bounded"


def _conflicts(manifests: Iterable[Manifest]) -> list[tuple[Trouble, list[Place]]]:
    """Return the packages whose declarations exclude each other or differ, the worst first, with the places."""
    by_name: dict[tuple[str, str], list[Declared]] = defaultdict(list)
    for each in (each for manifest in manifests for each in manifest.dependencies):
        if not each.local:
            by_name[each.world, _plain(each.world, each.name)].append(each)
    for said in (said for manifest in manifests for said in manifest.runtimes):
        if said.what in _COMPARED_RUNTIMES:
            by_name["", said.what].append(_as_declared(said))
    found = [(world, *pair) for (world, _), all_of in by_name.items() if (pair := _worst(all_of))]
    found.sort(key=lambda each: (each[1] != "apart", each[2][0].name.lower()))
    return [(_trouble(relation, pair), [_place(each) for each in pair]) for _, relation, pair in found]


def _as_declared(said: Said) -> Declared:
    # A range of a runtime is loose by nature, so only those that exclude each other count: as between peers.
    return Declared(_COMPARED_RUNTIMES[said.what], said.what, said.value, said.manifest, said.line, group="peer")


def _plain(world: str, name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower() if world == "pypi" else name.lower()


def _worst(all_of: list[Declared]) -> tuple[str, tuple[Declared, Declared]] | None:
    seen: dict[tuple[str, str, bool], Declared] = {}
    for each in all_of:
        seen.setdefault((each.declared, each.marker, each.group == "peer"), each)
    pairs = [(relation, pair) for pair in combinations(list(seen.values())[:30], 2) if (relation := _differ(*pair))]
    return min(pairs, key=lambda found: found[0] != "apart", default=None)


def _differ(one: Declared, other: Declared) -> str:
    """Return `apart` or `differ` where two declarations contradict each other, empty where they do not."""
    found = [ranges.parse(each.world, each.declared) for each in (one, other)]
    if one.declared == other.declared or ranges.ANY in found or (one.marker and other.marker):
        return ""
    relation = ranges.relation(*found)
    if relation == "apart":
        return "apart"
    return "differ" if relation in ("overlap", "unknown") and "peer" not in (one.group, other.group) else ""


def _trouble(relation: str, pair: tuple[Declared, Declared]) -> Trouble:
    said = " and as ".join(f"{each.declared} ({each.manifest}{f':{each.line}' if each.line else ''})" for each in pair)
    verdict = (
        "No version satisfies both."
        if relation == "apart"
        else "The two differ: which one holds depends on who installs."
    )
    return Trouble(
        kind="conflict",
        dependencies=[pair[0].name],
        detail=f"{pair[0].name} is declared as {said}. {verdict}",
        proposal=f"Declare one range for {pair[0].name} in one place and let the other manifest follow it.",
    )


def _place(each: Declared) -> Place:
    return Place(file=each.manifest, line=each.line)


def _from_troubles(troubles: Iterable[tuple[Trouble, list[Place]]]) -> list[Candidate]:
    return [
        Candidate(
            kind="improve", what=f"Agree on one range for {each.dependencies[0]}", reason=each.detail, places=places
        )
        for each, places in troubles
    ]


def _from_manifests(manifests: Iterable[Manifest], troubles: Iterable[tuple[Trouble, list[Place]]]) -> list[Candidate]:
    found: list[Candidate] = []
    contradicted = {place.file for _, places in troubles for place in places}
    for manifest in manifests:
        loose = [each for each in manifest.dependencies if _risk(each)[0] == "high"]
        names = ", ".join(each.name for each in loose[:NAMED]) + (" and more" if len(loose) > NAMED else "")
        total = count(len(manifest.dependencies), "dependency", "dependencies")
        if loose:
            what = f"Give ranges to {count(len(loose), 'dependency', 'dependencies')} of {manifest.path}"
            places = [_place(each) for each in loose[:20]]
            found.append(
                Candidate(kind="improve", what=what, reason=f"Any version is taken of {names}.", places=places)
            )
        elif manifest.dependencies and manifest.path not in contradicted:
            what, reason = f"Keep the declarations of {manifest.path}", f"{total}, each with a range or a source."
            places = [Place(file=manifest.path, line=1)]
            found.append(Candidate(kind="keep", what=what, reason=reason, places=places))
    return found
