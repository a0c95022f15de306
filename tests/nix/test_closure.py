import pytest

from nixery.images.graph import StorePath
from nixery.nix.closure import Registrations

A = "/nix/store/" + "a" * 32 + "-a"
B = "/nix/store/" + "b" * 32 + "-b"


def registered(*lines: str) -> Registrations:
    registrations = Registrations()
    for line in lines:
        registrations.line(line.encode())
    return registrations


def test_paths_hashes_sizes_and_references_without_the_path_itself() -> None:
    closure = registered(A, "0" * 64, "120", "", "2", A, B, B, "1" * 64, "7", "/nix/store/x.drv", "0").closure()
    assert [(str(info.path), info.nar_size, info.references) for info in closure] == [
        (A, 120, (StorePath(B),)),
        (B, 7, ()),
    ]
    assert closure[StorePath(A)].nar_hash == "0" * 64


@pytest.mark.parametrize(
    "lines",
    [
        (A,),
        (A, "0" * 64, "1", "", "1"),
        (A, "0" * 63, "1", "", "0"),
        (A, "0" * 64, "x", "", "0"),
        ("/etc", "0" * 64, "1", "", "0"),
        (A, "0" * 64, "1", "", "1", B),
    ],
)
def test_a_dump_that_is_cut_off_or_wrong_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="ends in the middle|not a|invalid literal|not in the closure"):
        registered(*lines).closure()
