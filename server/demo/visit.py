"""Steps 3, 4 and 6: the group and its mandate; two tablets without a network; the line that cuts and repeats."""

from __future__ import annotations

import io
import math
import random
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

from server.demo import windows
from server.demo.answering import acts_for, pinned
from server.demo.cast import ELECTED, LEADER, MEMBER, OFFICER, SECOND_OFFICER, SECRETARY
from server.demo.council import INSTITUTION
from server.demo.proxy import storm
from server.demo.scene import Scene
from server.demo.stage import expect
from server.demo.tablets import Tablet
from server.demo.windows import BY_KEY, BY_TOUCH, DIFFERENT
from server.ledger import queries as ledger
from shared.observations.record import Record
from shared.values import SubjectId

STORM_SEED = 20261122
FAULTS = 14
FINDINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "aigerim": (
        {
            "severity": "high", "standards": ["NMR-13"], "urgent": False, "language": "ru",
            "saw": "В камере карантинного отделения шесть спальных мест на девять человек, трое спят на полу.",
            "told": "Содержащиеся говорят, что так больше месяца.", "told_by": "содержащиеся",
            "concluded": "Не хватает спальных мест и постельных принадлежностей.",
            "recommendation": {
                "addressee": "Комитет уголовно-исполнительной системы",
                "text": "Обеспечить каждому отдельное спальное место и постельные принадлежности.",
                "due": "2027-02-01",
            },
        },
        {
            "severity": "medium", "standards": ["NMR-24"], "urgent": False, "language": "kk",
            "saw": "Медициналық журналда екі апта бойы жазба жоқ.",
            "concluded": "Күнделікті медициналық қарау жүргізілмеген.",
            "recommendation": {
                "addressee": "Мекеме басшылығы", "due": "2026-12-15",
                "text": "Күнделікті қарауды жүргізіп, журналға жазу.",
            },
        },
    ),
    "pavel": (
        {
            "severity": "low", "standards": ["OPCAT-20"], "urgent": False, "language": "ru",
            "saw": "Телефон доверия висит в двух шагах от поста, разговор слышен дежурному.",
            "concluded": "Жаловаться без посторонних ушей нельзя.",
            "recommendation": {
                "addressee": "Администрация учреждения", "due": "2026-12-31",
                "text": "Перенести телефон в отдельное помещение.",
            },
        },
    ),
}  # fmt: skip


def prepare(scene: Scene) -> None:
    """Step 3, second part: the group, conflicts of interest first, the mandate without the institution."""
    stage, secretary = scene.stage, scene.console.desk(SECRETARY)
    with stage.step("3.5", "A group of three; each declares about conflicts of interest") as step:
        secretary.go(f"/requests/{scene.request}")
        secretary.send(f"/requests/{scene.request}/order")
        with scene.office.database.read() as session:
            scene.visit = SubjectId(ledger.state(session, scene.request).visit)
        members = [scene.id_of(player) for player in (LEADER, MEMBER, ELECTED)]
        secretary.go(f"/visits/{scene.visit}/group")
        secretary.send(f"/visits/{scene.visit}/group", members=members, leader=members[0])
        tablet = scene.tablets["aigerim"]
        tablet.sync()
        tablet.act({"act": "declare_conflict", "conflict": False})
        tablet.sync()
        for player in (MEMBER, ELECTED):
            desk = scene.console.desk(player, "npm_member")
            desk.go(f"/visits/{scene.visit}/group")
            desk.send(f"/visits/{scene.visit}/conflict", conflict="no")
        step.figure = "3 declarations, no conflict"
    with stage.step("3.6", "The mandate: number, QR code, the institution blank") as step:
        secretary.go(f"/visits/{scene.visit}/group")
        day = scene.office.calendar.day_of(scene.now())
        secretary.send(
            f"/visits/{scene.visit}/mandate",
            valid_from=f"{day:%d.%m.%Y}",
            valid_until=f"{day.replace(day=28):%d.%m.%Y}",
        )
        secretary.send(f"/visits/{scene.visit}/officer", person=scene.id_of(OFFICER))
        secretary.send(f"/visits/{scene.visit}/officer", person=scene.id_of(SECOND_OFFICER))
        secretary.shot("console-visit-group")
        for language in ("kk", "ru"):
            paper = secretary.fetch(f"/visits/{scene.visit}/mandate.{language}.pdf")
            expect("the mandate is a PDF", paper.startswith(b"%PDF"))
            (stage.papers / f"mandate-{language}.pdf").write_bytes(paper)
        with scene.office.database.read() as session:
            state = ledger.state(session, scene.visit)
        expect("the mandate stands", state.stage == "mandate_issued")
        step.figure = f"mandate {state.mandate.number}"


def record(scene: Scene) -> None:
    """Step 4: three tablets enrolled, the plan pulled, the network gone, the visit recorded."""
    stage = scene.stage
    with stage.step("4.1", "Tablets enrolled by one-time code and a second officer") as step:
        scene.tablet("pavel", MEMBER)
        scene.tablet("dana", ELECTED)
        for tablet in scene.tablets.values():
            tablet.sync()
        plans = [tablet.show("visits")[0]["plan"].get("institution") for tablet in scene.tablets.values()]
        expect(f"every tablet holds the plan: {plans}", plans == [INSTITUTION] * 3)
        step.figure = "3 tablets, each holds plan, checklists, register"
    scene.line.online = False
    with stage.step("4.2", "No network: the visit begins, one tablet records 250 answers") as step:
        count = _first_tablet(scene, scene.tablets["aigerim"])
        step.figure = f"{count} acts, {scene.tablets['aigerim'].show('summary')['unsent']} operations wait"
    with stage.step("4.3", "The second tablet records its part") as step:
        count = _second_tablet(scene, scene.tablets["pavel"])
        step.figure = f"{count} acts, {scene.tablets['pavel'].show('summary')['unsent']} operations wait"


def _answers(scene: Scene, form: str, seed: int, **more: Any) -> list[dict[str, Any]]:
    checklist = pinned(scene.office, form)
    facts = {"region": "KZ-35", "inst_type": "colony", "institution": INSTITUTION, "visit_type": "special"}
    today = scene.office.calendar.day_of(scene.now())
    lists = {"institutions": [], "standards": [{"key": "NMR-13", "title": "", "themes": ""}]}
    facts |= {"date": today.isoformat(), "visit_ref": scene.visit[:8], "int_no": "A-01"}
    return list(acts_for(checklist, facts, lists, today, seed, **more))


def _first_tablet(scene: Scene, tablet: Tablet) -> int:
    acts: list[dict[str, Any]] = [
        {"act": "start", "institution": INSTITUTION},
        {"act": "record_entry", "held_count": 412, "delay_minutes": 25, "official": "дежурный помощник начальника"},
    ]
    left = {DIFFERENT, BY_KEY, *BY_TOUCH}
    answers = [act for act in _answers(scene, "npm_visit", 7) if act["item"] not in left]
    acts += answers
    acts.append({"act": "answer", "item": DIFFERENT, "value": "yes"})
    acts += [{"act": "note", "text": text, "of": "/acc", "language": "ru"} for text in (
        "Встретили спокойно, ждали 25 минут у КПП.", "Начальник просил не фотографировать вышки.",
    )]  # fmt: skip
    acts += _photo(tablet, "bunks", 3, "Спальные места в карантине")
    acts += _photo(tablet, "journal", 4, "Страница журнала осмотров")
    acts += _interview(scene, "first", 11)
    acts += [{"act": "finding", "evidence": ["/acc", "$bunks"], **finding} for finding in FINDINGS["aigerim"]]
    tablet.act(*acts)
    return len(acts)


def _second_tablet(scene: Scene, tablet: Tablet) -> int:
    acts: list[dict[str, Any]] = [{"act": "start", "institution": INSTITUTION}]
    mine = {act["item"] for act in _answers(scene, "npm_visit", 7)}
    acts += [act for act in _answers(scene, "npm_visit", 8) if act["item"] not in mine]
    acts += _photo(tablet, "phone", 5, "Телефон доверия у поста")
    acts += _interview(scene, "second", 12)
    acts += [{"act": "note", "text": "Екінші қабатта жарық жоқ.", "language": "kk"}]
    acts += [{"act": "finding", "evidence": ["$phone"], **finding} for finding in FINDINGS["pavel"]]
    tablet.act(*acts)
    return len(acts)


def _interview(scene: Scene, name: str, seed: int) -> list[dict[str, Any]]:
    about = {"interview": f"${name}"}
    return [
        {"act": "interview_begin", "as": name},
        {"act": "interview_consent", "said": "agrees", "note": True, **about},
        *_answers(scene, "npm_interview", seed, prefix="interview_", subject=about),
        {"act": "interview_note", "text": "Просит не называть отряд. Опасается перевода.", "language": "ru", **about},
        {"act": "interview_close", **about},
    ]


def _photo(tablet: Tablet, name: str, seed: int, caption: str) -> list[dict[str, Any]]:
    file = tablet.folder.parent / f"{tablet.name}-{name}.jpg"
    file.write_bytes(drawn_photo(seed))
    return [
        {"act": "photo", "file": str(file), "caption": caption, "language": "ru", "as": name},
        {"act": "clear_photo", "photo": f"${name}", "clear": True},
    ]


def drawn_photo(seed: int, width: int = 2400, height: int = 1600) -> bytes:
    """A drawn scene with the grain of a camera, as JPEG: bunks along a wall and a window. No person is in it."""
    luck = random.Random(seed)  # noqa: S311 - chance for a picture, not for a secret
    picture = Image.new("RGB", (width, height), (168 + luck.randint(-20, 20), 164, 150))
    draw = ImageDraw.Draw(picture)
    draw.polygon([(0, height), (width, height), (width - 300, height - 420), (300, height - 420)], fill=(116, 104, 92))
    draw.rectangle((width // 2 - 220, 180, width // 2 + 220, 560), fill=(205, 220, 228), outline=(70, 70, 72), width=14)
    for x in range(width // 2 - 150, width // 2 + 200, 75):
        draw.line((x, 180, x, 560), fill=(60, 60, 62), width=12)
    for row in range(3):
        left = 160 + row * 700 + luck.randint(-30, 30)
        for level in (0, 260):
            top = height - 820 + level
            draw.rectangle((left, top, left + 560, top + 60), fill=(74, 82, 96))
            draw.rectangle((left + 12, top - 46, left + 540, top), fill=(150 + luck.randint(0, 40), 140, 120))
        draw.line((left, height - 880, left, height - 320), fill=(50, 54, 60), width=22)
        draw.line((left + 556, height - 880, left + 556, height - 320), fill=(50, 54, 60), width=22)
    grain = Image.effect_noise((width, height), 24).convert("RGB")
    picture = Image.blend(picture.filter(ImageFilter.GaussianBlur(1.2)), grain, 0.12 + 0.02 * math.sin(seed))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=82)
    return file.getvalue()


def meet_again(scene: Scene) -> None:
    """Step 6: the network is back, cutting and repeating; both sync; the difference is seen and resolved."""
    stage, first, second = scene.stage, scene.tablets["aigerim"], scene.tablets["pavel"]
    with stage.step("6.1", "The network returns, and cuts, repeats, loses, reorders") as step:
        scene.line.online = True
        before = scene.line.seen.connections
        scene.line.plan(storm(STORM_SEED, FAULTS))
        for _ in range(12):
            done = [_try_sync(tablet) for tablet in (first, second)]
            if all(done) and not scene.line.planned:
                break
        for tablet in (first, second, first):
            tablet.sync()
        calls = scene.line.seen.connections - before
        faults = sum(kind != "pass" for kind in scene.line.seen.faults[-calls:])
        step.figure = f"{calls} calls, {faults} of them broken"
    with stage.step("6.2", "Each record is there once; the tablets and the office agree") as step:
        state, operations = _record(scene)
        expect("no operation is there twice", len({op.id for op in operations}) == len(operations))
        held = [len(tablet.show("answers")) for tablet in (first, second)]
        expect(f"both tablets hold the same items: {held}", held[0] == held[1] == len(state.answers.items))
        interviews = len(state.interviews)
        expect(
            "two interviews, three photos, three findings",
            (interviews, len(state.photos), len(state.findings)) == (2, 3, 3),
        )
        step.figure = f"{len(operations)} operations, {held[0]} items, 2 interviews, 3 photos"
    with stage.step("6.3", "The difference shows on both tablets and in the console") as step:
        differing = [
            [each["item"] for each in tablet.show("answers") if each["state"] == "differs"]
            for tablet in (first, second)
        ]
        expect(f"both tablets show the difference: {differing}", differing[0] == differing[1] == [DIFFERENT])
        desk = scene.console.desk(OFFICER)
        desk.go(f"/visits/{scene.visit}?part=answers")
        desk.shot("console-c8-difference")
        windows.show_difference(scene)
        step.figure = f"{DIFFERENT}: yes and no"
    with stage.step("6.4", "A member chooses; both values stay in history") as step:
        said = next(each["said"] for each in first.show("answers") if each["item"] == DIFFERENT)
        chosen = next(each["operation"] for each in said if each["value"] == "no")
        first.act({"act": "choose", "item": DIFFERENT, "chosen": chosen})
        for tablet in (first, second):
            tablet.sync()
        state, _ = _record(scene)
        item = state.answers.items[DIFFERENT]
        expect("the choice stands", state.effective(DIFFERENT).state == "chosen")
        expect("both values stay", {entry.value for entry in item.entries} == {"yes", "no"})
        step.figure = "chosen: no; yes kept"


def _try_sync(tablet: Tablet) -> bool:
    return "left on the tablet: 0" in tablet.sync(codes=(0, 4, 8), rounds=2)


def _record(scene: Scene) -> tuple[Record, list[Any]]:
    with scene.office.database.read() as session:
        found = ledger.children(session, scene.visit, "record")
        expect("one record", len(found) == 1)
        return ledger.state(session, found[0]), ledger.operations(session, found[0])
