"""What several unit tests stand on: a hub of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gen import lock
from tests.hub import Hub, served


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A server of this machine, a lock and a folder for models that are this test's only."""
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(lock, "LOCK", tmp_path / "weights.lock")
    with served() as held:
        monkeypatch.setenv("HF_ENDPOINT", held.url)
        yield held
