"""How each kind of manifest is read; none of them is ever run."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from typing import Any, cast

from packaging.requirements import InvalidRequirement, Requirement

from milestone.surfaces.rehearse.declared import Manifest, Reader, Unreadable, inner, items, table, texts
from milestone.surfaces.rehearse.pom import read_pom

LONGEST = 1000  # characters of a line; what is longer is no declaration that a person wrote


def _toml(manifest: Manifest) -> dict[str, Any]:
    try:
        return tomllib.loads(manifest.text)
    except (tomllib.TOMLDecodeError, ValueError) as reason:
        raise Unreadable(f"it is no TOML: {reason}") from reason


def _json(manifest: Manifest) -> dict[str, Any]:
    try:
        value: object = json.loads(manifest.text)
    except ValueError as reason:
        raise Unreadable(f"it is no JSON: {reason}") from reason
    if not isinstance(value, dict):
        raise Unreadable("it holds no JSON object")
    return cast("dict[str, Any]", value)


def _requirement(manifest: Manifest, text: str, group: str = "") -> None:
    try:
        wanted = Requirement(text[:LONGEST])
    except InvalidRequirement:
        manifest.problems.append(f"not understood: {text[:60]!r}")
        return
    bounds = sorted(map(str, wanted.specifier), key=lambda bound: (bound[0] in "<!", bound))
    declared = f"@ {wanted.url}" if wanted.url else ",".join(bounds)
    manifest.depends(wanted.name, declared, group=group, marker=str(wanted.marker or ""), at=text)


def read_pyproject(manifest: Manifest) -> None:
    """Read `pyproject.toml`: the standard tables, dependency groups and Poetry's."""
    data = _toml(manifest)
    project = table(data.get("project"))
    for text in texts(project.get("dependencies")):
        _requirement(manifest, text)
    groups = {**table(project.get("optional-dependencies")), **table(data.get("dependency-groups"))}
    groups["build"] = inner(data, "build-system").get("requires")
    for name, wanted in groups.items():
        for text in texts(wanted):
            _requirement(manifest, text, name)
    manifest.runtime("Python", project.get("requires-python"))
    licence = project.get("license")
    manifest.licence(licence if isinstance(licence, str) else table(licence).get("text"))
    for name, target in {**inner(data, "tool", "poetry", "scripts"), **table(project.get("scripts"))}.items():
        manifest.command(name, target)
    _poetry(manifest, inner(data, "tool", "poetry"))


def _poetry(manifest: Manifest, poetry: dict[str, Any]) -> None:
    groups = {"": poetry.get("dependencies"), "dev": poetry.get("dev-dependencies")}
    groups |= {name: table(group).get("dependencies") for name, group in table(poetry.get("group")).items()}
    for group, wanted in groups.items():
        for name, value in ((name, one) for name, each in table(wanted).items() for one in items(each) or [each]):
            detail = table(value)
            version = value if isinstance(value, str) else detail.get("version", "")
            if name == "python":
                manifest.runtime("Python", version)
            elif isinstance(version, str):
                source = detail.get("git") or detail.get("url") or ""
                marker = str(detail.get("markers") or "")
                manifest.depends(name, version or str(source), group=group, marker=marker, local="path" in detail)


def read_requirements(manifest: Manifest) -> None:
    """Read `requirements*.txt`; what it includes with `-r` is a manifest of its own."""
    joined = re.sub(r"\\\r?\n", " ", manifest.text)
    for raw in joined.splitlines():
        line = re.sub(r"(^|\s)#.*$", "", raw).strip()
        editable = re.match(r"(?:-e|--editable)[ =]\s*(.*)", line)
        if editable or re.match(r"[./]|\w+(\+\w+)?://", line):
            target = editable[1] if editable else line
            name = re.search(r"#egg=([\w.-]+)", raw)
            manifest.depends(name[1] if name else target, target, local="://" not in target)
        elif line and not line.startswith("-"):
            _requirement(manifest, re.split(r"\s--?[a-z]", line[:LONGEST])[0].strip())


def read_setup_cfg(manifest: Manifest) -> None:
    """Read the `[options]` of a `setup.cfg`."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(manifest.text)
    except configparser.Error as reason:
        raise Unreadable(f"it is no INI file: {reason}") from reason
    wanted = {"": parser.get("options", "install_requires", fallback="")}
    if parser.has_section("options.extras_require"):
        wanted |= dict(parser.items("options.extras_require"))
    for group, lines in wanted.items():
        for line in (lines or "").splitlines():
            if line.strip() and not line.strip().startswith("#"):
                _requirement(manifest, line.strip(), group)
    manifest.runtime("Python", parser.get("options", "python_requires", fallback=""))
    manifest.licence(parser.get("metadata", "license", fallback=""))


_NPM_GROUPS = {
    "dependencies": "",
    "devDependencies": "dev",
    "peerDependencies": "peer",
    "optionalDependencies": "optional",
}


def read_package_json(manifest: Manifest) -> None:
    """Read `package.json`; scripts are commands too."""
    data = _json(manifest)
    for section, group in _NPM_GROUPS.items():
        for name, value in table(data.get(section)).items():
            if isinstance(value, str):
                alias = re.fullmatch(r"npm:(@?[^@]+)@(.*)", value)
                local = value.startswith(("workspace:", "file:", "link:", "portal:"))
                manifest.depends(alias[1] if alias else name, alias[2] if alias else value, group=group, local=local)
    for name, value in table(data.get("engines")).items():
        manifest.runtime("Node.js" if name == "node" else name, value)
    manifest.licence(data.get("license"))
    commands = data.get("bin")
    for name, target in (table(commands) or ({str(data.get("name")): commands} if commands else {})).items():
        manifest.command(name, target)


def read_cargo(manifest: Manifest) -> None:
    """Read `Cargo.toml`, with workspaces and targets."""
    data = _toml(manifest)
    _cargo_tables(manifest, data)
    _cargo_tables(manifest, table(data.get("workspace")))
    for target in table(data.get("target")).values():
        _cargo_tables(manifest, table(target))
    package = table(data.get("package"))
    manifest.runtime("Rust", package.get("rust-version"))
    manifest.runtime("Rust edition", package.get("edition"))
    manifest.licence(package.get("license"))
    for binary in items(data.get("bin")):
        if isinstance(name := table(binary).get("name"), str):
            manifest.command(name)


def _cargo_tables(manifest: Manifest, data: dict[str, Any]) -> None:
    for section, group in {"dependencies": "", "dev-dependencies": "dev", "build-dependencies": "build"}.items():
        for name, value in table(data.get(section)).items():
            detail = table(value)
            if detail.get("workspace") is True:
                continue
            version = value if isinstance(value, str) else detail.get("version") or detail.get("git") or ""
            real = detail.get("package", name)
            manifest.depends(str(real), str(version), group=group, local="path" in detail)


def read_go_mod(manifest: Manifest) -> None:
    """Read the `require` and `go` lines of `go.mod`."""
    block = ""
    for raw in manifest.text.splitlines():
        line, _, comment = raw.partition("//")
        words = line.split()
        if words[:1] == [")"]:
            block = ""
        elif words[1:2] == ["("]:
            block = words[0]
        elif words[:1] == ["go"] and len(words) > 1:
            manifest.runtime("Go", words[1])
        else:
            pair = words[1:] if words[:1] == ["require"] else words if block == "require" else []
            if len(pair) > 1:
                manifest.depends(pair[0], pair[1], group="indirect" if "indirect" in comment else "")


def read_composer(manifest: Manifest) -> None:
    """Read `composer.json`; `php` is the language, `ext-…` are its extensions."""
    data = _json(manifest)
    for section, group in {"require": "", "require-dev": "dev"}.items():
        for name, value in table(data.get(section)).items():
            if name == "php":
                manifest.runtime("PHP", value)
            elif isinstance(value, str):
                manifest.depends(name, value, group="platform" if name.startswith(("ext-", "lib-")) else group)
    manifest.licence(data.get("license"))
    for path in texts(data.get("bin")):
        manifest.command(path)


def read_gemfile(manifest: Manifest) -> None:
    """Read the `gem` and `ruby` lines of a `Gemfile`, which is a program and is not run."""
    for line in (line[:LONGEST] for line in manifest.text.splitlines()):
        found = re.match(r"\s*(gem|ruby)[\s(]+['\"]([^'\"]+)['\"](.*)", line)
        if found and found[1] == "ruby":
            manifest.runtime("Ruby", found[2])
        elif found:
            options = re.split(r",\s*(?::?\w+\s*(?:=>|:)|\*\*)", found[3], maxsplit=1)[0]
            source = re.search(r"\b(?:git|github|gist):?\s*(?:=>)?\s*['\"]([^'\"]+)", found[3])
            versions = ", ".join(re.findall(r"['\"]([^'\"]+)['\"]", options))
            local = bool(re.search(r"\bpath:|:path\b", found[3]))
            manifest.depends(found[2], versions or (source[1] if source else ""), local=local)


REQUIREMENTS = r"(.*/)?requirements/[^/]+\.txt"
# By the file's name, or its path.
READERS: dict[str, tuple[str, Reader]] = {
    r"pyproject\.toml": ("pypi", read_pyproject),
    r"requirements[^/]*\.txt": ("pypi", read_requirements),
    REQUIREMENTS: ("pypi", read_requirements),
    r"setup\.cfg": ("pypi", read_setup_cfg),
    r"package\.json": ("npm", read_package_json),
    r"Cargo\.toml": ("cargo", read_cargo),
    r"go\.mod": ("go", read_go_mod),
    r"composer\.json": ("composer", read_composer),
    r"Gemfile": ("gem", read_gemfile),
    r"pom\.xml": ("maven", read_pom),
}
