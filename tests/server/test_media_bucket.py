"""What is said of a wrong address of the media store never repeats it: somebody may have written a key into it."""

from __future__ import annotations

import pytest

from server.media.bucket import bucket_at

SECRET = "canary-secret"


@pytest.mark.parametrize(
    "address",
    [
        f"s3://canary-id:{SECRET}@bucket/prefix?endpoint=https://127.0.0.1",
        f"s3://bucket/{SECRET}?aws_secret_access_key={SECRET}",
        f"https://canary-id:{SECRET}@127.0.0.1/bucket",
        f"{SECRET}@bucket",
    ],
)
def test_a_wrong_address_is_not_repeated(address: str) -> None:
    with pytest.raises(ValueError, match="QORGAN_MEDIA") as refused:
        bucket_at(address)
    assert SECRET not in str(refused.value)
