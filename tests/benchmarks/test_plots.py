"""Bars and curves, as they are drawn."""

from xml.etree import ElementTree

from benchmarks.plots import bars, curves


def test_bars_name_what_they_show() -> None:
    drawn = bars({"ours & theirs": 2.0, "Go": 4.0})
    assert drawn.startswith("<svg")
    assert "ours &amp; theirs" in drawn


def test_a_drawing_has_a_panel_for_each_n_with_all_its_lines() -> None:
    points = [(10, 0.001), (100, 0.01), (3000, 2.5)]
    root = ElementTree.fromstring(
        curves({"of a & b": {"x < y": points, "flat": [(10, 1.0), (3000, 1.0)]}, "c": {"z": points}})
    )
    svg = "{http://www.w3.org/2000/svg}"
    words = [text.text for text in root.iter(f"{svg}text")]
    assert {"of a & b", "x < y", "flat", "c", "z", "100", "1,000", "1 ms", "10 s", "n log n"} <= {*words}
    assert [len(panel.findall(f"{svg}polyline")) for panel in root.iter(f"{svg}g")] == [3, 2]
    assert len([*root.iter(f"{svg}circle")]) == 3 + 2 + 3


def test_lines_go_up_with_their_costs_within_the_drawing() -> None:
    root = ElementTree.fromstring(curves({"N": {"it": [(8, 0.02), (125, 0.7)]}}))
    (first, last) = ((float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.iter() if "cx" in dot.attrib)
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    assert 0 < first[0] < last[0] < width
    assert height > first[1] > last[1] > 0
