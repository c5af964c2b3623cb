"""Pages of the Council in a browser: by keyboard alone, in three languages and themes, at any width, without script."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from shared.accounts import Role
from shared.texts import LANGUAGES
from tests.console.looks import THEMES, barriers, is_turn, sit_down, too_wide
from tests.console.seeding import LOGIN, PASSPHRASE, Running, running


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("office")) as office:
        yield office


def signed_in(
    browser: Browser, office: Running, person: str, hat: Role, language: str = "ru", theme: str = "light", **more
) -> BrowserContext:
    """A browser of its own with a session; a request to another host fails the page."""
    context = browser.new_context(**more)
    sit_down(context, office.address, office.council.cookie(person, hat, language, theme))
    return context


def addresses(office: Running) -> dict[str, tuple[str, str, Role]]:
    """Every kind of page: path, person, hat."""
    council = office.council
    member, secretary = council.members[4], council.secretary
    return {
        "inbox": ("/requests", member, Role.COUNCIL_MEMBER),
        "empty": ("/requests?tab=decided", member, Role.COUNCIL_MEMBER),
        "vote": (f"/requests/{office.requests[1]}", member, Role.COUNCIL_MEMBER),
        "secretary": (f"/requests/{office.requests[0]}", secretary, Role.COUNCIL_SECRETARY),
        "elections": ("/elections", secretary, Role.COUNCIL_SECRETARY),
        "call": ("/elections/new", secretary, Role.COUNCIL_SECRETARY),
        "election": (f"/elections/{office.election}", secretary, Role.COUNCIL_SECRETARY),
        "tied": (f"/elections/{office.tied}", member, Role.COUNCIL_MEMBER),
        "ballot": (f"/elections/{office.open}/ballot", member, Role.COUNCIL_MEMBER),
        "help": ("/help", member, Role.COUNCIL_MEMBER),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_has_a_barrier_overflows_or_asks_another_host(browser: Browser, office: Running, language: str) -> None:
    found, asked = {}, []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for number, (name, (path, person, hat)) in enumerate(addresses(office).items()):
        sit_down(context, office.address, office.council.cookie(person, hat, language))
        assert page.goto(office.address + path).status == 200, name
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("h1").count() == 1
        wrong = [*too_wide(page), *(barriers(page) if is_turn(number, language) else ())]
        if wrong:
            found[name] = wrong
    context.close()
    assert not found, json.dumps(found, ensure_ascii=False, indent=1)
    assert asked
    assert not [url for url in asked if not url.startswith(office.address)]


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_wears_the_theme_of_its_session(office: Running, theme: str) -> None:
    client = office.council.world.client()
    cookie = office.council.cookie(office.council.members[0], Role.COUNCIL_MEMBER, "ru", theme)
    client.set_cookie("__Host-qorgan", cookie, secure=True)
    assert f'data-theme="{theme}"' in client.get("/requests", base_url="https://localhost").text


def tab_to(page: Page, test: str, most: int = 80) -> None:
    """Tabs until the focused element fulfils the script; each stop on the way shows a ring and lies in sight."""
    for _ in range(most):
        page.keyboard.press("Tab")
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if page.evaluate(f"(e => {test})(document.activeElement)"):
            return
    raise AssertionError(f"not reached by keyboard: {test}")


def test_somebody_signs_in_and_votes_with_the_keyboard_alone(browser: Browser, office: Running) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="ru-RU")
    page = context.new_page()
    page.goto(office.address + "/requests?tab=mine")
    tab_to(page, "e.name === 'username'")
    page.keyboard.type(LOGIN)
    tab_to(page, "e.name === 'password'")
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/requests?tab=mine")
    target = office.requests[4]
    tab_to(page, f"(e.getAttribute('href') || '').endsWith('{target}')")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/requests/{target}")
    tab_to(page, "e.name === 'conflict'")
    page.keyboard.press("Space")
    tab_to(page, "e.name === 'choice'")
    page.keyboard.press("ArrowDown")
    tab_to(page, "e.name === 'reason'")
    page.keyboard.type("Статья 46")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=voted")
    assert page.get_by_text("Ваш голос записан").is_visible()
    assert office.council.ballot(office.ballots[4]).choices[office.council.members[0]] == "against"
    context.close()


def test_the_focus_is_on_the_errors_and_they_lead_to_the_fields(browser: Browser, office: Running) -> None:
    context = signed_in(browser, office, office.council.members[5], Role.COUNCIL_MEMBER)
    page = context.new_page()
    page.goto(f"{office.address}/requests/{office.requests[5]}")
    page.get_by_role("button", name="Записать голос").click()
    assert page.title().startswith("Ошибка:")
    assert page.evaluate("document.activeElement.className") == "errsum"
    page.get_by_role("link", name="Выберите решение").click()
    assert page.url.endswith("#choice")
    assert page.locator("#choice").is_visible()
    context.close()


def test_everything_works_without_script_and_the_language_keeps_the_page(browser: Browser, office: Running) -> None:
    context = signed_in(
        browser, office, office.council.members[6], Role.COUNCIL_MEMBER, java_script_enabled=False,
        viewport={"width": 320, "height": 700},
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"{office.address}/requests?tab=waiting&kind=intermediate")
    page.get_by_role("link", name="ҚАЗ").click()
    assert "kind=intermediate" in page.url
    assert page.locator("html").get_attribute("lang") == "kk"
    page.goto(f"{office.address}/requests/{office.requests[5]}")
    assert page.locator("html").get_attribute("lang") == "kk", "the session keeps the language"
    page.locator("[name=conflict][value=no]").check()
    page.locator("[name=choice][value=for]").check()
    page.locator("form.f button").first.click()
    assert "done=voted" in page.url
    assert office.council.ballot(office.ballots[5]).choices[office.council.members[6]] == "for"
    context.close()


def test_the_menu_opens_and_closes_by_key_at_a_narrow_width(browser: Browser, office: Running) -> None:
    context = signed_in(
        browser, office, office.council.members[0], Role.COUNCIL_MEMBER, viewport={"width": 320, "height": 700}
    )
    page = context.new_page()
    page.goto(office.address + "/requests")
    page.locator("button.menu").focus()
    page.keyboard.press("Enter")
    assert page.locator("#side").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#side").is_hidden()
    assert page.evaluate("document.activeElement.className") == "menu"
    context.close()


def test_a_session_warns_before_it_ends_and_goes_on_by_one_key(browser: Browser, office: Running) -> None:
    context = signed_in(browser, office, office.council.members[0], Role.COUNCIL_MEMBER)
    page = context.new_page()
    page.clock.install()
    page.goto(office.address + "/requests")
    assert page.locator("#expiring").is_hidden()
    page.clock.fast_forward(781_000)
    assert page.locator("#expiring").is_visible()
    assert page.evaluate("document.activeElement.id") == "expiring-stay"
    with page.expect_response("**/session/alive") as answer:
        page.keyboard.press("Enter")
    assert answer.value.status == 204
    page.locator("#expiring").wait_for(state="hidden")
    context.close()


def test_a_decision_prints_on_one_a4_page(browser: Browser, office: Running, tmp_path: Path) -> None:
    context = signed_in(browser, office, office.council.members[3], Role.COUNCIL_MEMBER)
    page = context.new_page()
    page.goto(f"{office.address}/requests/{office.requests[0]}")
    paper = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert len(paper.pages) == 1
    text = paper.pages[0].extract_text()
    for said in ("Координационный совет", "Как считается решение", "Председатель Совета", "Тлеуова С."):
        assert said in text
    assert "Мой голос" not in text
    context.close()
