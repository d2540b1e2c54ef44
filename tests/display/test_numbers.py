"""Les nombres à la française : les mêmes cas pour Python et pour la page."""

import numpy as np

from cartpole_helpers.display import numbers
from cartpole_helpers.display.typography import NARROW, WIDE

MINUS = "\u2212"
# Sans ex æquo : Python arrondit 0,5 au pair, la page au-dessus.
CASES = [
    ("number", (1_234_567,), f"1{NARROW}234{NARROW}567"),
    ("number", (0.05, 2), "0,05"),
    ("number", (-0.25, 2), f"{MINUS}0,25"),
    ("number", (-1_234_567.891, 1), f"{MINUS}1{NARROW}234{NARROW}567,9"),
    ("number", (-0.3,), "0"),
    ("number", (-0.004, 2), "0,00"),
    ("exact", (0.1 + 0.2,), "0,3"),
    ("exact", (1e-7,), "0,0000001"),
    ("measure", (0,), "0"),
    ("measure", (0.012345,), "0,0123"),
    ("measure", (999.7,), f"1{NARROW}000"),
    ("measure", (0.00012,), "1,2 × 10⁻⁴"),
    ("measure", (-3e12,), f"{MINUS}3,0 × 10¹²"),
    ("measure", (1e6,), "1,0 × 10⁶"),
]


def test_numbers_are_written_in_french():
    for name, arguments, expected in CASES:
        assert getattr(numbers, name)(*arguments) == expected


def test_the_page_writes_the_same(node):
    asked = [[name, *arguments] for name, arguments, _ in CASES]
    asked += [["number", None], ["measure", None]]
    assert node("written", cases=asked) == [expected for *_, expected in CASES] + ["non fini"] * 2


def test_a_brief_number_has_three_digits_at_most_and_a_share_its_sign():
    known = {1.2345e-12: "0,00000000000123", 123_456: f"123{NARROW}000", 412.3: "412"}
    for value, expected in (known | {-0.00098765: f"{MINUS}0,000988", 0: "0"}).items():
        assert numbers.brief(value) == expected
    assert numbers.percent(0.4321, 1) == f"43,2{WIDE}%"
    assert numbers.number(np.int64(12_000)) == f"12{NARROW}000"
