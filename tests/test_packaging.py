"""What is installed is whole, and the lower bounds that are promised are the ones that are tested."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "flask_statuspage"


def files_of_source() -> set[str]:
    """All files of the package in this folder, as their paths inside a wheel."""
    return {
        str(path.relative_to(ROOT))
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of the wheel: of the installed one, else of one that is built here.

    tox tests the wheel that it built, so there the installed files are what a user gets. A run from
    the source folder builds one, which needs the build backend from the package index.
    """
    try:
        installed = distribution("Flask-StatusPage")
    except PackageNotFoundError:
        return built(tmp_path_factory.mktemp("wheel"))
    files = {str(path) for path in installed.files or () if not str(path).startswith("..")}
    editable = not any(name.endswith("/py.typed") for name in files)
    return built(tmp_path_factory.mktemp("wheel")) if editable else files


def built(folder: Path) -> set[str]:
    """The names in a wheel made of a copy of the sources, so that no build leaves a trace in them."""
    copy = folder / "source"
    copy.mkdir()
    shutil.copytree(SOURCE, copy / SOURCE.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), "."]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=120)
    if done.returncode:
        if "flit_core" in done.stdout + done.stderr:
            pytest.skip("the build backend flit_core could not be fetched")
        pytest.fail(done.stderr, pytrace=False)
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_every_file_of_the_package(shipped: set[str]) -> None:
    """No template, static file, migration or marker is left behind."""
    assert files_of_source() - shipped == set()


@pytest.mark.parametrize(
    "name",
    [
        "templates/statuspage/base.html",
        "static/statuspage.css",
        "translations/ar/LC_MESSAGES/flask_statuspage.mo",
        "storage/migrations/env.py",
        "storage/migrations/script.py.mako",
        "storage/migrations/versions/0001_first_tables.py",
        "py.typed",
    ],
)
def test_the_wheel_holds_what_is_no_module(shipped: set[str], name: str) -> None:
    """What the package reads at run time is in the wheel."""
    assert f"flask_statuspage/{name}" in shipped


def test_the_wheel_holds_nothing_else(shipped: set[str]) -> None:
    """Neither tests nor the example nor compiled files are installed beside the package."""
    beside = {name.partition("/")[0] for name in shipped if ".dist-info/" not in name}
    assert beside == {"flask_statuspage"}


def bounds() -> dict[str, str]:
    """The lower bound of each requirement in pyproject.toml: dependencies, extras and tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        project["dependency-groups"]["tests"],
    ]
    found: dict[str, str] = {}
    for requirement in (text for texts in lists for text in texts):
        name, bound = re.split(">=", requirement.partition(";")[0].strip())
        assert found.setdefault(name, bound) == bound, f"{name} has two lower bounds"
    return found


def pins() -> dict[str, str]:
    """The versions of tox's environment tests-min."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    found = {}
    for line in parser["testenv:tests-min"]["deps"].splitlines():
        if requirement := line.partition("#")[0].partition(";")[0].strip():
            name, version = requirement.split("==")
            found[name] = version
    return found


def padded(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


def test_lower_bounds_are_the_versions_that_are_tested() -> None:
    """Each version that pyproject.toml promises is the one that tests-min installs."""
    tested = {name: padded(version) for name, version in pins().items()}
    promised = {name: padded(version) for name, version in bounds().items()}
    assert {name: tested.get(name) for name in promised} == promised


def test_nothing_is_pinned_that_is_not_promised() -> None:
    """Every pin is the bound of something."""
    assert set(pins()) - set(bounds()) == set()
