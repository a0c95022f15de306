import io

from nixery.commands.progress import Bar, progress_on


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_line_for_each_phase() -> None:
    stream = io.StringIO()
    progress_on(stream)("reading", False)
    assert stream.getvalue() == "reading\n"


def test_progress_is_one_changing_line_on_a_terminal() -> None:
    stream = Terminal()
    progress = progress_on(stream)
    progress("reading", False)
    progress("5 packages", True)
    assert stream.getvalue() == "\r\x1b[Kreading\r\x1b[K5 packages\n"


def test_a_bar_grows_on_a_terminal_and_is_not_drawn_for_each_step() -> None:
    stream, now = Terminal(), [0.0]
    bar = Bar(stream, "paths", lambda: now[0])
    for done in range(100):
        now[0] += 0.01
        bar(done, 100)
    bar.end(100, 100)
    lines = stream.getvalue().split("\r\x1b[K")[1:]
    assert 9 <= len(lines) <= 11
    assert lines[4].startswith("[###############...............] 50 of 100")
    assert lines[-1] == f"[{'#' * 30}] 100 of 100 paths\n"


def test_elsewhere_it_is_a_line_now_and_then() -> None:
    stream, now = io.StringIO(), [0.0]
    bar = Bar(stream, "paths", lambda: now[0])
    for done in range(100):
        now[0] += 0.25
        bar(done, 100)
    bar.end(100, 100)
    assert stream.getvalue() == "39 of 100 paths\n79 of 100 paths\n100 of 100 paths\n"


def test_a_bar_of_nothing_is_full() -> None:
    stream = Terminal()
    Bar(stream, "paths", lambda: 0.0).end(0, 0)
    assert "0 of 0 paths" in stream.getvalue()
