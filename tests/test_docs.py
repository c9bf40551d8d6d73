"""The documentation is run: README's code and commands, and every link."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import sessionwise as sw
from helpers.places import ROOT
from sessionwise.cli import app as cli

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


# What the page on reading reads; other pages use the demo data.
FILES = {
    "reading.md": {
        "sessions.csv": "patient,session,core_1,sex\n1,1,3,w\n1,2,-9,n/a\n2,1,99,m\n2,2,0,m\n",
        "wide.csv": "id,bdi_s0,bdi_s1,rq_s0,rq_s1,core1_1,core1_2,core2_1,core2_2,phq9_pre,phq9_post,phq9_fu\n"
        "1,30,28,5,6,1,2,3,4,9,8,7\n2,25,20,7,8,0,1,2,3,9,6,5\n",
        "export.csv": "record_id,redcap_event_name,sex,core\n1,baseline_arm_1,w,\n1,session_1_arm_1,,18\n"
        "1,session_2_arm_1,,15\n2,baseline_arm_1,m,\n2,session_1_arm_1,,20\n",
    }
}


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
    commands = [
        line
        for block in blocks("sh")
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("sessionwise ")
    ]
    assert len(commands) >= 3
    for line in commands:
        cli.app(shlex.split(line)[1:], standalone_mode=False)
    assert (here / "scored.csv").exists()
    assert (here / "figures" / "drop-out.png").exists()


@pytest.mark.parametrize("page", sorted(p.name for p in ROOT.glob("docs/*.md")))
def test_code_of_every_page(page: str, here: Path) -> None:
    for name, text in FILES.get(page, {}).items():
        (here / name).write_text(text, encoding="utf-8")
    names: dict[str, object] = {}
    for code in blocks("python", (ROOT / "docs" / page).read_text(encoding="utf-8")):
        exec(compile(code, page, "exec"), names)


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
