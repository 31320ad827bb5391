"""A small menu of languages, kept in the session, that the parts of the status page follow.

The portal's own words stay English, to keep it small. A site that uses Flask-Babel needs nothing of this: its parts of
the status page follow Flask-Babel by themselves.
"""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectField

LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "ja": "日本語",
    "ar": "العربية",
}

blueprint = Blueprint("language", __name__)


class LanguageForm(FlaskForm):
    language = SelectField(choices=[*LANGUAGES.items()])


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.context_processor(
        lambda: {"language_form": LanguageForm(formdata=None, language=chosen() or "en")}
    )


def chosen() -> str | None:
    """The language that the visitor chose; None: none yet."""
    language = session.get("language")
    return language if language in LANGUAGES else None


@blueprint.post("/language")
def choose() -> ResponseReturnValue:
    form = LanguageForm()
    if form.validate_on_submit():
        session["language"] = form.language.data
    return redirect(url_for("overview.home"), 303)
