"""The documentation is run: README's code and commands, and every link."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the demo file, to run things in."""
    sw.datasets.demo(persons=60).frame.write_csv(tmp_path / "sessions.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_readme_code(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    assert (here / "core_om.svg").exists()
    assert "60 persons" in capsys.readouterr().out


def test_readme_commands(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("sessionwise ")]
    assert len(commands) >= 3
    for line in commands:
        cli.app(shlex.split(line)[1:], standalone_mode=False)
    assert (here / "scored.csv").exists()
    assert (here / "figures" / "drop-out.png").exists()


def test_readme_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^make (\w+)", "\n".join(blocks("sh")), re.MULTILINE)
    assert targets == ["demo", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    "page", sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


def test_every_public_name_has_a_docstring() -> None:
    for name in sw.__all__:
        assert (getattr(sw, name).__doc__ or "").strip(), name
