from pathlib import Path

from nixery.nix import expressions


def test_every_expression_and_builder_counts_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "image.nix").write_text("1")
    before = expressions.fingerprint(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("compiled")
    assert expressions.fingerprint(tmp_path) == before
    (tmp_path / "builder").mkdir()
    (tmp_path / "builder" / "unpack.py").write_text("2")
    after = expressions.fingerprint(tmp_path)
    (tmp_path / "builder" / "unpack.py").write_text("3")
    assert len({before, after, expressions.fingerprint(tmp_path)}) == 3


def test_they_are_where_the_daemon_looks() -> None:
    assert expressions.IMAGE.is_file()
    assert (expressions.DEBIAN / "default.nix").is_file()
