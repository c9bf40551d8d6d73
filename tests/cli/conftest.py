"""Files of the demo data, as a user of the command line has them."""

from __future__ import annotations

from pathlib import Path

import pytest

import sessionwise as sw


def _written(folder: Path, **options: object) -> Path:
    sw.datasets.demo(**options).frame.write_csv(folder / "sessions.csv")
    return folder / "sessions.csv"


@pytest.fixture(scope="session")
def items_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 persons, with the items of the instruments."""
    return _written(tmp_path_factory.mktemp("items"), persons=80)


@pytest.fixture(scope="session")
def scores_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """45 persons, with the scores."""
    return _written(tmp_path_factory.mktemp("scores"), persons=45, scale_scores=True)
