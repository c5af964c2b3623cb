"""A made-up national register of realistic size and mix, to run the software on. Never facts.

Every name carries the mark [synthetic], every key begins with "syn-", points lie at random around the centre of a
region. Numbers of a type follow published counts for Kazakhstan where there are any (PUBLISHED), else they are
assumed; regions follow rounded shares of the population, social services in four regions published counts.
"""

from __future__ import annotations

import csv
import random
from functools import cache
from pathlib import Path
from typing import NamedTuple, TextIO

from server.institutions.csv_import import COLUMNS, DATA

DEFAULT_COUNT = 3_500


class Kind(NamedTuple):
    """A type of institution: how many of 3,500, whether that number was published, and how one is called."""

    type: str
    number: int
    is_published: bool
    ministry: str
    least: int
    most: int
    ru: str
    kk: str
    en: str


PUBLISHED, ASSUMED = True, False
KINDS = (
    Kind("colony", 64, PUBLISHED, "mia", 150, 1400, "Исправительное учреждение",
         "Түзеу мекемесі", "Correctional institution"),
    Kind("sizo", 16, PUBLISHED, "mia", 100, 900, "Следственный изолятор",
         "Тергеу изоляторы", "Remand centre"),
    Kind("spec_reception", 31, PUBLISHED, "mia", 10, 80, "Специальный приёмник",
         "Арнайы қабылдау орны", "Special reception centre"),
    Kind("social_care", 153, PUBLISHED, "mlsp", 40, 450, "Медико-социальное учреждение",
         "Медициналық-әлеуметтік мекеме", "Social care home"),
    Kind("children_social", 20, PUBLISHED, "mlsp", 30, 250, "Медико-социальное учреждение для детей",
         "Балаларға арналған медициналық-әлеуметтік мекеме", "Social care home for children"),
    Kind("day_care", 80, PUBLISHED, "mlsp", 15, 120, "Организация полустационарного типа",
         "Жартылай стационар ұйымы", "Day-care centre"),
    Kind("temp_stay", 38, PUBLISHED, "mlsp", 10, 90, "Организация временного пребывания",
         "Уақытша болу ұйымы", "Temporary stay centre"),
    Kind("orphanage", 78, PUBLISHED, "moed", 15, 150, "Центр поддержки детей",
         "Балаларды қолдау орталығы", "Child support centre"),
    Kind("baby_home", 18, PUBLISHED, "moh", 20, 100, "Дом ребёнка",
         "Сәбилер үйі", "Infant home"),
    Kind("police", 1700, ASSUMED, "mia", 2, 20, "Отдел полиции",
         "Полиция бөлімі", "Police station"),
    Kind("ivs", 160, ASSUMED, "mia", 8, 60, "Изолятор временного содержания",
         "Уақытша ұстау изоляторы", "Temporary detention facility"),
    Kind("distribution", 18, ASSUMED, "mia", 8, 60, "Приёмник-распределитель",
         "Қабылдау-тарату орны", "Reception and distribution centre"),
    Kind("nsc_sizo", 8, ASSUMED, "nsc", 10, 80, "Следственный изолятор ОНБ",
         "ҰҚО тергеу изоляторы", "National security remand centre"),
    Kind("guardhouse", 20, ASSUMED, "mod", 4, 30, "Гауптвахта",
         "Гауптвахта", "Guardhouse"),
    Kind("juvenile_adapt", 18, ASSUMED, "moed", 15, 60, "Центр адаптации несовершеннолетних",
         "Кәмелетке толмағандарды бейімдеу орталығы", "Juvenile adaptation centre"),
    Kind("special_school", 10, ASSUMED, "moed", 30, 120, "Специальная организация образования",
         "Арнайы білім беру ұйымы", "Special school"),
    Kind("boarding_school", 930, ASSUMED, "moed", 40, 350, "Школа-интернат",
         "Мектеп-интернат", "Boarding school"),
    Kind("psych_hospital", 60, ASSUMED, "moh", 50, 600, "Центр психического здоровья",
         "Психикалық денсаулық орталығы", "Mental health centre"),
    Kind("narcology", 38, ASSUMED, "moh", 20, 150, "Отделение принудительного лечения зависимостей",
         "Тәуелділікті мәжбүрлеп емдеу бөлімшесі", "Compulsory addiction treatment unit"),
    Kind("tb_hospital", 40, ASSUMED, "moh", 20, 200, "Отделение принудительного лечения туберкулёза",
         "Туберкулезді мәжбүрлеп емдеу бөлімшесі", "Compulsory tuberculosis unit"),
)  # fmt: skip

CENTRES: dict[str, tuple[float, float, int]] = {
    "KZ-10": (50.41, 80.23, 30), "KZ-11": (53.28, 69.39, 39), "KZ-15": (50.28, 57.17, 47), "KZ-19": (43.86, 77.06, 77),
    "KZ-23": (47.11, 51.92, 35), "KZ-27": (51.23, 51.37, 35), "KZ-31": (42.90, 71.37, 61), "KZ-33": (45.02, 78.37, 35),
    "KZ-35": (49.80, 73.10, 57), "KZ-39": (53.21, 63.63, 41), "KZ-43": (44.85, 65.51, 42), "KZ-47": (43.65, 51.17, 39),
    "KZ-55": (52.29, 76.97, 38), "KZ-59": (54.30, 69.16, 26), "KZ-61": (43.30, 68.27, 106), "KZ-62": (47.80, 67.71, 11),
    "KZ-63": (49.95, 82.61, 36), "KZ-71": (51.17, 71.43, 72), "KZ-75": (43.24, 76.89, 112), "KZ-79": (42.32, 69.59, 61),
}  # fmt: skip
"""Region → latitude and longitude of its centre, share of the population in per mille, rounded."""
CITIES = frozenset({"KZ-71", "KZ-75", "KZ-79"})
SOCIAL_SERVICES = 291
SOCIAL = {"KZ-63": 31, "KZ-35": 28, "KZ-39": 21, "KZ-62": 3}
"""Social services, published: in the whole country, and in four regions of it."""


def make_register(n: int = DEFAULT_COUNT, seed: int = 1) -> list[dict[str, str]]:
    """`n` made-up institutions as rows of the register's CSV; the same seed gives the same rows.

    Raises ValueError when n is below 1.
    """
    if n < 1:
        raise ValueError("a register has at least one institution")
    dice = random.Random(seed)  # noqa: S311 - nothing secret is drawn here
    rows: list[dict[str, str]] = []
    for kind, count in zip(KINDS, shares(n, [float(kind.number) for kind in KINDS]), strict=True):
        for region, number in zip(CENTRES, spread(kind, count, dice), strict=True):
            rows += [institution(kind, region, each, dice) for each in range(1, number + 1)]
    return rows


def spread(kind: Kind, count: int, dice: random.Random) -> list[int]:
    """How many of a kind each region gets; when there are few, regions are drawn."""
    weights = social_weights() if kind.ministry == "mlsp" else [float(share) for _, _, share in CENTRES.values()]
    if count >= len(CENTRES):
        return shares(count, weights)
    drawn = dice.choices(range(len(CENTRES)), weights=weights, k=count)
    return [drawn.count(each) for each in range(len(CENTRES))]


def social_weights() -> list[float]:
    """Social services by region: published where known, the rest by population."""
    free = sum(share for region, (_, _, share) in CENTRES.items() if region not in SOCIAL)
    rest = SOCIAL_SERVICES - sum(SOCIAL.values())
    return [float(SOCIAL.get(region, rest * share / free)) for region, (_, _, share) in CENTRES.items()]


def shares(total: int, weights: list[float]) -> list[int]:
    """`total` split by weights into whole numbers with the same sum, largest remainders first."""
    exact = [total * weight / sum(weights) for weight in weights]
    whole = [int(each) for each in exact]
    largest = sorted(range(len(exact)), key=lambda each: (whole[each] - exact[each], each))
    for each in largest[: total - sum(whole)]:
        whole[each] += 1
    return whole


def institution(kind: Kind, region: str, number: int, dice: random.Random) -> dict[str, str]:
    """One made-up row."""
    lat, lon, _ = CENTRES[region]
    around = 0.12 if region in CITIES else 1.1
    names = region_names()[region]
    return {
        "key": f"syn-{region[3:]}-{kind.type}-{number:03d}",
        "name_ru": f"{kind.ru} № {number}, {names['ru']} [synthetic]",
        "name_kk": f"№ {number} {kind.kk}, {names['kk']} [synthetic]",
        "name_en": f"{kind.en} No. {number}, {names['en']} [synthetic]",
        "type": kind.type,
        "region_iso": region,
        "lat": f"{lat + dice.uniform(-around, around):.5f}",
        "lon": f"{lon + dice.uniform(-around, around):.5f}",
        "capacity": str(round(dice.triangular(kind.least, kind.most, kind.least + (kind.most - kind.least) * 0.3))),
        "ministry": kind.ministry,
        "source": f"synthetic; number of this type {'from published count' if kind.is_published else 'assumed'}",
    }


@cache
def region_names() -> dict[str, dict[str, str]]:
    """Names of the regions by ISO code and language."""
    with (DATA / "regions.csv").open(encoding="utf-8", newline="") as file:
        return {row["iso_code"]: row for row in csv.DictReader(file)}


def write_csv(rows: list[dict[str, str]], file: TextIO) -> None:
    """Writes rows as the CSV that `import-institutions` takes. Open the file with newline=""."""
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def write_register(path: Path, n: int = DEFAULT_COUNT, seed: int = 1) -> int:
    """Writes a made-up register to a file; returns the number of institutions."""
    rows = make_register(n, seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        write_csv(rows, file)
    return len(rows)
