"""How the words of a sealed part become few bytes before they are sealed, and back.

One byte says how the letters are written: KZ-1048 (one byte a letter for Kazakh, Russian and English, quotation marks
and № included) when every character is in it, else UTF-8. Behind it stands raw DEFLATE that begins with `FREQUENT`
known. AEAD tells whether bytes are whole, so no checksum is kept. Knows no keys. Source: PROTOCOL P29.
"""

from __future__ import annotations

import zlib

IN_UTF_8, IN_KZ_1048 = 1, 2
LETTERS = {IN_UTF_8: "utf-8", IN_KZ_1048: "kz1048"}
"""Form → name of its letters in Python's table of codecs."""
_WINDOW = -15

FREQUENT = (
    # What stands near the end costs least: keys of bodies last, before them small words, before these the trade's own.
    "изолятор корпус отделение учреждение начальник сотрудник персонал администрация дежурный журнал запись "
    "видеонаблюдение прокуратура адвокат заявление жалоба протокол осмотр медицинский врач лекарство лечение больница "
    "здоровье телесные повреждения наказание досмотр обыск прогулка питание пищеблок санузел вентиляция освещение "
    "температура площадь норматив спальное место постель матрас душ горячая вода холодная вода отопление окно решётка "
    "осуждённый задержанный подследственный несовершеннолетний женщина ребёнок пациент инвалид иностранец переводчик "
    "содержание условия нарушение рекомендация устранить обеспечить необходимо отсутствует установлено проверка "
    "камера бөлме ғимарат мекеме бастық қызметкер дәрігер медициналық көмек дәрі аурухана жазба шағым өтініш қорғаушы "
    "тамақ су жарық желдету жылу терезе төсек орын серуен тексеру бұзушылық ұсыныс сотталған ұсталған адам әйел бала "
    "қамтамасыз ету қажет жоқ болған айтты деді берілген жасалған керек бойынша туралы кейін дейін "
    "который которые потому после перед через между сказал говорит сообщил пояснил считает показал находится работает "
    "может можно нужно должен должны было были была есть нет ещё уже только также очень всего около человек день дня "
    "дней часов раз год года месяц неделю время его её их они мне нам нас что это как так для при без или если когда "
    "чтобы где там тут от до из за под над по на не но не было со слов в том числе и в "
    "және бұл мен бір үшін бар де да оның олар біз ол "
    "ение ация ости ость ного ными ский ская ских тель ются ется ного ого ему ами ить ать ыми ный ная ные "
    "the and of to in is was not with for room cell said "
    '"caption":"","addressee":"","concluded":"","due":"2026-","reason":"","recommendation":"","saw":"","title":"",'
    '"language":"en","text":"{"language":"kk","text":"{"value":"{"language":"ru","text":"'
)
"""Text both ends know beforehand (KZ-1048 or UTF-8 as the letters are): part of the protocol, never changed."""

_KNOWN = {form: FREQUENT.encode(letters) for form, letters in LETTERS.items()}


class NotPacked(ValueError):
    """The bytes were not made by `packed`, or unpack beyond the limit."""


def packed(words: bytes) -> bytes:
    """UTF-8 text as one byte of form and raw DEFLATE."""
    form, plain = _written(words.decode())
    pack = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 9, zlib.Z_DEFAULT_STRATEGY, _KNOWN[form])
    return bytes((form,)) + pack.compress(plain) + pack.flush()


def _written(text: str) -> tuple[int, bytes]:
    try:
        return IN_KZ_1048, text.encode(LETTERS[IN_KZ_1048])
    except UnicodeEncodeError:
        return IN_UTF_8, text.encode()


def unpacked(data: bytes, limit: int) -> bytes:
    """The UTF-8 text behind `packed` bytes that zero bytes may follow. Raises NotPacked, also beyond `limit` bytes."""
    form = data[0] if data else 0
    if form not in LETTERS:
        raise NotPacked("form")
    unpack = zlib.decompressobj(_WINDOW, _KNOWN[form])
    try:
        plain = unpack.decompress(data[1:], limit)
        text = plain.decode(LETTERS[form])
    except (zlib.error, UnicodeDecodeError) as error:
        raise NotPacked("bytes") from error
    if not unpack.eof or unpack.unused_data.strip(b"\0"):
        raise NotPacked("end")
    return text.encode()
