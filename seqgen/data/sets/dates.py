"""Pairs of a date as people write it and its ISO 8601 form: a set that is generated from a random seed."""

import itertools
from collections.abc import Callable
from datetime import date

import numpy as np

from seqgen.data.parallel import Parallel

DATES = "dates"
FIRST, LAST = date(1930, 1, 1), date(2029, 12, 31)  # a century, so that two digits name a year
TRAIN, HELD_BACK = 40_000, 1000

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
ENDINGS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}

Style = Callable[[date], str]

DAYS: list[Style] = [
    lambda day: str(day.day),
    lambda day: f"{day.day:02}",
    lambda day: f"{day.day}{ENDINGS.get(day.day, 'th')}",
    lambda day: f"the {day.day}{ENDINGS.get(day.day, 'th')}",
    lambda day: _ordinal(day.day),
]
NAMED_MONTHS: list[Style] = [
    lambda day: MONTHS[day.month - 1],
    lambda day: MONTHS[day.month - 1][:3],
    lambda day: MONTHS[day.month - 1][:3] + ".",
]
YEARS: list[Style] = [lambda day: str(day.year), lambda day: f"'{day.year % 100:02}"]
ORDERS = ["{d} {m} {y}", "{d} of {m} {y}", "{d} {m}, {y}", "{m} {d}, {y}", "{m} {d} {y}", "{y}, {m} {d}", "{y} {m} {d}"]
PREFIXES: list[Style] = [lambda day: "", lambda day: _weekday(day) + ", ", lambda day: _weekday(day)[:3] + " "]
CASES: list[Callable[[str], str]] = [str, str.lower, str.upper]
# Where a month is a number, the separator determines the order of day and month.
NUMBERS: list[Style] = [
    lambda day: f"{day.day}.{day.month}.{day.year}",
    lambda day: f"{day.day:02}.{day.month:02}.{day.year % 100:02}",
    lambda day: f"{day.month}/{day.day}/{day.year}",
    lambda day: f"{day.month:02}/{day.day:02}/{day.year % 100:02}",
    lambda day: f"{day.year}/{day.month:02}/{day.day:02}",
    lambda day: f"{day.year}{day.month:02}{day.day:02}",
]


def _ordinal(day: int) -> str:
    if day <= len(ORDINALS):
        return ORDINALS[day - 1]
    if day == 30:
        return "thirtieth"
    return ("twenty-" if day < 30 else "thirty-") + ORDINALS[day % 10 - 1]


def _weekday(day: date) -> str:
    return WEEKDAYS[day.weekday()]


def _styles() -> list[Style]:
    """Return all styles of writing a date with a named month, as combinations of styles of its parts."""

    def combined(prefix: Style, day: Style, month: Style, year: Style, order: str, case: Callable[[str], str]) -> Style:
        return lambda when: case(prefix(when) + order.format(d=day(when), m=month(when), y=year(when)))

    combinations = itertools.product(PREFIXES, DAYS, NAMED_MONTHS, YEARS, ORDERS, CASES)
    return [combined(*combination) for combination in combinations]


def date_pairs(seed: int) -> tuple[Parallel, Parallel, Parallel]:
    """Return pairs of a date as people write it and its ISO form, for training, validation and test.

    No date is in two splits, and a tenth of the styles is only in the last two.
    """
    generator = np.random.default_rng(seed)
    styles = _styles()
    order = generator.permutation(len(styles))
    unseen, seen = np.split(order, [len(order) // 10])
    days = generator.permutation(FIRST.toordinal() + np.arange((LAST - FIRST).days + 1))
    parts = np.split(days, [3000, 6000])
    valid, test = (_written(generator, part, [styles[number] for number in unseen], HELD_BACK) for part in parts[:2])
    train = _written(generator, parts[2], [*(styles[number] for number in seen)], TRAIN)
    return train, valid, test


def _written(generator: np.random.Generator, days: np.ndarray, styles: list[Style], count: int) -> Parallel:
    """Return `count` pairs, one in five of them with the month as a number."""
    sources, targets = [], []
    for number in generator.choice(days, count):
        when = date.fromordinal(int(number))
        chosen = NUMBERS if generator.random() < 0.2 else styles
        sources.append(chosen[int(generator.integers(len(chosen)))](when))
        targets.append(when.isoformat())
    return Parallel(sources, targets, [f"date {number}" for number in range(1, count + 1)])
