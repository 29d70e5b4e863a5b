"""Locks that leave no file behind."""

import threading
from pathlib import Path

from tests.lab.locks import held, is_held


def test_held_while_it_is_held(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / "lock"
    assert not is_held(lock)
    with held(lock):
        assert is_held(lock)
    assert not is_held(lock)
    assert list(lock.parent.iterdir()) == []


def test_many_come_one_by_one(tmp_path: Path) -> None:
    """However many want it, never two have it, even while the file comes and goes."""
    lock, inside, most = tmp_path / "lock", [0], [0]

    def enter() -> None:
        for _ in range(30):
            with held(lock):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (inside, most) == ([0], [1])
    assert not lock.exists()
