"""Screens made of every widget of the kit, with invented content in three languages, for the audit and the gallery."""

from __future__ import annotations

from collections.abc import Callable

from field_app.widgets.button import KINDS, Button
from field_app.widgets.cover import Cover
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.keypad import keypad_sheet
from field_app.widgets.layout import Col, Gap, Grid, Rule, Wrap
from field_app.widgets.list import Entry, RowList
from field_app.widgets.node import Node
from field_app.widgets.page_buttons import PageButtons
from field_app.widgets.picker import search_sheet
from field_app.widgets.pill import Pill
from field_app.widgets.question_view import Option, QuestionActions, QuestionView, RepeatRow
from field_app.widgets.questions import QuestionCard
from field_app.widgets.rail import Rail, RailItem
from field_app.widgets.scroll import Scroll
from field_app.widgets.sheet import dialog
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from field_app.widgets.topbar import TopBar
from field_app.widgets.undo_strip import offer_undo
from shared.texts import Language, Texts, texts

WORDS: dict[str, tuple[str, str, str]] = {
    "home": ("Басты бет", "Главная", "Home"),
    "list": ("Тізім", "Список", "List"),
    "photo": ("Фото", "Снимок", "Photo"),
    "place": ("ИК-25", "ИК-25", "IK-25"),
    "theme": ("К. Медициналық көмек", "К. Медицинская помощь", "K. Medical care"),
    "before": ("Ж. Материалдық жағдайлар", "Ж. Материальные условия", "J. Material conditions"),
    "after": ("Л. Персонал", "Л. Персонал", "L. Staff"),
    "count": ("5 / 28", "5 из 28", "5 of 28"),
    "yes": ("Иә", "Да", "Yes"),
    "partly": ("Ішінара", "Частично", "Partly"),
    "no": ("Жоқ", "Нет", "No"),
    "q1": (
        "Әркімді алғашқы тәулікте медик қарай ма?",
        "Осматривает ли медик каждого в первые сутки?",
        "Is everyone seen by a medic within the first day?",
    ),
    "q2": (
        "Тексеру күзетсіз, оңаша өте ме?",
        "Проходит ли осмотр вне слышимости и видимости охраны?",
        "Do examinations take place out of hearing and sight of guards?",
    ),
    "q3": (
        "Жарақаттар әңгіме, қарау, қорытынды, сызба не фотомен тіркеле ме?",
        "Фиксируются ли повреждения: рассказ, осмотр, вывод, схема или фото?",
        "Are injuries recorded: account, examination, conclusion, chart or photo?",
    ),
    "q4": ("Дәрігерді күту (күн)", "Ожидание врача (дней)", "Waiting for a doctor (days)"),
    "q5": ("Қандай дәрі-дәрмек жетіспейді?", "Каких лекарств не хватает?", "Which medicines are missing?"),
    "q6": ("Соңғы тексеру күні", "Дата последней проверки", "Date of the last inspection"),
    "q7": ("Журналдың фотосы", "Снимок журнала", "Photo of the register"),
    "q8": ("Қай жерлер қаралды?", "Какие места осмотрены?", "Which places were looked at?"),
    "q9": ("Мекеме", "Учреждение", "Institution"),
    "q10": ("Бір адамға келетін аудан", "Площадь на человека", "Area per person"),
    "q11": ("Камералар", "Камеры", "Cells"),
    "q12": ("Қақпаның орны", "Место ворот", "Position of the gate"),
    "q13": ("Келген уақыт", "Время прибытия", "Time of arrival"),
    "q14": ("Алдымен журналды сұраңыз.", "Сначала попросите журнал.", "Ask for the register first."),
    "days": ("күн", "дн.", "days"),
    "metres": ("м²", "м²", "m²"),
    "colleague": ("Павел: Иә", "Павел: Да", "Pavel: Yes"),
    "range": ("Әдетте 0-ден 90-ға дейін", "Обычно от 0 до 90", "Usually from 0 to 90"),
    "warn": (
        "Бұл әдеттегіден көп. Жауап сақталды.",
        "Это больше обычного. Ответ сохранён.",
        "This is more than usual. The answer is saved.",
    ),
    "wards": ("палаталар", "палаты", "wards"),
    "kitchen": ("асхана және ас дайындау орны", "столовая и пищеблок", "dining hall and kitchen"),
    "shower": ("жуынатын орын", "душевая", "shower"),
    "isolator": ("тәртіптік изолятор", "дисциплинарный изолятор", "disciplinary isolator"),
    "yard": ("серуен ауласы", "прогулочный двор", "exercise yard"),
    "cell": ("Камера 12 · 6 төсек · 9 адам", "Камера 12 · 6 кроватей · 9 человек", "Cell 12 · 6 beds · 9 people"),
    "words": (
        "Инсулин алты апта болмаған, туыстары әкелген.",
        "Инсулина не было шесть недель, привозили родные.",
        "There was no insulin for six weeks, relatives brought it.",
    ),
    "all": ("Бәрі", "Все", "All"),
    "left": ("Қалғаны 118", "Осталось 118", "Left 118"),
    "differ": ("Айырма 4", "Различия 4", "Differ 4"),
    "deleted": ("Камера 12 алынды.", "Камера 12 убрана.", "Cell 12 was removed."),
    "ask": (
        "Өзгерістер сақталды. Сапарды жабасыз ба?",
        "Всё сохранено. Закрыть посещение?",
        "Everything is saved. Close the visit?",
    ),
    "close": ("Сапарды жабу", "Закрыть посещение", "Close the visit"),
    "waiting": ("Жіберуді күтуде", "Ждёт отправки", "Waiting"),
    "received": ("Қабылданды", "Получено", "Received"),
    "failed": ("Жіберілмеді", "Не удалось", "Failed"),
    "decide": ("Шешіміңіз керек", "Нужно ваше решение", "Needs your decision"),
    "tablet": ("Планшетте", "На планшете", "On this tablet"),
    "full": ("Жад толды. Орын босатыңыз.", "Память заполнена. Освободите место.", "Storage full. Free space."),
}
_ORDER: tuple[Language, ...] = ("kk", "ru", "en")
THEMES_OF_VISIT = (
    ("А", "Қолжетімділік және ынтымақтастық", "Доступ и сотрудничество", "Access and cooperation", "8/9"),
    ("Б", "Кім ұсталады", "Кто содержится", "Who is held", "7/7"),
    ("Г", "Қарым-қатынас", "Обращение", "Treatment", "17/25"),
    ("Д", "Кепілдіктер", "Гарантии", "Safeguards", "6/29"),
    ("Е", "Тәртіп, тексеру", "Порядок, дисциплина, досмотры", "Order, discipline, searches", "0/16"),
    ("Ж", "Материалдық жағдайлар", "Материальные условия", "Material conditions", "9/34"),
    ("З", "Режим және жұмыспен қамту", "Режим и занятость", "Regime and activities", "0/14"),
    ("И", "Сыртқы әлеммен байланыс", "Связь с внешним миром", "Contact with the outside", "0/12"),
    ("К", "Медициналық көмек", "Медицинская помощь", "Medical care", "5/28"),
    ("Л", "Персонал", "Персонал", "Staff", "0/12"),
    ("М", "Осал топтар", "Уязвимые группы", "Vulnerable groups", "0/14"),
    ("Н", "Мекемелердегі балалар", "Дети в учреждениях", "Children in institutions", "0/12"),
)


def speaker(language: Language) -> Callable[[str], str]:
    place = _ORDER.index(language)
    return lambda key: WORDS[key][place]


def comp(say: Callable[[str], str]) -> tuple[Option, ...]:
    return (
        Option("yes", say("yes")),
        Option("partly", say("partly")),
        Option("no", say("no")),
        Option("na", "–"),
        Option("nk", "–"),
    )


def questions(language: Language) -> list[QuestionView]:
    """One question of every kind and state."""
    say = speaker(language)
    five = comp(say)
    places = tuple(Option(code, say(code)) for code in ("wards", "kitchen", "shower", "isolator", "yard"))
    rows = (RepeatRow("a1b2c3d4", say("cell"), 5, 8), RepeatRow("b1b2c3d4", say("cell"), 8, 8))
    return [
        QuestionView(
            "/v/k4", "select_one", say("q1"), "К.4", value="yes", options=five, has_standard=True, counts={"note": 1}
        ),
        QuestionView(
            "/v/k5",
            "select_one",
            say("q2"),
            "К.5",
            value="partly",
            options=five,
            has_standard=True,
            colleague=say("colleague"),
        ),
        QuestionView(
            "/v/k6",
            "select_one",
            say("q3"),
            "К.6",
            options=five,
            has_standard=True,
            non_answer="refused",
            refused_by="staff",
        ),
        QuestionView(
            "/v/k7",
            "integer",
            say("q4"),
            "К.7",
            value="120",
            unit=say("days"),
            hint=say("range"),
            least=0,
            warning=say("warn"),
            has_standard=True,
        ),
        QuestionView("/v/k8", "decimal", say("q10"), "К.8", value="2.7", unit=say("metres")),
        QuestionView("/v/k9", "text", say("q5"), "К.9", value=say("words"), appearance="multiline"),
        QuestionView("/v/k10", "date", say("q6"), "К.10", value="2026-03-07"),
        QuestionView("/v/k11", "time", say("q13"), "К.11"),
        QuestionView(
            "/v/k12", "select_multiple", say("q8"), "К.12", value="wards yard", options=places, second=WORDS["q8"][0]
        ),
        QuestionView("/v/k13", "select_one_from_file", say("q9"), "К.13", value="x", shown="ИК-25, Караганда"),
        QuestionView("/v/k14", "geopoint", say("q12"), "К.14", value="49.80467 73.10938"),
        QuestionView("/v/k15", "image", say("q7"), "К.15", value="a b", counts={"photo": 2, "finding": 1}),
        QuestionView("/v/k16", "repeat", say("q11"), "К.16", rows=rows),
        QuestionView("/v/k17", "calculate", say("q10"), "К.17", shown="2,7 м²"),
        QuestionView("/v/k18", "note", say("q14")),
        QuestionView("/v/k19", "barcode", say("q6"), "К.19"),
    ]


def chrome(language: Language, detail: Node, *, strip: Node | None = None, panes: bool = True) -> Frame:
    """A frame with everything in it."""
    say, t = speaker(language), texts(language)
    place = _ORDER.index(language)
    top = TopBar(t, say("place"), say("theme"), undo=lambda: None, saved_at="14:05:07", unsent=5, battery=62)
    rail = Rail(
        t,
        [
            RailItem("home", say("home"), lambda: None),
            RailItem("list", say("list"), lambda: None, current=True),
            RailItem("camera", say("photo"), lambda: None),
        ],
        note=lambda: None,
        cover=lambda: None,
    )
    entries = [
        Entry(row[0], row[1 + place], mark=row[0], trail=row[4], current=row[0] == "К") for row in THEMES_OF_VISIT
    ]
    chips = Grid(
        Button(say("all"), kind="selected", size=14, inset=4),
        Button(say("left"), size=14, inset=4),
        Button(say("differ"), size=14, inset=4),
        cell=64,
        gap=8,
        pad=(16, 12),
    )
    pane = None
    if panes:
        pane = Col(chips, Rule(), RowList(entries, row=64, fill=1))
    return Frame(top, rail, detail, list_pane=pane, list_title=say("theme"), strip=strip)


def checklist(
    language: Language, views: list[QuestionView] | None = None, actions: QuestionActions | None = None
) -> Frame:
    say, t = speaker(language), texts(language)
    cards = [QuestionCard(view, actions or QuestionActions(), t) for view in views or questions(language)]
    pane = Scroll(Page(*cards))
    count = Text(say("count").replace(" ", "\u00a0"), 18, "muted")
    strip = Strip(
        Button(say("before"), "left", short=say("before")[:2]),
        Gap(grow=1),
        count,
        PageButtons(t, pane),
        Gap(grow=1),
        Button(say("after"), None, "primary", trail="right", short=say("after")[:2]),
        spare=(count,),
    )
    return chrome(language, pane, strip=strip)


def controls(language: Language) -> Frame:
    """Every kind of button, pills, a text field, a row list."""
    say, t = speaker(language), texts(language)
    buttons = Grid(*(Button(say("partly"), "check", kind) for kind in KINDS), cell=150, columns=4, gap=12)
    pills = Wrap(
        *(
            Pill(say(word), icon, kind)
            for word, icon, kind in (
                ("tablet", "tablet", "grey"),
                ("waiting", "clock", "outline"),
                ("decide", "differs", "warn"),
                ("failed", "alert", "failed"),
                ("received", "done", "plain_ok"),
            )
        ),
        gap=8,
    )
    field = TextField(say("q5"), say("words"), multiline=True, lines=3)
    empty = TextField(say("q9"), hint=say("q9"))
    disabled = Button(say("close"), "lock", disabled_now=True)
    return chrome(
        language,
        Scroll(Col(buttons, pills, field, empty, disabled, Text(t("widgets.cover_text"), 18), gap=16, pad=24)),
        panes=False,
    )


def with_sheet(language: Language) -> Frame:
    say, t = speaker(language), texts(language)
    frame = checklist(language)
    frame.open(
        keypad_sheet(
            t,
            say("q4"),
            "integer",
            "120",
            draft=lambda text: None,
            done=lambda value: None,
            hint=say("range"),
            unit=say("days"),
        )
    )
    return frame


def with_search(language: Language) -> Frame:
    say, t = speaker(language), texts(language)
    frame = checklist(language)
    rows = [Entry(str(n), f"{say('place')} · {n}", sub=say("q9"), icon="building") for n in range(300)]
    frame.open(search_sheet(t, say("q9"), lambda query: [r for r in rows if query in r.title], lambda key: None))
    return frame


def with_dialog(language: Language) -> Frame:
    say, t = speaker(language), texts(language)
    frame = checklist(language)
    frame.open(dialog(t, say("close"), say("ask"), yes=say("close"), act=lambda: None))
    return frame


def with_failure(language: Language) -> Frame:
    say = speaker(language)
    frame = checklist(language)
    frame.top_bar.failed(say("full"))
    offer_undo(frame, texts(language), say("deleted"), lambda: None, seconds=3600)  # however slow the machine is
    return frame


def cover(language: Language) -> Node:
    return Cover(texts(language), lambda: None)


SCENES: dict[str, Callable[[Language], Node]] = {
    "checklist": checklist,
    "controls": controls,
    "sheet": with_sheet,
    "search": with_search,
    "dialog": with_dialog,
    "failure": with_failure,
    "cover": cover,
}
_ = Texts
