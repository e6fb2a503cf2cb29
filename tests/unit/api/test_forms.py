import pytest

from darkroom.services import Services
from tests.gateway import client_of, problem_in

FORM = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\na \\ud800\r\n--x--\r\n'
PATHS = ("/api/v1/assets", "/api/v1/provenance/verify", "/v1/images/edits", "/replicate/v1/files")


@pytest.mark.parametrize("charset", ["undefined", "punycode", "unicode_escape", "utf-16", "utf-7", "a\0b", "none"])
async def test_no_codec_but_utf_8_is_taken_for_a_form(services: Services, charset: str) -> None:
    """Some of Python's fail in ways of their own, and some give halves of surrogates."""
    headers = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}
    async with client_of(services, "alice") as client:
        answers = [await client.post(path, content=FORM, headers=headers) for path in PATHS]
    assert [answer.status_code for answer in answers] == [415] * len(PATHS)
    assert problem_in(answers[0])["code"] == "unsupported_media_type"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf8"'])
async def test_a_form_may_say_that_it_is_utf_8(services: Services, charset: str) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}
    async with client_of(services, "alice") as client:
        assert (await client.post("/api/v1/assets", content=FORM, headers=headers)).status_code == 422
