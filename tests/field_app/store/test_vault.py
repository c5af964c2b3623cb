"""The lock of a tablet: wrong tries, waits, the tenth, recovery by two of three, and what a copied folder is worth."""

from __future__ import annotations

from datetime import timedelta

import pytest

from field_app.store.errors import PinWait, PinWeak, PinWrong, SlotDestroyed
from field_app.store.store import Store
from field_app.store.vault import TRIES, WAITS, Vault, pin_weakness
from shared.ledger.crypto import SealBroken, box_address, new_box_key, new_key
from tests.field_app.tablets import NOW, PIN, KeystoreDouble
from tests.ground.tablet import CHEAP

HOLDERS = {number: new_box_key() for number in (1, 2, 3)}


@pytest.fixture
def vault(tmp_path):
    key = Vault.make(tmp_path, PIN, KeystoreDouble(), "store", CHEAP)
    made = Vault(tmp_path, KeystoreDouble())
    made.entrust(key, {number: box_address(secret) for number, secret in HOLDERS.items()})
    return made, key


@pytest.mark.parametrize(
    ("pin", "weakness"),
    [
        ("1234567", "short"), ("12345678", "simple"), ("87654321", "simple"), ("11111111", "simple"), ("49027315", ""),
        ("су арық тау жол", "short"), ("терезе бұлақ тауда жолаушы", ""), ("дом дом дом дом", "simple"),
        ("abcdefghij", "short"), ("abcde12345", ""), ("aaaaaaaaa1", "short"), ("", "short"),
    ],
)  # fmt: skip
def test_what_is_too_easy(pin, weakness):
    assert pin_weakness(pin) == weakness


def test_a_weak_pin_makes_no_vault(tmp_path):
    with pytest.raises(PinWeak):
        Vault.make(tmp_path, "12345678", KeystoreDouble(), "store")
    assert not (tmp_path / "vault").exists()


def test_the_right_pin_opens_and_forgets_earlier_wrong_ones(vault):
    made, key = vault
    for left in (9, 8):
        with pytest.raises(PinWrong) as wrong:
            made.open("00000000", NOW)
        assert (wrong.value.left, wrong.value.wait) == (left, 0)
    assert made.open(PIN, NOW) == key
    with pytest.raises(PinWrong) as wrong:
        made.open("00000000", NOW)
    assert wrong.value.left == 9


def test_five_are_free_then_the_waits_then_the_slot_is_destroyed(vault):
    made, key = vault
    now = NOW
    for number in range(1, TRIES):
        with pytest.raises(PinWrong) as wrong:
            made.open("00000000", now)
        assert (wrong.value.left, wrong.value.wait) == (TRIES - number, WAITS[number])
        if WAITS[number]:
            with pytest.raises(PinWait):
                made.open(PIN, now + timedelta(seconds=WAITS[number] - 1))
        now += timedelta(seconds=WAITS[number])
    assert sum(WAITS) == 30 + 60 + 300 + 900 + 3600
    with pytest.raises(SlotDestroyed):
        made.open("00000000", now)
    with pytest.raises(SlotDestroyed):
        Vault(made.folder, KeystoreDouble()).open(PIN, now + timedelta(days=30))
    assert made.recover((1, HOLDERS[1]), (3, HOLDERS[3]), "50617283") == key
    assert Vault(made.folder, KeystoreDouble()).open("50617283", now) == key


def test_a_try_is_counted_before_it_is_made(vault):
    made, _ = vault

    class Torn(KeystoreDouble):
        """The power goes while the PIN is tried."""

        def secret(self):
            if self.calls == 0:
                raise KeyboardInterrupt
            self.calls -= 1
            return super().secret()

    torn = Torn()
    torn.calls = 2  # reading the counter, writing it; the third is the try itself
    with pytest.raises(KeyboardInterrupt):
        Vault(made.folder, torn).open("00000000", NOW)
    with pytest.raises(PinWrong) as wrong:
        made.open("00000000", NOW)
    assert wrong.value.left == 8


def test_taking_the_counter_away_takes_the_free_tries_with_it(vault):
    made, _ = vault
    (made.folder / "tries").unlink()
    with pytest.raises(PinWait):
        made.open(PIN, NOW)


def test_taking_the_counter_away_before_each_try_gives_no_tries(vault):
    """The count stands in the vault too: waits grow and the tenth destroys the slot, as if nothing had been deleted."""
    made, _ = vault
    now, tries = NOW, 0
    with pytest.raises(SlotDestroyed):
        while tries < 2 * TRIES:
            (made.folder / "tries").unlink(missing_ok=True)
            fresh = Vault(made.folder, KeystoreDouble())
            with pytest.raises(PinWait) as wait:
                fresh.open("00000000", now)
            now += timedelta(seconds=wait.value.wait)
            with pytest.raises(PinWrong):
                fresh.open("00000000", now)
            tries += 1
    assert tries < TRIES - 4


def test_an_older_counter_put_back_gives_no_tries(vault):
    made, key = vault
    assert made.open(PIN, NOW) == key
    kept = (made.folder / "tries").read_bytes()
    for number in range(1, 4):
        with pytest.raises(PinWrong) as wrong:
            Vault(made.folder, KeystoreDouble()).open("00000000", NOW)
        assert wrong.value.left == TRIES - number
        (made.folder / "tries").write_bytes(kept)


def test_the_tenth_try_on_a_disk_that_takes_nothing_still_opens_nothing(vault, monkeypatch):
    made, _ = vault
    now = NOW
    for number in range(1, TRIES):
        with pytest.raises(PinWrong):
            made.open("00000000", now)
        now += timedelta(seconds=WAITS[number])

    def full(self):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "destroy", full)
        with pytest.raises(SlotDestroyed):
            made.open("00000000", now)
    with pytest.raises(SlotDestroyed):
        Vault(made.folder, KeystoreDouble()).open(PIN, now + timedelta(days=1))


def test_a_clock_set_back_makes_nobody_wait_for_years(vault):
    made, key = vault
    for _ in range(5):
        with pytest.raises(PinWrong):
            made.open("00000000", NOW)
    past = NOW - timedelta(days=4000)
    with pytest.raises(PinWait):
        made.open(PIN, past)
    assert made.open(PIN, past + timedelta(seconds=30)) == key


def test_without_this_tablets_keystore_the_pin_opens_nothing(vault):
    made, _ = vault
    with pytest.raises(PinWrong):
        thief = Vault(made.folder, KeystoreDouble(new_key()))
        thief.open(PIN, NOW + timedelta(hours=1))
        thief.open(PIN, NOW + timedelta(hours=3))


@pytest.mark.parametrize("pair", [(1, 2), (1, 3), (2, 3)])
def test_any_two_keyholders_open_and_one_does_not(vault, pair):
    made, key = vault
    one, other = pair
    assert made.recover((one, HOLDERS[one]), (other, HOLDERS[other]), "50617283") == key
    with pytest.raises(SealBroken):
        made.recover((one, HOLDERS[one]), (other, new_box_key()), "50617283")


def test_recovery_of_a_whole_store_keeps_every_byte(office, make_store):
    store = make_store("tablet", office)
    store.draft("a", "мәтін", 5)
    store.vault.destroy()
    store.close()
    with pytest.raises(SlotDestroyed):
        Store.open(store.folder, PIN, KeystoreDouble(), NOW)
    holders = office.holders
    again = Store.recover(store.folder, (2, holders[2]), (3, holders[3]), "50617283", KeystoreDouble(new_key()))
    assert again.drafts()["a"].text == "мәтін"
    again.close()


def test_nothing_readable_lies_on_the_disk(office, make_store):
    from field_app.acts import records

    store = make_store("tablet", office)
    store.draft("field", "КАНАРЕЙКА-1", 5)
    records.loose_note(store, "КАНАРЕЙКА-2", NOW)
    store.lock()
    canaries = [text.encode(code) for text in ("КАНАРЕЙКА", PIN) for code in ("utf-8", "utf-16-le")]
    for path in store.folder.rglob("*"):
        if path.is_file() and path.name != "ballast":
            data = path.read_bytes()
            assert not any(canary in data for canary in canaries), path
