"""One furnished tablet for the tests that only look, a fresh one for those that write."""

from __future__ import annotations

import pytest

from tests.field_app.office_double import OfficeDouble
from tests.field_app.screens.ground import room  # noqa: F401
from tests.field_app.screens.hall import furnished
from tests.field_app.widgets.conftest import bench, window  # noqa: F401


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    office = OfficeDouble()
    made = furnished(tmp_path_factory.mktemp("hall") / "tablet", office)
    yield made
    made.store.close()
    office.close()


@pytest.fixture
def fresh(tmp_path):
    """Like `hall`, for one test alone."""
    office = OfficeDouble()
    made = furnished(tmp_path / "tablet", office)
    yield made
    made.store.close()
    office.close()
