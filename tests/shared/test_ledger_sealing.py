"""Sealed words, wrapped keys, halves for keyholders, files in pieces: who opens what, and who does not."""

from __future__ import annotations

import base64
import itertools
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.crypto import (
    CHUNK_BYTES,
    Effort,
    SealBroken,
    box,
    box_address,
    joined,
    new_box_key,
    new_id,
    new_key,
    seal,
    seal_chunks,
    sha256,
    split,
    stretched,
    unbox,
    unseal,
    unseal_chunks,
)
from shared.ledger.operation import canonical, decode_line, encode_line
from shared.ledger.packing import FREQUENT, IN_KZ_1048, IN_UTF_8, packed, unpacked
from shared.ledger.sealing import (
    PAD,
    REVIEW,
    KeyMade,
    Wrap,
    halves_for,
    key_made,
    opened_words,
    sealed_words,
    unwrapped,
    whole_from_halves,
    wrap_for,
)
from shared.registry import BODIES
from shared.values import is_id
from tests.examples import examples
from tests.make import AT, PERSON, SUBJECT, an_id
from tests.shared.test_ledger_canonical import texts

KEY, OTHER = sha256(b"key"), sha256(b"other")
KZ_1048 = {bytes([byte]).decode("kz1048") for byte in range(256) if byte != 0x98}
words = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), texts | st.integers(-9, 9), max_size=5)


@examples(500)
@given(words)
def test_words_open_with_their_key_for_their_subject_and_kind_only(said: dict[str, object]) -> None:
    sealed = sealed_words(KEY, SUBJECT, "note_recorded", said)
    assert opened_words(KEY, SUBJECT, "note_recorded", sealed) == said
    for key, subject, kind in (
        (OTHER, SUBJECT, "note_recorded"),
        (KEY, an_id(9), "note_recorded"),
        (KEY, SUBJECT, "note_changed"),
    ):
        with pytest.raises(SealBroken):
            opened_words(key, subject, kind, sealed)


@examples(500)
@given(words, words)
def test_the_length_of_sealed_words_tells_only_steps_of_128_bytes(
    one: dict[str, object], other: dict[str, object]
) -> None:
    sizes = [len(base64.b64decode(sealed_words(KEY, SUBJECT, "note_recorded", said))) - 28 for said in (one, other)]
    assert all(size % PAD == 0 and size > 0 for size in sizes)


def test_the_same_words_never_look_the_same() -> None:
    assert len({sealed_words(KEY, SUBJECT, "note_recorded", {"text": "тыныш"}) for _ in range(50)}) == 50


@examples(600)
@given(st.binary(max_size=300).map(lambda data: base64.b64encode(data).decode()) | st.text(max_size=60))
def test_whatever_stands_in_a_sealed_field_opening_it_is_words_or_seal_broken(sealed: str) -> None:
    with pytest.raises(SealBroken):
        opened_words(KEY, SUBJECT, "note_recorded", sealed)


@examples(1000)
@given(st.binary(max_size=200))
def test_whatever_a_holder_of_the_key_sealed_is_words_or_seal_broken(plain: bytes) -> None:
    sealed = base64.b64encode(seal(KEY, plain, f"{SUBJECT}\nnote_recorded".encode())).decode()
    with pytest.raises(SealBroken):
        opened_words(KEY, SUBJECT, "note_recorded", sealed)


def _sealed_plain(plain: bytes) -> str:
    return base64.b64encode(seal(KEY, plain, f"{SUBJECT}\nnote_recorded".encode())).decode()


def _packed(form: int, letters: str, plain: bytes) -> bytes:
    pack = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=FREQUENT.encode(letters))
    return bytes([form]) + pack.compress(plain) + pack.flush()


GOOD = _packed(2, "kz1048", '{"text":"тыныш"}'.encode("kz1048"))


def test_words_packed_by_hand_as_the_protocol_says_open() -> None:
    assert opened_words(KEY, SUBJECT, "note_recorded", _sealed_plain(GOOD + bytes(77))) == {"text": "тыныш"}


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\0" + GOOD[1:],
        b"\3" + GOOD[1:],
        b"\1" + GOOD[1:],
        GOOD[:-1],
        GOOD + b"\0\1",
        _packed(2, "kz1048", b'{"a":"\x98"}'),
    ],
)
def test_words_packed_otherwise_are_seal_broken(plain: bytes) -> None:
    with pytest.raises(SealBroken):
        opened_words(KEY, SUBJECT, "note_recorded", _sealed_plain(plain))


@examples(500)
@given(texts)
def test_every_text_is_packed_and_comes_back_in_the_letters_the_protocol_names(said: str) -> None:
    plain = packed(said.encode())
    assert unpacked(plain + bytes(9), 10_000_000) == said.encode()
    assert plain[0] == (IN_KZ_1048 if all(letter in KZ_1048 for letter in said) else IN_UTF_8)


def test_a_kazakh_russian_and_english_note_takes_one_byte_a_letter_before_it_is_packed() -> None:
    said = '«Қамтамасыз ету» № 5 – үй-жай, ӘәҒғҚқҢңӨөҰұҮүҺһІі; "Щит" ёлки — don’t…'
    assert packed(said.encode())[0] == IN_KZ_1048
    assert packed("☹".encode())[0] == packed("Bölme ğ".encode())[0] == IN_UTF_8


@pytest.mark.parametrize(
    "plain", [b"[1]", b'"x"', b"{", b'{"a":"\xff"}', b'{"a":' + b"[" * 9000 + b"]" * 9000 + b"}", b"x" * 5_000_000]
)
def test_strange_words_of_a_holder_of_the_key_are_seal_broken(plain: bytes) -> None:
    with pytest.raises(SealBroken):
        opened_words(KEY, SUBJECT, "note_recorded", _sealed_plain(_packed(1, "utf-8", plain)))


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_reader_opens_the_key_and_nobody_else() -> None:
    secrets = {an_id(20): new_box_key(), an_id(21): new_box_key(), REVIEW: new_box_key()}
    body, key = key_made(SUBJECT, {name: box_address(secret) for name, secret in secrets.items()})
    for name, secret in secrets.items():
        assert unwrapped(body.wraps, name, secret, SUBJECT, body.id) == key
        assert unwrapped(body.wraps, name, secret, an_id(9), body.id) is None
        assert unwrapped(body.wraps, name, secret, SUBJECT, "0" * 32) is None
    assert unwrapped(body.wraps, REVIEW, new_box_key(), SUBJECT, body.id) is None
    assert unwrapped(body.wraps, an_id(22), secrets[REVIEW], SUBJECT, body.id) is None
    line = encode_line(body, PERSON, AT, 1)
    assert decode_line(line, BODIES)[1] == body


def test_any_two_of_three_keyholders_rebuild_the_key_and_one_does_not() -> None:
    holders = {number: new_box_key() for number in (1, 2, 3)}
    key, key_id = new_key(), "ab" * 16
    wraps = halves_for({number: box_address(secret) for number, secret in holders.items()}, key, SUBJECT, key_id)
    assert len(wraps) == 6
    for one, other in itertools.permutations(holders, 2):
        assert whole_from_halves(wraps, (one, holders[one]), (other, holders[other]), SUBJECT, key_id) == key
    for one in holders:
        own = [wrap for wrap in wraps if wrap.to == str(one)]
        pairs = {wrap.pair: unbox(holders[one], base64.b64decode(wrap.box), _purpose(key_id)) for wrap in own}
        assert key not in pairs.values()
        assert key != joined(*pairs.values())
        assert unwrapped(wraps, str(one), holders[one], SUBJECT, key_id) is None
        stranger = new_box_key()
        with pytest.raises(SealBroken):
            other = next(number for number in holders if number != one)
            whole_from_halves(wraps, (one, holders[one]), (other, stranger), SUBJECT, key_id)
        with pytest.raises(SealBroken):
            whole_from_halves(own, (one, holders[one]), (other, holders[other]), SUBJECT, key_id)


def _purpose(key_id: str) -> bytes:
    return f"qorgan/key/1\n{SUBJECT}\n{key_id}".encode()


@examples(300)
@given(st.binary(min_size=1, max_size=64))
def test_one_half_alone_is_any_secret(secret: bytes) -> None:
    halves = split(secret).of
    for one, other in itertools.combinations(range(3), 2):
        assert joined(halves[one][other], halves[other][one]) == secret
    assert all(len(half) == len(secret) for of in halves for half in of.values())


@examples(500)
@given(st.text(max_size=80), st.sampled_from(["1", "2", REVIEW, an_id(20)]), st.integers(0, 4))
def test_a_broken_wrap_is_passed_over(boxed: str, to: str, pair: int) -> None:
    wraps = [Wrap(box=boxed, to=to, pair=pair)]
    assert unwrapped(wraps, to, KEY, SUBJECT, "0" * 32) is None
    with pytest.raises(SealBroken):
        whole_from_halves(wraps, (1, KEY), (2, OTHER), SUBJECT, "0" * 32)


def test_halves_of_unequal_length_are_seal_broken() -> None:
    holders = {number: new_box_key() for number in (1, 2, 3)}
    addresses = {number: box_address(secret) for number, secret in holders.items()}
    wraps = list(halves_for(addresses, KEY, SUBJECT, "0" * 32))
    short = wrap_for("1", addresses[1], b"short", SUBJECT, "0" * 32, pair=2)
    wraps = [wrap for wrap in wraps if (wrap.to, wrap.pair) != ("1", 2)] + [short]
    with pytest.raises(SealBroken):
        whole_from_halves(wraps, (1, holders[1]), (2, holders[2]), SUBJECT, "0" * 32)


def test_a_key_operation_has_one_spelling() -> None:
    body = KeyMade(id="0" * 32, level="S2", wraps=(Wrap(box="QQ==", to=REVIEW),))
    assert canonical(body) == b'{"id":"' + b"0" * 32 + b'","level":"S2","wraps":[{"box":"QQ==","to":"review"}]}'
    assert msgspec.json.decode(canonical(body), type=KeyMade) == body


# ── boxes, seals, files ─────────────────────────────────────────────────────────────────────────────────────────────


@examples(500)
@given(st.binary(max_size=200), st.data())
def test_a_changed_byte_opens_nothing(plain: bytes, data: st.DataObject) -> None:
    secret = sha256(b"reader")
    for sealed, opened in (
        (seal(KEY, plain, b"about"), lambda sealed: unseal(KEY, sealed, b"about")),
        (box(box_address(secret), plain, b"why"), lambda sealed: unbox(secret, sealed, b"why")),
    ):
        assert opened(sealed) == plain
        at = data.draw(st.integers(0, len(sealed) - 1))
        for wrong in (sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], sealed[:at], sealed + b"\x00"):
            with pytest.raises(SealBroken):
                opened(wrong)
    assert len(seal(KEY, plain, b"")) == len(plain) + 28
    assert len(box(box_address(secret), plain, b"")) == len(plain) + 48


def test_an_address_that_is_no_key_is_seal_broken() -> None:
    with pytest.raises(SealBroken):
        unbox(KEY, bytes(80), b"why")


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_a_file_in_pieces_opens_whole_or_not_at_all(size: int) -> None:
    plain = bytes(range(256)) * (size // 256 + 1)
    plain = plain[:size]
    chunks = [plain[at : at + CHUNK_BYTES] for at in range(0, size, CHUNK_BYTES)]
    parts = list(seal_chunks(KEY, b"photo", chunks))
    sealed = b"".join(parts)
    assert unseal_chunks(KEY, b"photo", sealed) == plain
    moved = b"".join([parts[0], *reversed(parts[1:])])
    for wrong in (
        sealed[:-1],
        sealed[:7],
        b"",
        b"".join(parts[:-1]),
        sealed + b"\x00",
        *([moved] if len(parts) > 2 else []),
    ):
        with pytest.raises(SealBroken):
            unseal_chunks(KEY, b"photo", wrong)
    with pytest.raises(SealBroken):
        unseal_chunks(KEY, b"another header", sealed)


@examples(1000)
@given(st.integers(-(2**60), 2**60))
def test_an_id_is_a_uuid_of_version_seven_whatever_the_clock_says(now_ms: int) -> None:
    assert is_id(new_id(now_ms))
    assert new_id(now_ms) != new_id(now_ms)


def test_a_passphrase_stretches_to_the_same_key_and_salt_matters() -> None:
    quick = Effort(64, 1, 1)
    assert stretched(b"secret", bytes(16), quick) == stretched(b"secret", bytes(16), quick)
    assert stretched(b"secret", bytes(16), quick) != stretched(b"secret", bytes(15) + b"\x01", quick)
