from hypothesis import given
from hypothesis import strategies as st

from nixery.concurrency.recent import Recent


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)
    recent.drop("a")
    recent.drop("a")
    assert recent.get("a") is None


@given(st.integers(1, 5), st.lists(st.tuples(st.sampled_from("abcdefgh"), st.booleans())))
def test_it_holds_the_last_ones_that_were_used(most: int, uses: list[tuple[str, bool]]) -> None:
    recent: Recent[str, str] = Recent(most)
    order: list[str] = []
    for key, put in uses:
        if put:
            recent.put(key, key)
        if put or key in order:
            order = [*(other for other in order if other != key), key][-most:]
        if not put:
            assert recent.get(key) == (key if key in order else None)
        assert len(recent) == len(order) <= most


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 12))))
def test_what_it_holds_weighs_no_more_than_it_may(puts: list[tuple[str, int]]) -> None:
    recent: Recent[str, str] = Recent(10, lambda key, value: len(value))
    order: dict[str, int] = {}
    for key, weight in puts:
        recent.put(key, "x" * weight)
        order.pop(key, None)
        order[key] = weight
        while sum(order.values()) > 10:
            del order[next(iter(order))]
        assert len(recent) == len(order)
    assert {key: recent.get(key) for key in order} == {key: "x" * weight for key, weight in order.items()}


def test_what_was_dropped_or_cleared_makes_room() -> None:
    recent: Recent[str, str] = Recent(3, lambda key, value: len(value))
    recent.put("a", "xx")
    recent.drop("a")
    recent.put("b", "xxx")
    assert recent.get("b") == "xxx"
    recent.clear()
    assert (len(recent), recent.get("b")) == (0, None)
    recent.put("c", "xxx")
    assert recent.get("c") == "xxx"
