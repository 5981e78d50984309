"""The folder in which batches wait: whose it is, who may read it, and what is not trusted."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from logfire._internal.exporters.batch import Batch
from logfire._internal.exporters.disk_buffer import DiskBuffer, NoRoom, StoredBatch

KEY = 'a' * 32
OTHER = 'b' * 32


def buffer(folder: Path, *, size: int = 100_000, key: str = KEY) -> DiskBuffer:
    made = DiskBuffer(folder, size)
    assert made.open(key)
    made.adopt()
    return made


def batch(stamp: int, body: bytes = b'body', items: int = 1) -> Batch:
    return Batch(stamp, items, 'gzip', body)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob('*') if path.is_file())


def held(made: DiskBuffer) -> list[Batch]:
    """Take everything out, in order."""
    taken: list[Batch] = []
    while stored := made.oldest:
        loaded = made.load(stored)
        if loaded is not None:
            taken.append(loaded)
            made.remove(stored)
    return taken


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / 'buffer'


def test_what_is_stored_is_the_users_alone(folder: Path) -> None:
    """Folders are 0700 and files 0600, whatever the umask."""
    before = os.umask(0)
    try:
        made = buffer(folder)
        made.store(batch(1))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob('*')]}
    assert {mode for name, mode in modes.items() if name.endswith('.batch') or name == 'lock'} == {0o600}
    assert modes[folder.name] == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o700}
    made.close()


def test_nothing_is_written_before_something_is_stored(folder: Path) -> None:
    """In health the folder stays empty, and after an outage it is empty again."""
    made = buffer(folder)
    assert list(folder.iterdir()) == []
    made.store(batch(1))
    assert [each.body for each in held(made)] == [b'body']
    made.close()
    assert list(folder.iterdir()) == []


def test_the_next_process_takes_over_in_order(folder: Path) -> None:
    """What a process leaves, the next one with the same destination has, oldest first, whole and once."""
    first, second = buffer(folder), buffer(folder)
    second.store(batch(2, b'b'))
    first.store(batch(3, b'c'))
    first.store(batch(1, b'a', items=5))
    first.close()
    second.close()
    third = buffer(folder)
    third.store(batch(4, b'd'))
    assert held(third) == [batch(1, b'a', items=5), batch(2, b'b'), batch(3, b'c'), batch(4, b'd')]
    third.close()
    assert list(folder.iterdir()) == []


def test_what_a_living_process_holds_is_its_own(folder: Path) -> None:
    """Two processes with one folder never send the same: each has its own, until it ends."""
    first, second = buffer(folder), buffer(folder)
    first.store(batch(1))
    second.adopt()
    assert second.oldest is None
    first.close()
    second.adopt()
    assert held(second) == [batch(1)]
    second.close()


def test_what_is_meant_for_one_destination_goes_to_no_other(folder: Path) -> None:
    """A process that sends elsewhere leaves it where it is."""
    first = buffer(folder)
    first.store(batch(1))
    first.close()
    other = buffer(folder, key=OTHER)
    assert other.oldest is None
    other.close()
    assert len(files(folder)) == 2


def test_the_oldest_make_room(folder: Path) -> None:
    """The folder holds no more than its size: the oldest go first, whosever they are; who counts them is told."""
    size = 3 * 1_400
    first = buffer(folder, size=size)
    (folder / 'notes').write_text('Not ours; not counted.')
    for stamp in (1, 3, 5):
        assert first.store(batch(stamp, b'x' * 1_200)) == []
    other = buffer(folder, size=size, key=OTHER)
    (removed,) = other.store(batch(4, b'x' * 1_200, items=7))
    assert (removed.stamp, removed.items) == (1, 1)
    assert [stored.stamp for stored in first.store(batch(6, b'x' * 1_200), keep=first.oldest)] == [3]
    assert sum(path.stat().st_size for path in files(folder) if path.suffix == '.batch') <= size
    assert [each.stamp for each in held(first)] == [5, 6]
    assert [each.stamp for each in held(other)] == [4]


def test_what_is_being_delivered_makes_no_room(folder: Path) -> None:
    """And what is larger than the folder may be removes nothing."""
    made = buffer(folder, size=1_500)
    made.store(batch(1, b'x' * 1_200))
    with pytest.raises(NoRoom):
        made.store(batch(2, b'x' * 1_200), keep=made.oldest)
    with pytest.raises(NoRoom):
        made.store(batch(2, b'x' * 2_000))
    assert [each.stamp for each in held(made)] == [1]
    made.close()


def test_a_failed_write_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is there whole or not at all."""
    made = buffer(folder)
    made.store(batch(1))
    present = files(folder)

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, 'No space left on device')

    with monkeypatch.context() as patched, pytest.raises(OSError, match='No space'):
        patched.setattr(os, 'rename', full)
        made.store(batch(2))
    assert files(folder) == present
    assert held(made) == [batch(1)]
    made.close()


def test_what_a_killed_process_had_not_finished_is_removed(folder: Path) -> None:
    """A file half written by a process that died is no batch, and does not stay."""
    made = buffer(folder)
    made.store(batch(1))
    made.close()
    (run,) = folder.iterdir()
    unfinished = run / f'{2:020d}-2-1.batch.new'
    unfinished.write_bytes(b'half')
    assert held(buffer(folder)) == [batch(1)]
    assert not unfinished.exists()


def test_what_cannot_be_removed_at_the_end_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder that another process looks into just then is no error; the next run removes it."""
    made = buffer(folder)
    made.store(batch(1))
    assert len(held(made)) == 1

    def in_use(*args: object, **kwargs: object) -> None:
        raise OSError(39, 'Directory not empty')

    with monkeypatch.context() as patched:
        patched.setattr(os, 'rmdir', in_use)
        made.close()
    assert len(list(folder.iterdir())) == 1
    buffer(folder).close()
    assert list(folder.iterdir()) == []


def plant(folder: Path, *, run: str = f'{KEY}.{"0" * 16}', name: str = f'{1:020d}-1-1.batch') -> Path:
    """A batch made by another buffer, at a place of our choice."""
    made = buffer(folder.parent / 'made')
    made.store(batch(1))
    made.close()
    (source,) = (path for path in files(folder.parent / 'made') if path.suffix == '.batch')
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / run).mkdir(mode=0o700)
    return source.rename(folder / run / name)


def distrusted(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]


def loosen(file: Path) -> None:
    file.chmod(0o644)


def loosen_run(file: Path) -> None:
    file.parent.chmod(0o770)


def link(file: Path) -> None:
    file.rename(file.parent.parent / 'elsewhere')
    file.symlink_to(file.parent.parent / 'elsewhere')


def link_hard(file: Path) -> None:
    os.link(file, file.parent.parent / 'elsewhere')


def link_run(file: Path) -> None:
    file.parent.rename(file.parent.parent / 'elsewhere')
    file.parent.symlink_to(file.parent.parent / 'elsewhere')


def make_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


def damage(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b'?')


def lengthen(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b'?')


def write_nonsense(file: Path) -> None:
    file.write_bytes(b'\x00 no format of ours')


def write_list(file: Path) -> None:
    file.write_bytes(b'[]\n')


def write_another_format(file: Path) -> None:
    file.write_bytes(b'{"format": "logfire export buffer 99", "items": 1, "encoding": "gzip"}\nbody')


def rename(file: Path) -> None:
    file.rename(file.with_name('notes.txt'))


def miscount(file: Path) -> None:
    file.rename(file.with_name(f'{1:020d}-1-2.batch'))


@pytest.mark.parametrize(
    ('tamper', 'reason'),
    [
        (loosen, 'others than its owner may use it'),
        (loosen_run, 'others than its owner may use it'),
        (link, 'it is a symbolic link'),
        (link_hard, 'it is not a file of its own'),
        (link_run, 'it is a symbolic link'),
        (make_pipe, 'it is not a file of its own'),
        (damage, 'it is damaged'),
        (lengthen, 'it is damaged'),
        (write_nonsense, 'it is not in the format of an export buffer'),
        (write_list, 'it is not in the format of an export buffer'),
        (write_another_format, 'it is not in the format of an export buffer'),
        (miscount, 'it is not in the format of an export buffer'),
        (rename, 'it is not part of an export buffer'),
    ],
)
def test_what_somebody_else_may_have_written_is_not_sent(
    tamper: Callable[[Path], None], reason: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is ignored, left as it is, and reported once."""
    file = plant(folder)
    tamper(file)
    made = buffer(folder)
    made.adopt()
    assert held(made) == []
    made.adopt()
    (report,) = distrusted(caplog)
    assert reason in report
    made.close()
    assert any(path.name != 'lock' for path in folder.rglob('*') if not path.is_dir() or path.is_symlink())


def test_what_belongs_to_another_user_is_not_trusted(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, or a file in it, of another user is not used."""
    plant(folder)
    monkeypatch.setattr(os, 'geteuid', lambda: os.getuid() + 1)
    made = DiskBuffer(folder, 1_000)
    assert not made.open(KEY)
    assert not made.is_open
    assert made.oldest is None
    made.adopt()
    made.close()
    assert distrusted(caplog) == [
        f'logfire: {str(folder)!r} of the export buffer is not used: it belongs to another user.'
    ]


@pytest.mark.parametrize('kind', ['open to others', 'link', 'file', 'no parent'])
def test_a_folder_that_is_not_the_users_alone_is_not_used(
    kind: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported, and nothing is written."""
    if kind == 'open to others':
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
    elif kind == 'link':
        (folder.parent / 'real').mkdir(mode=0o700)
        folder.symlink_to(folder.parent / 'real')
    elif kind == 'file':
        folder.write_text('')
    else:
        folder = folder / 'deeper'
    made = DiskBuffer(folder, 1_000)
    assert not made.open(KEY)
    assert not made.open(KEY)
    (report,) = distrusted(caplog)
    assert repr(str(folder)) in report
    assert not folder.is_dir() or list(folder.iterdir()) == []


def test_what_has_gone_meanwhile_is_no_error(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Another process may have needed the room."""
    made = buffer(folder)
    made.store(batch(1))
    made.store(batch(2))
    first = made.oldest
    assert first is not None
    files(folder)[0].unlink()
    assert made.load(first) is None
    made.remove(first)
    assert held(made) == [batch(2)]
    assert distrusted(caplog) == []


def test_a_folder_of_a_run_that_goes_while_it_is_looked_at_is_no_error(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner removes it when it ends, perhaps just now."""
    made = buffer(folder)
    listed = os.listdir

    def with_ghosts(where: int | Path) -> list[str]:
        names = listed(where)
        at_root = all('.' in name and len(name) == 49 for name in names)
        return [*names, f'{KEY}.{"f" * 16}'] if at_root else [*names, f'{9:020d}-9-9.batch']

    monkeypatch.setattr(os, 'listdir', with_ghosts)
    made.adopt()
    made.store(batch(1))
    made.store(batch(2))
    assert [each.stamp for each in held(made)] == [1, 2]
    assert distrusted(caplog) == []


def test_a_lock_that_cannot_be_opened_is_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A lock that is a link is somebody else's."""
    file = plant(folder)
    (file.parent / 'lock').symlink_to(folder.parent / 'anything')
    made = buffer(folder)
    assert made.oldest is None
    (report,) = distrusted(caplog)
    assert str(file.parent) in report
    assert not (folder.parent / 'anything').exists()
    made.close()


def test_batches_of_one_moment_are_told_apart() -> None:
    """The halves of a batch have its stamp: their order is that in which they were written."""
    assert StoredBatch(1, 1, 'b', 1, 1) < StoredBatch(1, 2, 'a', 1, 1) < StoredBatch(2, 1, 'a', 1, 1)
