"""How Maven's `pom.xml` is read: dependencies with the project's own properties filled in."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from milestone.surfaces.rehearse.declared import Manifest, Unreadable

_ROUNDS = 3
_LONGEST = 300


def read_pom(manifest: Manifest) -> None:
    """Read the dependencies, managed ones included, and the Java release of a `pom.xml`."""
    # Entities are the one way in which XML of this size grows without end.
    if re.search(r"<!(DOCTYPE|ENTITY)", manifest.text):
        raise Unreadable("it declares a document type, which is not read")
    try:
        root = ET.fromstring(manifest.text)  # noqa: S314 - no document type, hence no entities
    except (ET.ParseError, ValueError) as reason:
        raise Unreadable(f"it is no XML: {reason}") from reason
    _strip_namespaces(root)
    known = {each.tag: (each.text or "").strip()[:_LONGEST] for each in root.findall("./properties/*")}
    known["project.version"] = root.findtext("./version", "").strip()
    for dependency in root.iter("dependency"):
        group, artifact = (_filled(dependency.findtext(tag, ""), known) for tag in ("groupId", "artifactId"))
        version = _filled(dependency.findtext("version", ""), known)
        if group and artifact and version:
            # A version left out is managed elsewhere, and says nothing to compare.
            scope = dependency.findtext("scope", "").strip()
            manifest.depends(f"{group}:{artifact}", version, group=scope, at=f"{artifact}</artifactId>")
    for name in ("maven.compiler.release", "maven.compiler.source", "java.version"):
        if known.get(name):
            manifest.runtime("Java", known[name])
            break
    manifest.licence(root.findtext("./licenses/license/name"))


def _strip_namespaces(root: ET.Element) -> None:
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]


def _filled(text: str, known: dict[str, str]) -> str:
    """Return text with `${name}` replaced, a few rounds deep; an unknown name stays as it is."""
    for _ in range(_ROUNDS):
        text = re.sub(r"\$\{([^}]+)\}", lambda found: known.get(found[1], found[0]), text.strip()[:_LONGEST])
    return text[:_LONGEST]
