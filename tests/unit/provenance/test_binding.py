"""Which of our ids the value of a soft binding names."""

import base64

import pytest

from darkroom.provenance.binding import bound_id
from darkroom.provenance.trustmark.packet import text_of
from darkroom.provenance.watermark import mark_value
from tests.unit.provenance.making import MARK_ID, SECRET

TSS, TRUSTMARK = "org.darkroom.tss.1", "com.adobe.trustmark.P"
TEXT = text_of(MARK_ID, SECRET)
IN_BASE64 = base64.b64encode(TEXT.encode()).decode()


@pytest.mark.parametrize(("alg", "value"), [(TSS, mark_value(MARK_ID)), (TRUSTMARK, mark_value(MARK_ID))])
def test_an_id_in_base64_is_read_of_any_watermark(alg: str, value: str) -> None:
    """Of TrustMark too: credentials of before hold it so."""
    assert bound_id(alg, value) == MARK_ID


@pytest.mark.parametrize("value", [TEXT, IN_BASE64])
def test_the_text_of_trustmarks_tools_is_read_of_trustmark_alone(value: str) -> None:
    assert bound_id(TRUSTMARK, value) == MARK_ID
    assert bound_id(TSS, value) is None


@pytest.mark.parametrize(
    "value", ["", "AAAA", "***", "2*" + "01" * 34, "None", mark_value(MARK_ID) + "AA==", "\u0661*"]
)
def test_values_of_other_makers_name_none_of_ours(value: str) -> None:
    assert (bound_id(TSS, value), bound_id(TRUSTMARK, value)) == (None, None)
