"""The bar, row by row (the anchors are named in the README)."""

from bench import capacity
from tests.exactness import (
    answers,
    budgets,
    circuits,
    crashes,
    emulator,
    endings,
    faulty,
    growth,
    jobs,
    machines,
    money,
    quotes,
    sets,
    soak,
)
from tests.exactness.rows import Row

ROWS = (
    Row("R0", "16T x 200 put-if-absent: 200 winners; 1,000; no lost write", emulator.r0),
    Row("R1", "4P/200T, $0.17 images, $10: exactly 58, overshoot 0, 20 seeds", money.r1),
    Row("R2", "random prices, 200 cases: sum <= cap, each refusal justified", money.r2),
    Row("R3", "200T at 10 an hour: exactly 10", money.r3),
    Row("R4", "48 h, 20,000 arrivals: 10 in any hour, <= 50 a day, 0 false", money.r4),
    Row("R5", "100 clicks on one quote: 1 call, 1 charge, 1 image id", quotes.r5),
    Row("R6", "kill -9 at 8 points x 50: charged = stored, held 0, 2nd sweep 0", crashes.r6),
    Row("R7", "45 % of requests faulty: ledger = model, 0 doubled, >= 97 % served", faulty.r7),
    Row("R8", "ledger down: 503, 0 calls, <= 2 s; circuits down: calls go on", faulty.r8),
    Row("R9", "5th of 20 instances' failures within 600.000 s opens; 600.001 not", circuits.r9),
    Row("R10", "100 callers, 20 instances at until, x100: exactly 1 call each", circuits.r10),
    Row("R11", "probe killed x50, refused x50: next at lease + 1 s, at once", circuits.r11),
    Row("R12", "10,000 steps each, calls split and lost: 0 illegal, told = moved", machines.r12),
    Row("R13", "trip at t0, 20 warm caches: 0 new calls after t0 + 2.0 s", circuits.r13),
    Row("R14", ">= 60 recorded answers: 0 user errors counted, 100 % of faults", answers.r14),
    Row(
        "R15",
        "image <= 7 W (8 with its prompt, 1 more in the background), 2 R; healthy breaker 0",
        capacity.capacity,
    ),
    Row("R16", "50 forks x 1,000 ids: 0 duplicates", answers.r16),
    Row("R17", "mixed load, 5 % faults: ledger = model, memory < +5 %, 0 unhandled", soak.r17),
    Row("R18", "200 sets of 4 at once: limits hold, charged = stored, repeated: 0 calls", sets.r18),
    Row(
        "R19",
        "sets, edits, operations, at once and later, every combination of ends: charged = stored",
        endings.r19,
    ),
    Row(
        "R20",
        "200 sets of 4 edits in the background at once, events twice: limits, charged = stored",
        sets.r20,
    ),
    Row("R21", "50 of each vendor killed after the order: bills = images = charges", jobs.r21),
    Row("R22", "200T, 20 persons, 3 teams, $10: exactly 58; faults: levels = entries", budgets.r22),
    Row("G", "ledger and circuit stay small; 400 KB cannot be reached", growth.growth),
)
