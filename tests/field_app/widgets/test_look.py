"""Colours as numbers, letters in the font, drawings of icons: what needs no window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ImageFont

from field_app.widgets import fonts
from field_app.widgets.icon_shapes import SHAPES
from field_app.widgets.theme import THEMES, TOKENS, Choice, Look, contrast, from_hex
from shared.texts import FOLDER, LANGUAGES

GROUNDS = ("bg", "surface", "page", "card")
READ = [
    *((ink, ground) for ink in ("text", "muted", "primary", "ok", "warn", "bad", "info") for ground in GROUNDS),
    *((ink, "surface2") for ink in ("text", "muted")),
    *((ink, f"{ink}_soft") for ink in ("ok", "warn", "bad", "info")),
    ("on", "primary"),
    ("primary", "soft"),
    ("text", "soft"),
    ("muted", "soft"),
    ("on_inverse", "inverse"),
    ("bg", "bad"),
]
SEEN = [*((edge, ground) for edge in ("line", "primary") for ground in GROUNDS), ("warn", "warn_soft"), ("bad", "card")]
COVERED = ("bg", "surface", "page", "card", "soft", "surface2", "warn_soft", "info_soft")
"""What lies around a control, where the ring is drawn."""
KAZAKH = "АӘБВГҒДЕЁЖЗИЙКҚЛМНҢОӨПРСТУҰҮФХҺЦЧШЩЪЫІЬЭЮЯаәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя"
SIGNS = "0123456789 .,:;?()«»“”„'\"/%№₸–—-+·•×²³°…\u00a0ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), READ)
def test_words_can_be_read(theme: str, ink: str, ground: str) -> None:
    assert contrast(TOKENS[theme][ink], TOKENS[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("edge", "ground"), SEEN)
def test_edges_of_controls_can_be_seen(theme: str, edge: str, ground: str) -> None:
    assert contrast(TOKENS[theme][edge], TOKENS[theme][ground]) >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("covered", COVERED)
def test_one_half_of_the_focus_ring_can_be_seen_around_any_control(theme: str, covered: str) -> None:
    tokens = TOKENS[theme]
    assert max(contrast(tokens[half], tokens[covered]) for half in ("focus", "halo")) >= 3


def test_known_ratios_of_contrast() -> None:
    assert contrast(from_hex("000000"), from_hex("FFFFFF")) == pytest.approx(21)
    assert contrast(from_hex("767676"), from_hex("FFFFFF")) == pytest.approx(4.54, abs=0.01)


def test_a_look_changes_as_a_whole_and_tells_its_watchers() -> None:
    look, told = Look(), []
    end = look.watch(lambda before, after: told.append((before, after)))
    look.change(Choice("night"))
    assert look.colour("text") == from_hex("E8B48A")
    assert look.version == 0
    look.change(Choice("night", 200, "left"))
    assert look.version == 1
    assert look.sp(18) == 36
    assert look.icon(20) == 30
    assert look.dp(64) == 64
    assert look.large
    end()
    look.change(Choice())
    assert len(told) == 2
    with pytest.raises(ValueError):
        look.change(Choice(scale=130))


@pytest.mark.parametrize("path", fonts.find(), ids=lambda path: path.name)
def test_the_font_has_every_letter_and_sign(path: Path) -> None:
    said = "".join(part.read_text("utf-8") for language in LANGUAGES for part in (FOLDER / language).glob("*.po"))
    font = ImageFont.truetype(str(path), 20)
    absent = bytes(font.getmask("\U0010fffe"))
    for letter in sorted(set(KAZAKH + SIGNS + said) - set("\n\t\\")):
        if not letter.isspace():
            assert bytes(font.getmask(letter)) != absent, f"{path.name} has no {letter} (U+{ord(letter):04X})"


def test_a_missing_font_names_the_package(tmp_path: Path) -> None:
    with pytest.raises(fonts.FontMissing, match="fonts-noto-core"):
        fonts.find((tmp_path,))
    (tmp_path / fonts.REGULAR).touch()
    with pytest.raises(fonts.FontMissing):
        fonts.find((tmp_path,))


@pytest.mark.parametrize("name", SHAPES)
def test_every_icon_has_a_drawing_that_stays_in_its_field(window: object, name: str) -> None:
    from field_app.widgets.icon import drawing

    picture = drawing(name, 48)
    left, top, right, bottom = picture.getbbox()
    assert right - left > 8
    assert left >= 0
    assert right <= 48
    assert top >= 0
    assert bottom <= 48
    share = sum(picture.histogram()[128:]) / (48 * 48)
    assert 0.01 < share < 0.45


def test_icons_differ_from_one_another(window: object) -> None:
    from field_app.widgets.icon import drawing

    assert len({drawing(name, 32).tobytes() for name in SHAPES}) == len(SHAPES)


def test_an_unknown_icon_is_an_error(window: object) -> None:
    from field_app.widgets.icon import icon_texture

    with pytest.raises(KeyError):
        icon_texture("unheard_of", 24)


def test_a_nine_patch_covers_its_inside_and_rounds_its_corner(window: object) -> None:
    from field_app.widgets.nine import coverage

    filled, ring = coverage(8), coverage(8, 1)
    assert filled.size == (18, 18)
    assert filled.getpixel((9, 9)) == 255
    assert filled.getpixel((0, 0)) == 0
    assert ring.getpixel((9, 9)) == 0
    assert ring.getpixel((9, 0)) == 255
    assert ring.getpixel((9, 1)) == 0
