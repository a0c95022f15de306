import json

import pytest

from nixery.nix.log import Log, derivation_name

DRV = "/nix/store/8y2xiba9gzygk03cc98lvvb51czx14ww-fails.drv"


def line(**value: object) -> bytes:
    return b"@nix " + json.dumps(value).encode() + b"\n"


def written(*lines: bytes) -> Log:
    log = Log("nixery 1f: ", lambda derivation: None)
    for each in lines:
        log.write(each)
    return log


def start(number: int, path: str = DRV) -> bytes:
    return line(action="start", id=number, type=105, fields=[path, "", 1, 1])


def said(number: int, text: str) -> bytes:
    return line(action="result", id=number, type=101, fields=[text])


def error(text: str) -> bytes:
    return line(action="msg", level=0, msg=text)


def test_of_a_newer_nix_s_trace_the_cause_is_kept() -> None:
    text = "error:\n       … while calling\n         at x.nix:1:2\n\n       error: no\n       at y.nix:3:4:\n"
    assert written(line(action="msg", level=0, msg=text)).error == "no; at y.nix:3:4:"


def test_the_report_is_taken_out_of_the_trace() -> None:
    assert written(line(action="msg", level=0, msg='trace: nixery 1f: {"a":1}')).report == '{"a":1}'
    assert written(line(action="msg", level=3, msg="trace: other")).report is None


def test_a_report_that_a_builder_made_up_is_none() -> None:
    assert written(line(action="msg", level=0, msg='trace: nixery 2e: {"a":1}')).report is None


def trace(said: str) -> bytes:
    return line(action="msg", level=0, msg=f"trace: nixery 1f: {said}")


@pytest.mark.parametrize("later", ['{"a":2}', '"hello"', ""])
def test_a_second_report_tells_that_a_builder_has_read_the_marker(later: str) -> None:
    log = written(trace('"hello"'), trace('{"a":1}'), trace(later), trace('{"a":1}'))
    assert log.forged
    assert log.report == '{"a":1}'


def test_the_same_report_twice_is_no_forgery() -> None:
    assert not written(trace('"hello"'), trace('"other"'), trace('{"a":1}'), trace('{"a":1}')).forged


def test_the_error_comes_without_colours_and_prefix() -> None:
    assert written(error("\x1b[31;1merror:\x1b[0m it \x1b[1mfails\x1b[0m")).error == "it fails"


def test_the_last_lines_of_the_build_that_failed_come_with_the_error() -> None:
    lines = [said(1, f"line {n}") for n in range(20)]
    log = written(
        start(1), start(2, DRV.replace("fails", "other")), *lines, said(2, "not this"), error(f"'{DRV}' failed")
    )
    assert log.error == f"'{DRV}' failed; the last lines of fails: " + " | ".join(f"line {n}" for n in range(10, 20))


def test_the_error_is_one_line_without_warnings() -> None:
    log = written(error("warning: error: unable to download 'x'; retrying"), error("error:\n  first\n\n  second"))
    assert log.error == "first; second"


def test_what_cannot_be_printed_is_left_out_of_a_line() -> None:
    log = written(start(1), said(1, "\x1b[1mError\x00\x01\x9b: \u4f60"), error(f"'{DRV}' failed"))
    assert log.error.endswith("fails: Error: \u4f60")


def test_what_cannot_be_printed_is_left_out_of_an_error() -> None:
    assert written(error("\x1b]0;title\x07it\x08 \x00fails")).error == "]0;titleit fails"


def test_progress_names_each_build() -> None:
    names: list[str] = []
    Log("nixery 1f: ", names.append).write(start(1) + start(2, "/nix/store/8y2xiba9gzygk03cc98lvvb51czx14ww-b-1.0.drv"))
    assert names == ["fails", "b-1.0"]


def test_what_is_no_json_is_told_when_there_is_nothing_better() -> None:
    assert written(b"error: the daemon is gone").error == "the daemon is gone"
    assert written(b"warning\n", error("error: real")).error == "real"


def test_malformed_lines_are_passed_over() -> None:
    odd = [
        b"@nix \n",
        b"@nix {\n",
        b"@nix []\n",
        b'@nix {"action":"start","type":105}\n',
        b"@nix " + b"[" * 100000 + b"\n",
    ]
    log = written(*odd, error("the error"))
    assert (log.error, log.report) == ("the error", None)


def test_memory_is_bounded_however_much_is_built_and_said() -> None:
    log = written(*(start(n) + said(n, "x" * 5000) for n in range(1000)))
    assert len(log._builds) == 64
    assert max(len(text) for build in log._builds.values() for text in build.lines) == 300
    for _ in range(100):
        log.write(error("e" * 1000))
    assert len(log.error) < 20000


def test_derivation_name() -> None:
    assert derivation_name(DRV) == "fails"


def test_what_only_depends_on_the_failed_build_is_left_out() -> None:
    consequence = "error: 1 dependencies of derivation '/nix/store/x.drv' failed to build"
    assert written(error("error: builder for 'a' failed"), error(consequence)).error == "builder for 'a' failed"
    assert written(error(consequence)).error == consequence.removeprefix("error: ")


@pytest.mark.parametrize("before", [[], ["error:", "       \u2026 writing file '/nix/store/x'", ""]])
def test_what_a_server_says_at_length_does_not_hide_that_a_file_is_gone(before: list[str]) -> None:
    told = "       error: unable to download 'http://a/x.deb': HTTP error 404"
    words = [*before, told if before else told.strip(), *["<p>lorem ipsum</p>"] * 40]
    log = written(start(1), *(said(1, text) for text in words), error(f"builder for '{DRV}' failed"))
    assert "HTTP error 404" in log.error


def test_a_binary_cache_that_is_given_up_is_no_cause() -> None:
    log = written(error("disabling binary cache 'http://a' for 60 seconds"), error(f"builder for '{DRV}' failed"))
    assert log.error.startswith("builder for")
