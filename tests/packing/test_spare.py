from nixery.packing.spare import counter, spare


def test_a_core_is_taken_once_until_it_is_given_back_by_whoever_counts_with_it() -> None:
    descriptor = counter(2)
    here, there = spare(descriptor), spare(descriptor)
    first, second = here(), there()
    assert first is not None
    assert second is not None
    assert (here(), there()) == (None, None)
    first()
    assert there() is not None
    assert here() is None
