"""Seeded generator of realistic field visits, as plain JSON. Standard library only.

One visit = 1 visit header + 300 form answers + 20 free-text notes + 10 interviews
+ 5 findings + 10 photo descriptions = 346 small records, about 80-100 KB of JSON in
UTF-8, mostly Russian with some Kazakh and a little mixed speech, with the slips of
people who type on a phone.

    from benchmarks.payload import visit, records, photo
    v = visit(7)                  # dict; the same number gives the same visit
    recs = records(v)             # flat list of 346 {"id", "kind", "visit", ...}
    jpg = photo(7, 0)             # incompressible bytes, 2-3 MB, JPEG markers

    python -m benchmarks.payload --count 3 --out visits.jsonl       # one visit a line
    python -m benchmarks.payload --stats                            # sizes and compression
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import statistics
import sys
import uuid
import zlib

ANSWERS, NOTES, INTERVIEWS, FINDINGS, PHOTOS = 300, 20, 10, 5, 10
EPOCH_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z

PLACES = """Актас Сарыбулак Жанатурмыс Кызылжар Новодолинка Каражал Тасоткель Бирлик Аксуат Карабулак
Шахан Мойынты Жаркент Осакаровка Ушарал Балкашино Теренозек Кокпекты Ерейментау Достык Айтеке-Би Саумалколь
Шубаркудук Макинск Уштобе Кеген Аягоз Темирлановка Бурабай Есик""".split()
DISTRICTS = """Абайский Нуринский Жанааркинский Осакаровский Каркаралинский Шетский Бухар-Жырауский Актогайский
Сарканский Аксуский Ескельдинский Кербулакский Коксуский Райымбекский Уйгурский Талгарский""".split()
STREETS = """Абая Сейфуллина Школьная Мира Бейбитшилик Достык Гагарина Жамбыла Новая Набережная Степная
Ауэзова Победы Молодёжная Кунаева Луговая Болашак Центральная Сатпаева Садовая""".split()
SURNAMES = """Ахметов Нурланова Сулейменов Иванова Петренко Жумабаева Оспанов Ким Касымова Бекмуратов Смагулова
Тлеубергенов Абдрахманова Шевченко Мусин Ли Кожахметова Садыков Ермекова Рахимов Байжанова Гордеев Искакова
Токтаров Мухамеджанова Цой Досанов Алимбаева Кравцова Жаксылыков""".split()
NAMES = """Айгуль Ерлан Марат Светлана Гульнара Данияр Ольга Бауыржан Жанар Сергей Асель Тимур Наталья Кайрат
Динара Алия Владимир Сауле Нурлан Татьяна Ержан Мадина Руслан Зарина Арман Людмила Болат Камила""".split()

# Sentence stock. Each slot is filled from its own list, so that text has the spread of
# words of real notes (checked against manual pages in Russian: see --stats).
SUBJ = """заведующая|директор школы|медсестра ФАП|старшая по дому|дежурный оператор|водитель водовозки|житель соседнего дома
|повар столовой|специалист акимата|мастер котельной|мать троих детей|социальный работник|бухгалтер|пенсионерка|воспитатель
|фельдшер|завхоз|слесарь|участковый|бывший работник насосной|учительница начальных классов|председатель КСК|продавец магазина
|фермер|лаборант|сторож|оператор насосной станции|представитель подрядчика|хозяйка дома|молодой специалист|инженер водоканала"""
VERB_PAST = """сообщила, что|пояснил, что|утверждает, что|не смогла подтвердить, что|показала журнал, из которого видно, что
|отказался говорить о том, что|несколько раз повторила, что|вспомнил, что|попросила записать, что|считает, что|подчеркнул, что
|с трудом вспомнила, что|при свидетелях сказал, что|написала заявление о том, что|говорит со слов соседей, что|уверена, что"""
CLAUSE = """вода идёт только с шести до девяти утра|насос меняли прошлой осенью, но документов нет|крышу обещали починить ещё до снега
|в журнале проверок пропущены три месяца|детей водят пить в соседнее здание|трубы промерзают каждый январь|хлораторная закрыта на замок
|ключ находится у другого человека|лекарства привозят раз в две недели|холодильник для вакцин отключали на ночь
|провод проложен прямо по земле|огнетушитель просрочен на два года|бригада приезжала, посмотрела и уехала|акт подписали не глядя
|показания счётчика списывали вместе с соседями|скважину бурили в двух местах и обе оказались солёными|пандус сделали слишком крутым
|тёплый туалет закрыли из-за запаха|дрова и уголь завезли с опозданием|зарплату за ноябрь выдали в середине января
|автобус не ходит, когда метёт|мусор вывозят нерегулярно, площадка завалена|стены отсырели до второго этажа|кабель украли весной
|для людей на коляске вход только со двора|пробы отправляли в лабораторию, ответа так и не получили|фильтры не меняли с момента запуска
|собаки разрывают пакеты с отходами|котёл дымит, угарный датчик не установлен|в подвале стоит вода по щиколотку
|дорогу чистят после звонка в акимат|связи почти нет, звонят с холма|питание детей сократили до одного раза|жалобы писали в область дважды
|разрешение выдали на прежнего владельца|расписка осталась только в копии|денег собрали по пять тысяч тенге с каждого двора"""
PLACE = """в кабинете|на первом этаже|у насосной|за школой|возле ФАП|в подвале|на складе|в пищеблоке|у въезда в село|на чердаке|в коридоре
|в раздевалке|около котельной|во дворе|на остановке|у магазина|в актовом зале|на берегу|у колонки на углу|в бывшем клубе|под лестницей
|в щитовой|напротив мечети|возле старого элеватора"""
OBS = """следы протечки|свежая штукатурка поверх трещины|оголённые провода|новая дверь без ручки|пустые полки|журнал без подписей
|ржавый бак без крышки|пломба отсутствует|плесень в углах|разбитое стекло заклеено скотчем|сломанный замок|запах газа|сильный сквозняк
|лёд на ступенях|неработающий светильник|аптечка с просроченными препаратами|открытый люк|лужа у щита|лишняя мебель на пути эвакуации
|самодельный обогреватель|исправный счётчик|чистая посуда|новый насос в заводской упаковке|доска объявлений с графиком дежурств
|расписание подвоза|ящик для обращений без ключа|следы грызунов|забитая вентиляция|треснувшая труба|перегоревший предохранитель"""
ADV = """к моменту приезда|со слов присутствующих|по документам|на вид|по сравнению с прошлым визитом|судя по датам|на момент осмотра
|без предупреждения|после повторного вопроса|при дневном свете|с разрешения хозяев|в присутствии двух человек|по состоянию на утро
|ближе к обеду|перед самым отъездом|спустя полчаса|сначала|потом|в итоге|кроме того|отдельно|между тем|как выяснилось"""
ASK = """нужно вернуться с электриком|просят прислать лабораторию|договорились созвониться в четверг|фото приложено, номер на табличке читается плохо
|документы обещали отправить почтой|следует уточнить в районном отделе|надо перепроверить по накладным|повторный замер через неделю
|передать коллегам из отдела образования|имя не записывать, человек опасается|копию акта снять не дали|нужен переводчик с казахского
|сверить с прошлогодней анкетой|запросить схему сети|попросили не фотографировать лица|разговор прервали, продолжим по телефону"""
QUOTE = """мы уже и не ждём, каждый год одно и то же|лишь бы дети не болели, остальное переживём|приезжают, пишут, а толку никакого
|хорошо, что хоть вы доехали по такой дороге|воду берём у соседей, платим за бензин|я двадцать лет тут работаю и такого не видела
|нам сказали подписать, мы подписали|если честно, сами всё чинили на свои деньги|раньше было хуже, врать не буду
|пусть начальник сам попробует это пить|зимой вообще отдельная история, ночью не спим|обещают к весне, а к какой весне не говорят
|у меня астма, мне этим дымом дышать нельзя|ребёнок пропустил три недели из-за холода в классе|спасибо, но боюсь, потом спросят, кто рассказал"""
KAZ = """Су таңертең ғана келеді, кешке мүлде жоқ|Балалар көрші үйден су тасиды|Мұғалім былтырдан бері айтып жүр, бірақ ешкім жөндемеді
|Жолды қыста күнде тазаламайды|Дәріхана жабық, ауданға барамыз|Құжаттар әкімдікте қалған деп айтты|Сорап жаңа, бірақ тоқ жиі сөнеді
|Үйдің төбесінен су ағады, жазда жөндейміз деді|Біз өтініш жаздық, жауап әлі келген жоқ|Медбике аптасына екі рет келеді
|Көмір қымбат, көмек тек кейбіреулерге берілді|Мектепте ыстық тамақ бар, оған рақмет|Қоқыс алаңы толып тұр, ит көп
|Кедергісіз орта жасалмаған, арбамен кіру қиын|Атымды жазбай-ақ қойыңыз, кейін әңгіме болады|Ұңғыманың суы тұзды, мал да ішпейді"""
MIX = """Ну сами посмотрите, су жоқ, свет өшеді, а квитанция келеді|Апам болеет, ауданға на такси возим, қымбат
|Рахмет, конечно, бірақ бізге вода керек, а не бумага|Жарайды, подпишу, только объясните не үшін"""
CATS = [
    "water",
    "heating",
    "access",
    "fire_safety",
    "staff",
    "food",
    "medicine",
    "records",
    "power",
    "sanitation",
    "road",
    "complaints",
]
CHOICES = [
    "yes",
    "no",
    "partly",
    "unknown",
    "refused",
    "not_applicable",
    "good",
    "worn",
    "broken",
    "daily",
    "weekly",
    "rarely",
]
SEVERITY = ["low", "medium", "high", "critical"]
UNITS = ["л/с", "°C", "чел.", "мг/л", "кВт", "м", "шт.", "тенге", "мин", "км"]


def _stock(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", "").split("|")]


_S = {
    n: _stock(globals()[n])
    for n in ("SUBJ", "VERB_PAST", "CLAUSE", "PLACE", "OBS", "ADV", "ASK", "QUOTE", "KAZ", "MIX")
}
_SUF = ("", "", "", "", " примерно", " вроде бы", " по-моему", " точно", " опять", " тоже")


_STEM = """стар нов больш мал холодн тёпл грязн чист пуст полн тёмн светл сух сыр тяжёл лёгк прежн соседн сельск районн областн местн
временн постоянн частичн подробн устн письменн личн общ главн запасн аварийн ремонтн кирпичн деревянн железн бетонн пластиков
бумажн электрическ газов угольн водопроводн канализационн школьн детск медицинск пожарн складск уличн подвальн чердачн угловн
прошлогодн недавн срочн поздн ранн утренн вечерн ночн зимн весенн летн осенн ежедневн редк част долг коротк узк широк низк высок
последн перв втор трет сломанн исправн ржав гнил треснувш заброшенн арендованн списанн бесплатн платн дорог дешёв опасн надёжн
странн обычн спорн законн незаконн готов недостроенн самодельн казённ частн чуж собственн""".split()
_END = ("ый", "ая", "ое", "ые", "ого", "ой", "ому", "ым", "ую", "ых", "ыми", "о")
_GLUE = """уже ещё только почти всё снова давно теперь здесь там никто кто-то потом сразу наверное хотя поэтому значит однако тогда
всегда никогда иногда вместе отдельно сверху снизу рядом далеко сегодня вчера завтра позже раньше зря вообще кстати""".split()


def _spread(r: random.Random, s: str) -> str:
    """Odd words put in between, so that text repeats itself no more than real prose does."""
    ws = s.split(" ")
    for _ in range(max(1, len(ws) // 5)):
        ws.insert(
            r.randrange(1, len(ws) + 1), r.choice(_STEM) + r.choice(_END) if r.random() < 0.6 else r.choice(_GLUE)
        )
    return " ".join(ws)


def _typo(r: random.Random, s: str) -> str:
    """A slip a thumb makes: a letter dropped, doubled or swapped with the next one."""
    if len(s) < 12 or r.random() > 0.45:
        return s
    i = r.randrange(1, len(s) - 2)
    k = r.random()
    if k < 0.4:
        return s[:i] + s[i + 1 :]
    if k < 0.6:
        return s[:i] + s[i] + s[i:]
    return s[:i] + s[i + 1] + s[i] + s[i + 2 :]


def _person(r: random.Random) -> str:
    return (
        f"{r.choice(SURNAMES)} {r.choice(NAMES)[0]}." if r.random() < 0.5 else f"{r.choice(NAMES)} {r.choice(SURNAMES)}"
    )


def _fact(r: random.Random) -> str:
    k = r.randrange(7)
    if k == 0:
        return f"замер {r.uniform(0.1, 98):.1f} {r.choice(UNITS)} в {r.randrange(7, 20)}:{r.randrange(60):02d}"
    if k == 1:
        return f"акт № {r.randrange(11, 4890)}/{r.choice('абвдк')} от {r.randrange(1, 29):02d}.{r.randrange(1, 13):02d}.202{r.randrange(3, 7)}"
    if k == 2:
        return f"ул. {r.choice(STREETS)}, д. {r.randrange(1, 140)}"
    if k == 3:
        return f"с {r.randrange(2009, 2026)} года, около {r.randrange(2, 900)} человек"
    if k == 4:
        return f"тел. {r.choice(['701', '705', '747', '771', '777'])} *** {r.randrange(10, 99)} {r.randrange(10, 99)}"
    if k == 5:
        return f"{_person(r)}, {r.randrange(19, 84)} лет"
    return f"сумма {r.randrange(3, 980)} тыс. тенге"


def sentence(r: random.Random) -> str:
    k, c = r.random(), r.choice
    if k < 0.30:
        s = f"{c(_S['SUBJ'])} {c(_S['VERB_PAST'])}{c(_SUF)} {c(_S['CLAUSE'])}"
    elif k < 0.52:
        s = f"{c(_S['ADV'])} {c(_S['PLACE'])} {c(_S['OBS'])}, {c(_S['CLAUSE'])}"
    elif k < 0.66:
        s = f"{c(_S['PLACE'])} {c(_S['OBS'])} и {c(_S['OBS'])}; {_fact(r)}"
    elif k < 0.78:
        s = f"{_fact(r)}, {c(_S['ASK'])}"
    elif k < 0.88:
        s = f"«{c(_S['QUOTE'])}», говорит {c(_S['SUBJ'])}"
    elif k < 0.97:
        s = c(_S["KAZ"])
    else:
        s = c(_S["MIX"])
    s = _typo(r, _spread(r, s))
    return s[0].upper() + s[1:] + r.choice("." * 8 + "!" + "?")


def text(r: random.Random, chars: int) -> str:
    out, n = [], 0
    while n < chars:
        s = sentence(r)
        out.append(s)
        n += len(s) + 1
    return " ".join(out)


def _uid(r: random.Random, ms: int) -> str:
    """A version 7 UUID: time first, so keys sort by creation, the rest random."""
    v = (ms & (1 << 48) - 1) << 80 | 7 << 76 | r.getrandbits(12) << 64 | 2 << 62 | r.getrandbits(62)
    return str(uuid.UUID(int=v))


def _value(r: random.Random, q: int, kind: str):
    if kind == "choice":
        return r.choice(CHOICES[q % 7 : q % 7 + 5])
    if kind == "multi":
        return sorted(r.sample(CATS, r.randrange(1, 4)))
    if kind == "number":
        return round(r.uniform(0, 250), 2) if q % 3 else r.randrange(0, 400)
    if kind == "date":
        return f"202{r.randrange(3, 7)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}"
    return text(r, r.choice((15, 30, 60, 90)))


KINDS = (
    ["choice"] * 10 + ["multi"] * 2 + ["number"] * 4 + ["date"] + ["text"] * 3
)  # the form is fixed: same kind for a question


def visit(n: int, seed: int = 2026, answers: int = ANSWERS) -> dict:
    """Visit number n of a seed. The same arguments always give the same visit."""
    r = random.Random(f"{seed}:{n}")
    t = EPOCH_MS + n * 5_400_000 + r.randrange(3_600_000)
    vid, author = _uid(r, t), f"u{r.randrange(1, 41):03d}"

    def rec(kind: str, **data) -> dict:
        nonlocal t
        t += r.randrange(2_000, 55_000)
        return {"id": _uid(r, t), "kind": kind, "at": t, "by": author, **data}

    head = {
        "id": vid,
        "kind": "visit",
        "at": t,
        "by": author,
        "form": "school-water-2026",
        "form_version": 7,
        "place": r.choice(PLACES),
        "district": r.choice(DISTRICTS) + " район",
        "address": f"ул. {r.choice(STREETS)}, {r.randrange(1, 140)}",
        "lat": round(r.uniform(43.0, 54.5), 6),
        "lon": round(r.uniform(51.0, 82.0), 6),
        "accuracy_m": round(r.uniform(3, 40), 1),
        "device": f"d{r.getrandbits(32):08x}",
        "status": "complete",
        "lang": r.choice(["ru", "ru", "ru", "kk"]),
    }
    ans = []
    for q in range(1, answers + 1):
        a = rec("answer", q=f"s{(q - 1) // 25 + 1:02d}.q{q:03d}", v=_value(r, q, KINDS[(q * 7) % len(KINDS)]))
        if r.random() < 0.06:
            a["comment"] = text(r, 40)
        ans.append(a)
    notes = [
        rec("note", q=r.choice(ans)["q"] if r.random() < 0.5 else None, text=text(r, r.choice((120, 220, 350, 550))))
        for _ in range(NOTES)
    ]
    inter = [
        rec(
            "interview",
            person=_person(r),
            role=r.choice(_S["SUBJ"]),
            age=r.randrange(18, 85),
            consent=r.random() < 0.9,
            anonymous=r.random() < 0.4,
            minutes=r.randrange(4, 50),
            lang=r.choice(["ru", "kk", "ru+kk"]),
            text=text(r, r.choice((500, 800, 1200))),
        )
        for _ in range(INTERVIEWS)
    ]
    finds = [
        rec(
            "finding",
            title=sentence(r),
            category=r.choice(CATS),
            severity=r.choice(SEVERITY),
            text=text(r, 500),
            advice=text(r, 150),
            due=f"2026-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}",
            evidence=[x["id"] for x in r.sample(ans + notes, 3)],
        )
        for _ in range(FINDINGS)
    ]
    pics = [
        rec(
            "photo",
            name=f"IMG_{r.randrange(1000, 9999)}.jpg",
            bytes=r.randrange(2_000_000, 3_000_001),
            width=4000,
            height=3000,
            sha256=hashlib.sha256(f"{seed}:{n}:{i}".encode()).hexdigest(),
            caption=text(r, 30),
            of=r.choice(finds)["id"],
        )
        for i in range(PHOTOS)
    ]
    return {"visit": head, "answers": ans, "notes": notes, "interviews": inter, "findings": finds, "photos": pics}


def records(v: dict) -> list[dict]:
    """The flat records of a visit, each with the id of its visit: 346 with the defaults."""
    vid = v["visit"]["id"]
    out = [v["visit"] | {"visit": vid}]
    for part in ("answers", "notes", "interviews", "findings", "photos"):
        out += [x | {"visit": vid} for x in v[part]]
    return out


def photo(n: int, i: int, seed: int = 2026) -> bytes:
    """Photo i of visit n: random bytes between JPEG markers (a JPEG doesn't compress either)."""
    r = random.Random(f"{seed}:{n}:photo:{i}")
    return b"\xff\xd8\xff\xe0" + r.randbytes(r.randrange(2_000_000, 3_000_001)) + b"\xff\xd9"


def dumps(obj) -> bytes:
    return json.dumps(obj, ensure_ascii=False, separators=(",", ":")).encode()


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--count", type=int, default=1)
    p.add_argument("--start", type=int, default=0)
    p.add_argument("--seed", type=int, default=2026)
    p.add_argument("--out", help="file, one visit a line (default: standard output)")
    p.add_argument("--stats", action="store_true", help="print sizes instead of visits")
    a = p.parse_args()
    if a.stats:
        vs = [visit(n, a.seed) for n in range(a.start, a.start + max(a.count, 20))]
        b = [dumps(v) for v in vs]
        flat = [dumps(records(v)) for v in vs]
        prose = " ".join(x["text"] for v in vs for x in v["notes"] + v["interviews"]).encode()[:65536]
        print(f"records a visit        {len(records(vs[0]))}")
        print(
            f"nested JSON, bytes     {statistics.fmean(map(len, b)):.0f} (min {min(map(len, b))}, max {max(map(len, b))})"
        )
        print(f"flat records, bytes    {statistics.fmean(map(len, flat)):.0f}")
        print(f"gzip -6 of nested      {statistics.fmean([len(gzip.compress(x, 6)) for x in b]):.0f}")
        print(f"prose of 64 KiB: zlib -6 ratio {len(prose) / len(zlib.compress(prose, 6)):.2f}")
        return 0
    lines = (dumps(visit(n, a.seed)) + b"\n" for n in range(a.start, a.start + a.count))
    if a.out:
        with open(a.out, "wb") as out:
            out.writelines(lines)
    else:
        sys.stdout.buffer.writelines(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
