"""The grey row under every question: why there is no answer, one tap each. *Refused* asks by whom and may stay so."""

from __future__ import annotations

from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Grid
from field_app.widgets.question_view import (
    NON_ANSWERS,
    NOT_APPLICABLE,
    NOT_KNOWN,
    REFUSERS,
    QuestionActions,
    QuestionView,
)
from field_app.widgets.text import Text
from shared.texts import Texts

ICONS = {
    NOT_KNOWN: "not_known",
    "not_seen": "not_seen",
    "not_asked": "not_asked",
    "refused": "refused",
    "does_not_apply": "does_not_apply",
    NOT_APPLICABLE: "does_not_apply",
}


def cells(view: QuestionView) -> tuple[str, ...]:
    """Codes of the row from left to right: the list's own *could not be established* first, its own *does not apply*
    instead of ours, so that nothing can be said in two ways."""
    codes = {option.code for option in view.options}
    first = (NOT_KNOWN,) if NOT_KNOWN in codes else ()
    return first + tuple(
        NOT_APPLICABLE if c == "does_not_apply" and NOT_APPLICABLE in codes else c for c in NON_ANSWERS
    )


class NonAnswers(Grid):
    """Equal cells; the list's own codes are answers, the others non-answers."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        words = {code: texts(f"widgets.{code}") for code in (*NON_ANSWERS, NOT_KNOWN)}
        words[NOT_APPLICABLE] = words["does_not_apply"]
        self._actions = actions
        self._buttons = {
            code: Button(
                words[code],
                ICONS[code],
                "grey",
                lambda code=code: self._tapped(code),
                size=14,
                icon_size=20,
                inset=4,
                role="choice",
                reserve=True,
                disabled_now=view.read_only,
            )
            for code in cells(view)
        }
        super().__init__(*self._buttons.values(), cell=104, gap=8)
        self.show(view)

    def upright(self, upright: bool) -> None:
        """Icon above the word where the row is narrow."""
        for button in self._buttons.values():
            if button.upright != upright:
                button.upright = upright
                button.invalidate()

    def show(self, view: QuestionView) -> None:
        self._view = view
        self._chosen = view.non_answer or (view.value if view.value in (NOT_KNOWN, NOT_APPLICABLE) else None)
        for code, button in self._buttons.items():
            chosen = code == self._chosen
            button.show(kind="grey_selected" if chosen else "grey", state="selected" if chosen else "")

    def _tapped(self, code: str) -> None:
        item, again = self._view.item, code == self._chosen
        if code in (NOT_KNOWN, NOT_APPLICABLE):
            self._actions.answer(item, None if again else code)
        else:
            self._actions.non_answer(item, None if again else code)


class Refusers(Col):
    """Who refused. A refusal stands without this too."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        buttons = [
            Button(
                texts(f"widgets.refused_{who}"),
                "check" if view.refused_by == who else None,
                "grey_selected" if view.refused_by == who else "grey",
                lambda who=who: actions.refused_by(view.item, who),
                role="choice",
                reserve=True,
                inset=12,
                disabled_now=view.read_only,
            )
            for who in REFUSERS
        ]
        for button, who in zip(buttons, REFUSERS, strict=True):
            button.state = "selected" if view.refused_by == who else ""
        super().__init__(Text(texts("widgets.refused_by_whom"), 14, "muted"), Grid(*buttons, gap=8), gap=6)
