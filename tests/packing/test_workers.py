"""Packing in other processes, with real ones."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from nixery.errors import PackingFailed, ShuttingDown, StorageUnavailable
from nixery.images.graph import StorePath
from nixery.packing import workers as module
from nixery.packing.jobs import Job, Own, heard, said
from nixery.packing.pieces import PIECE
from nixery.packing.workers import Workers

NewObject = Callable[[str], StorePath]


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(2)
    yield workers
    workers.end()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list["subprocess.Popen[bytes]"]:
    """The processes, as they are started."""
    found: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*args: object, **settings: object) -> "subprocess.Popen[bytes]":
        found.append(popen(*args, **settings))  # type: ignore[call-overload]  # whatever it is called with
        return found[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    return found


@pytest.fixture
def job(new_object: NewObject) -> Job:
    path = new_object("a")
    Path(path.text).write_bytes(b"content" * PIECE)
    return Job((path,), "a comment")


@pytest.mark.parametrize("root", [False, True])
def test_it_writes_and_says_what_our_own_thread_does(job: Job, root: bool, workers: Workers) -> None:
    job = Job(job.paths, "é \udcff", root)
    with tempfile.TemporaryFile() as here, tempfile.TemporaryFile() as there:
        assert Own().pack(job, here.fileno(), Event()) == workers.pack(job, there.fileno(), Event())
        here.seek(0)
        there.seek(0)
        assert here.read() == there.read()


def test_a_process_does_one_job_after_the_other(
    job: Job, workers: Workers, started: list["subprocess.Popen[bytes]"]
) -> None:
    with tempfile.TemporaryFile() as file:
        for _ in range(3):
            workers.pack(job, file.fileno(), Event())
    assert [process.poll() for process in started] == [None]
    workers.end()
    assert [process.poll() for process in started] == [0]


def test_processes_are_there_before_the_first_job(
    job: Job, workers: Workers, started: list["subprocess.Popen[bytes]"]
) -> None:
    workers.get_ready()
    workers.get_ready()
    assert len(started) == 2
    with tempfile.TemporaryFile() as file:
        workers.pack(job, file.fileno(), Event())
    assert len(started) == 2


def test_few_are_started_ahead_on_a_host_with_many_cores(started: list["subprocess.Popen[bytes]"]) -> None:
    workers = Workers(1000)
    workers.get_ready()
    workers.end()
    assert len(started) == 4


def test_none_is_started_after_the_end(workers: Workers, started: list["subprocess.Popen[bytes]"]) -> None:
    workers.end()
    workers.get_ready()
    assert not started


def test_a_process_that_cannot_be_started_is_told_of_when_there_is_a_job(
    job: Job, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    workers.get_ready()
    with tempfile.TemporaryFile() as file, pytest.raises(PackingFailed, match="cannot be started: No such file"):
        workers.pack(job, file.fileno(), Event())


def test_processes_keep_the_memory_of_a_piece_for_the_next(
    workers: Workers, started: list["subprocess.Popen[bytes]"]
) -> None:
    workers.get_ready()
    assert b"MALLOC_MMAP_THRESHOLD_=8388608" in Path(f"/proc/{started[0].pid}/environ").read_bytes().split(b"\0")


def test_errors_come_with_their_class_and_words(
    new_object: NewObject, workers: Workers, started: list["subprocess.Popen[bytes]"]
) -> None:
    with tempfile.TemporaryFile() as file, pytest.raises(PackingFailed, match="No such file"):
        workers.pack(Job((new_object("absent"),), ""), file.fileno(), Event())
    descriptor = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(StorageUnavailable, match="No space left"):
        workers.pack(Job((), ""), descriptor, Event())
    os.close(descriptor)
    assert len(started) == 1


def test_a_worker_that_died_is_replaced_and_begins_anew(
    job: Job, workers: Workers, started: list["subprocess.Popen[bytes]"]
) -> None:
    with tempfile.TemporaryFile() as file:
        layer = workers.pack(job, file.fileno(), Event())
        started[0].kill()
        assert workers.pack(job, file.fileno(), Event()) == layer
        assert os.fstat(file.fileno()).st_size == layer.size
    assert [process.poll() for process in started] == [-signal.SIGKILL, None]


def test_workers_that_always_die_are_told_of(
    job: Job, workers: Workers, started: list["subprocess.Popen[bytes]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_START", "raise SystemExit(3)")
    with tempfile.TemporaryFile() as file, pytest.raises(PackingFailed, match=r"ended \(.*\): is there too little mem"):
        workers.pack(job, file.fileno(), Event())
    assert [process.poll() for process in started] == [3, 3]


def test_what_is_cancelled_ends_with_its_worker(
    new_object: NewObject, workers: Workers, started: list["subprocess.Popen[bytes]"]
) -> None:
    path = new_object("large")
    with Path(path.text).open("wb") as large:
        large.truncate(1 << 40)
    cancelled = Event()
    threading.Timer(0.2, cancelled.set).start()
    with tempfile.TemporaryFile() as file, pytest.raises(ShuttingDown):
        workers.pack(Job((path,), ""), file.fileno(), cancelled)
    assert [process.poll() for process in started] == [0]


def test_signals_to_the_group_are_the_daemons(
    job: Job, workers: Workers, started: list["subprocess.Popen[bytes]"]
) -> None:
    with tempfile.TemporaryFile() as file:
        workers.pack(job, file.fileno(), Event())
        for number in (signal.SIGTERM, signal.SIGINT):
            started[0].send_signal(number)
        workers.pack(job, file.fileno(), Event())
    assert len(started) == 1


@pytest.mark.parametrize("error", [PackingFailed("one"), StorageUnavailable("two")])
def test_an_error_is_heard_as_it_was_said(error: PackingFailed | StorageUnavailable) -> None:
    with pytest.raises(type(error), match=error.message):
        heard(said(error))
