"""The table of institutions."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class InstitutionRow(SQLModel, table=True):
    """An institution of the register in force; `is_listed` is off for one that an earlier register held, so that
    visits and requests keep its name."""

    __tablename__ = "institutions"

    key: str = Field(primary_key=True, max_length=64)
    name_ru: str = Field(max_length=300)
    name_kk: str = Field(default="", max_length=300)
    name_en: str = Field(default="", max_length=300)
    type: str = Field(max_length=300, index=True)
    region_iso: str = Field(max_length=300, index=True)
    lat: str = Field(default="", max_length=300)
    lon: str = Field(default="", max_length=300)
    capacity: int | None = None
    ministry: str = Field(default="", max_length=300)
    source: str = Field(default="", max_length=300)
    is_listed: bool = True
