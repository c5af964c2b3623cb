"""What of an institution is read over the API."""

from __future__ import annotations

from marshmallow import RAISE, Schema, fields, validate
from marshmallow_sqlalchemy import SQLAlchemyAutoSchema

from server.institutions.tables import InstitutionRow


class InstitutionSchema(SQLAlchemyAutoSchema):  # type: ignore[type-arg]  # bound to a base SQLModel has not
    """An institution of the register."""

    class Meta:
        model = InstitutionRow
        fields = (
            "key", "name_ru", "name_kk", "name_en", "type", "region_iso", "lat", "lon", "capacity", "ministry",
            "source",
        )  # fmt: skip


class SearchSchema(Schema):
    """What to look for. Spelling differences of Kazakh, Russian and Latin letters do not matter."""

    class Meta:
        unknown = RAISE

    q = fields.String(load_default="", validate=validate.Length(max=200))
    region = fields.String(validate=validate.Length(1, 16), metadata={"description": "ISO 3166-2 code"})
    type = fields.String(validate=validate.Length(1, 64))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
