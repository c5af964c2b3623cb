"""The people of the demo office: invented, one or more for every role, with the accounts it prints at the end."""

from __future__ import annotations

from dataclasses import dataclass

from shared.accounts import Role


@dataclass(frozen=True)
class Player:
    """A person of the demo."""

    login: str
    name: str
    roles: tuple[Role, ...]
    language: str = "ru"

    @property
    def passphrase(self) -> str:
        """The passphrase of the demo account: long enough for the rule, and known to everybody."""
        return f"qorgan demo {self.login} 2026"


ADMIN = Player("admin", "Ерлан Тасболатов", (Role.ADMIN,), "kk")
SECRETARY = Player("secretary", "Сауле Тлеуова", (Role.COUNCIL_SECRETARY,))
COMMISSIONER = Player("commissioner", "Бауыржан Қасымов", (Role.COMMISSIONER, Role.KEYHOLDER), "kk")
OFFICER = Player("officer", "Гүлнар Сейтова", (Role.CENTRE_OFFICER,))
SECOND_OFFICER = Player("officer2", "Марат Ибраев", (Role.CENTRE_OFFICER,))
AUDITOR = Player("auditor", "Ирина Ким", (Role.AUDITOR,))
COUNCIL = tuple(
    Player(f"council{number}", name, (Role.COUNCIL_MEMBER, Role.KEYHOLDER) if number == 1 else (Role.COUNCIL_MEMBER,))
    for number, name in enumerate(
        (
            "Айнұр Сапарова", "Нұрлан Әбенов", "Ольга Руденко", "Ержан Оспанов", "Дина Жұмабекова", "Павел Ли",
            "Светлана Петренко", "Тимур Ахметов", "Мария Иванова", "Қайрат Досанов",
        ),
        1,
    )
)  # fmt: skip
CUSTODIAN = Player("custodian", "Роза Мұқанова", (Role.KEYHOLDER,))
LEADER = Player("aigerim", "Айгерім Нұрланова", (Role.NPM_MEMBER,), "kk")
MEMBER = Player("pavel", "Павел Гордеев", (Role.NPM_MEMBER,))
CANDIDATES = (
    Player("dana", "Дана Әлімбаева", ()),
    Player("ruslan", "Руслан Цой", ()),
    Player("lyudmila", "Людмила Кравцова", ()),
)
ELECTED = CANDIDATES[0]
OTHERS = (
    Player("finance", "Жанар Мусина", (Role.FINANCE_OFFICER,)),
    Player("region", "Болат Садыков", (Role.REGIONAL_REP,)),
    Player("ministry", "Асель Ермекова", (Role.STATE_BODY_CONTACT,)),
    Player("expert", "Камила Ахметова", (Role.EXPERT,)),
)
PIN = "24681357"
"""PIN of every tablet of the demo."""

EVERYBODY = (
    ADMIN, SECRETARY, COMMISSIONER, OFFICER, SECOND_OFFICER, AUDITOR, *COUNCIL, CUSTODIAN, LEADER, MEMBER, *OTHERS,
)  # fmt: skip
"""Those who have an account before the election."""
