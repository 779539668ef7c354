"""The bar, row by row (the anchors are named in the README)."""

from tests.exactness import emulator, money
from tests.exactness.rows import Row

ROWS = (
    Row("R0", "16T x 200 put-if-absent: 200 winners; 1,000; no lost write", emulator.r0),
    Row("R1", "4P/200T, $0.17 images, $10: exactly 58, overshoot 0, 20 seeds", money.r1),
    Row("R2", "random prices, 200 cases: sum <= cap, each refusal justified", money.r2),
    Row("R3", "200T at 10 an hour: exactly 10", money.r3),
    Row("R4", "48 h, 20,000 arrivals: 10 in any hour, <= 50 a day, 0 false", money.r4),
)
