"""The dependencies stand-in: manifests of seven package worlds, read and compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milestone.surfaces.rehearse import ranges
from milestone.surfaces.rehearse.listing import READ_LIMIT, Project
from milestone.surfaces.rehearse.standins import STAND_INS
from tests.surfaces.shop import SHOP, Files, candidates, deliver, repository

Make = Callable[[Files], Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a maker of Git repositories from paths and contents."""
    return lambda files: repository(tmp_path / "shop", files)


def declare(make: Make, files: Files) -> dict[str, Any]:
    """Return what the dependencies stand-in finds."""
    return STAND_INS["infra-dependency-manager"].work(make(files), {})["planning-dependencies"]


def test_a_pin_inside_a_range_is_no_conflict_and_a_missing_range_is_a_risk(make: Make) -> None:
    found = deliver(make(SHOP))["planning-dependencies"]
    risks = {(each["name"], each["manifest"]): each["risk"] for each in found["dependencies"]}
    assert found["troubles"] == []
    assert risks == {
        ("requests", "pyproject.toml"): "low",
        ("click", "pyproject.toml"): "high",
        ("requests", "requirements.txt"): "low",
        ("click", "requirements.txt"): "high",
    }
    assert candidates(found, "improve")["Give ranges to 1 dependency of pyproject.toml"] == ["pyproject.toml:7"]
    assert "No vulnerability database was asked" in found["not_checked"][0]


POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><properties><v>2.1</v></properties><dependencies>
<dependency><groupId>org.x</groupId><artifactId>y</artifactId><version>${v}</version></dependency>
</dependencies></project>"""


@pytest.mark.parametrize(
    ("one", "other", "package", "says"),
    [
        (
            ("pyproject.toml", '[project]\ndependencies = ["Flask_Login>=2"]\n'),
            ("requirements-dev.txt", "flask-login<2  # old\n"),
            "Flask_Login",
            "No version satisfies both",
        ),
        (
            ("setup.cfg", "[options]\ninstall_requires =\n    attrs~=22.1\n"),
            ("tool.poetry/pyproject.toml", '[tool.poetry.dependencies]\nattrs = "^23"\n'),
            "attrs",
            "No version satisfies both",
        ),
        (
            ("package.json", '{"dependencies": {"react": "^17.0.0"}}'),
            ("web/package.json", '{"devDependencies": {"react": ">=18 <20"}}'),
            "react",
            "No version satisfies both",
        ),
        (
            ("package.json", '{"dependencies": {"left-pad": "^1.1.0"}}'),
            ("web/package.json", '{"dependencies": {"left-pad": "~1.3.0"}}'),
            "left-pad",
            "The two differ",
        ),
        (
            ("Cargo.toml", '[dependencies]\nserde = "1.0"\n'),
            ("core/Cargo.toml", '[dev-dependencies]\nserde = { version = "0.9", features = ["x"] }\n'),
            "serde",
            "No version satisfies both",
        ),
        (
            ("go.mod", "module a\n\ngo 1.22\n\nrequire (\n\texample.org/x v1.2.0\n)\n"),
            ("tools/go.mod", "module b\nrequire example.org/x v1.4.0 // indirect\n"),
            "example.org/x",
            "The two differ",
        ),
        (
            ("composer.json", '{"require": {"php": ">=8.1", "monolog/monolog": "^2.0"}}'),
            ("lib/composer.json", '{"require-dev": {"monolog/monolog": "~3.1"}}'),
            "monolog/monolog",
            "No version satisfies both",
        ),
        (
            ("Gemfile", "ruby '3.2'\ngem 'rails', '~> 7.0.1', require: false\n"),
            ("engine/Gemfile", 'gem "rails", ">= 7.1"\n'),
            "rails",
            "No version satisfies both",
        ),
        (
            ("pom.xml", POM),
            ("sub/pom.xml", POM.replace("${v}", "[3.0,4.0)")),
            "org.x:y",
            "No version satisfies both",
        ),
        (
            ("pyproject.toml", '[project]\nrequires-python = ">=3.11"\n'),
            ("old/pyproject.toml", '[project]\nrequires-python = "<3.10"\n'),
            "Python",
            "No version satisfies both",
        ),
    ],
    ids=["pypi", "poetry", "npm", "npm-overlap", "cargo", "go", "composer", "gem", "maven", "python"],
)
def test_declarations_that_contradict_each_other_are_a_conflict(
    make: Make, one: tuple[str, str], other: tuple[str, str], package: str, says: str
) -> None:
    found = declare(make, dict([one, other]))
    assert [each["dependencies"] for each in found["troubles"]] == [[package]]
    assert says in found["troubles"][0]["detail"]
    assert all(f"{name}:" in found["troubles"][0]["detail"] for name, _ in (one, other))


def test_peers_markers_and_workspace_packages_are_meant_to_differ(make: Make) -> None:
    found = declare(
        make,
        {
            "package.json": '{"peerDependencies": {"react": ">=16"}, "devDependencies": {"react": "^18"}}',
            "app/package.json": '{"dependencies": {"own": "workspace:*"}}',
            "web/package.json": '{"dependencies": {"own": "^1"}}',
            "requirements.txt": "numpy<2; python_version < '3.9'\nnumpy>=2; python_version >= '3.9'\n",
        },
    )
    assert found["troubles"] == []


def test_requirements_are_read_as_pip_reads_them(make: Make) -> None:
    text = "-r other.txt\n--index-url https://example.org/simple\nrich[jupyter]==13.1 \\\n    --hash=sha256:aa\n"
    text += "-e ./local\ngit+https://example.org/x.git#egg=x\n# a remark\nodd package!\n"
    found = declare(make, {"requirements.txt": text})
    assert [(each["name"], each["declared"]) for each in found["dependencies"]] == [
        ("rich", "==13.1"),
        ("./local", "./local"),
        ("x", "git+https://example.org/x.git#egg=x"),
    ]
    assert "requirements.txt: not understood: 'odd package!'." in found["not_checked"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("pyproject.toml", "[project\n", "no TOML"),
        ("package.json", "[1]", "holds no JSON object"),
        ("package.json", '{"a": ' + "[" * 100_000, "nested too deeply"),
        ("setup.cfg", "x\n", "no INI file"),
        ("pom.xml", '<!DOCTYPE a [<!ENTITY b "c">]><project>&b;</project>', "declares a document type"),
        ("pom.xml", "<project>", "no XML"),
        ("package.json", '{"a": "' + "x" * READ_LIMIT + '"}', "larger than 256 KiB"),
    ],
    ids=["toml", "list", "deep", "ini", "entities", "xml", "large"],
)
def test_a_manifest_that_cannot_be_read_is_named_and_stops_nothing(
    make: Make, name: str, content: str, says: str
) -> None:
    found = declare(make, {name: content, "sub/requirements.txt": "click>=8\n"})
    assert [each["name"] for each in found["dependencies"]] == ["click"]
    assert [note for note in found["not_checked"] if note.startswith(name) and says in note]


def test_manifests_of_test_material_declare_nothing(make: Make) -> None:
    found = declare(make, {"tests/fixtures/package.json": '{"dependencies": {"a": "*"}}', "setup.py": "1/0\n"})
    assert found["dependencies"] == []
    assert "manifests in folders of test material, left out: 1." in found["not_checked"]
    assert "Not read, because only their own tools can: setup.py." in found["not_checked"]


@pytest.mark.parametrize(
    ("world", "text", "allowed", "refused"),
    [
        ("pypi", ">=1.2,<2", "1.2 1.9.9", "1.1 2"),
        ("pypi", "~=1.4.2", "1.4.2 1.4.9", "1.5"),
        ("pypi", "==1.2.*", "1.2 1.2.7", "1.3"),
        ("npm", "^0.2.3", "0.2.3 0.2.9", "0.3 0.2.2"),
        ("npm", "^0.0.3", "0.0.3", "0.0.4"),
        ("npm", "~1.2", "1.2.9", "1.3"),
        ("npm", "1.x || 3 - 4", "1.9 3.5 4", "2 5"),
        ("npm", "18", "18.9", "19 17"),
        ("cargo", "1.2", "1.2 1.9", "2 1.1"),
        ("cargo", "=1.2.0", "1.2", "1.2.1"),
        ("composer", "~1.2", "1.9", "2"),
        ("gem", "~> 1.2.3, != 1.2.5", "1.2.4", "1.3"),
        ("maven", "(,1.0],[1.2,)", "0.5 1 1.2 9", "1.1"),
    ],
)
def test_a_range_allows_what_its_package_manager_allows(world: str, text: str, allowed: str, refused: str) -> None:
    found = ranges.parse(world, text)
    assert all(ranges.relation(found, ranges.parse("pypi", f"=={version}")) != "apart" for version in allowed.split())
    assert all(ranges.relation(found, ranges.parse("pypi", f"=={version}")) == "apart" for version in refused.split())


@pytest.mark.parametrize(
    "text", ["workspace:*", "git+https://example.org/x", "next", "${v}", "^" * 50, "9" * 5_000, "1 ||"]
)
def test_what_is_no_range_is_never_compared(text: str) -> None:
    found = ranges.parse("npm", text)
    assert found in (None, (*(ranges.parse("npm", "1") or ()), *ranges.ANY))
