"""The figures that describe a Panel, as files."""

from __future__ import annotations

from pathlib import Path

import pytest

import sessionwise as sw
from sessionwise import plot


def test_one_file_a_figure(panel: sw.Panel, tmp_path: Path) -> None:
    paths = plot.write_figures(panel, tmp_path / "new" / "figures", ["core_om", "wai_sr"])
    names = ["trajectories-core_om.png", "trajectories-wai_sr.png", "drop-out.png", "missing.png"]
    assert [path.name for path in paths] == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_courses_are_of_what_was_scored(tmp_path: Path) -> None:
    items = sw.Panel(sw.datasets.demo(persons=30), person="patient", session="session")
    scored = sw.score(items, "wai-sr")
    names = ["trajectories-wai_sr.png", "drop-out.png", "missing.png"]
    assert [path.name for path in plot.write_figures(scored, tmp_path)] == names
    assert [path.name for path in plot.write_figures(items, tmp_path)] == names[1:]


def test_a_columns_name_need_not_be_a_files(panel: sw.Panel, tmp_path: Path) -> None:
    renamed = panel.to_frame().rename({"core_om": "CORE/OM: total"})
    odd = sw.Panel(renamed, person="patient", session="session")
    (path, *_) = plot.write_figures(odd, tmp_path, ["CORE/OM: total"])
    assert path.name == "trajectories-CORE_OM__total.png"
    assert path.parent == tmp_path


def test_a_column_that_is_not_there_writes_nothing(panel: sw.Panel, tmp_path: Path) -> None:
    with pytest.raises(sw.PanelError, match="core_omm"):
        plot.write_figures(panel, tmp_path, ["core_omm"])
    assert list(tmp_path.iterdir()) == []


def test_two_columns_are_two_files(panel: sw.Panel, tmp_path: Path) -> None:
    odd = panel.with_columns(dict.fromkeys(("a b", "a_b", "A/B", "x" * 300), panel["core_om"]))
    names = [path.name for path in plot.write_figures(odd, tmp_path, ["a b", "a_b", "A/B", "x" * 300])]
    assert names[:3] == ["trajectories-a_b.png", "trajectories-a_b-2.png", "trajectories-A_B-3.png"]
    assert len(set(map(str.casefold, names))) == len(names) == 6


def test_a_picture_of_the_users_is_left_alone(panel: sw.Panel, tmp_path: Path) -> None:
    (tmp_path / "missing.png").write_bytes(b"mine")
    with pytest.raises(sw.SessionwiseError, match=r"missing\.png"):
        plot.write_figures(panel, tmp_path, ["core_om"])
    assert [path.name for path in tmp_path.iterdir()] == ["missing.png"]


def test_figures_of_fits(panel: sw.Panel, fit: sw.MLMFit, dsem: sw.DSEMFit, tmp_path: Path) -> None:
    names = [path.name for path in plot.write_figures(dsem, tmp_path / "dsem")]
    persons = ["persons-core_om_lag_wai_sr.png", "persons-wai_sr_lag_core_om.png"]
    assert names == ["impulse-responses.png", *persons, "prior-posterior.png", "chains.png"]
    mlm = [path.name for path in plot.write_figures(fit, tmp_path / "mlm")]
    assert mlm == [
        "caterpillar-patient-Intercept.png",
        "caterpillar-patient-within_wai_sr.png",
        "caterpillar-therapist-Intercept.png",
    ]
    sem = sw.RICLPM("core_om", "wai_sr", waves=3, lags="equal", group="pd").fit(panel)
    assert [path.name for path in plot.write_figures(sem, tmp_path / "sem")] == ["paths-0.png", "paths-1.png"]
    for path in tmp_path.rglob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_columns_are_not_of_a_fit(dsem: sw.DSEMFit, tmp_path: Path) -> None:
    with pytest.raises(sw.PanelError, match="this is a fit"):
        plot.write_figures(dsem, tmp_path, ["core_om"])
    with pytest.raises(sw.PanelError, match="not a Panel or an MLMFit"):
        plot.write_figures("core_om", tmp_path)
