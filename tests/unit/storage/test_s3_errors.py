"""Every error botocore and boto3 can raise becomes one of ours."""

import inspect
from collections.abc import Iterator

import boto3.exceptions
import botocore.exceptions
import pytest
from botocore.exceptions import ClientError

from darkroom.errors import NotStored, StoreError, StoreUnavailable
from darkroom.storage.s3_errors import TRANSLATIONS, s3_errors, translate


def foreign_errors() -> Iterator[type[Exception]]:
    for module in (botocore.exceptions, boto3.exceptions):
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, Exception) and not issubclass(found, Warning) and found.__module__ == module.__name__:
                yield found


def made(kind: type[Exception]) -> Exception:
    """An instance without its constructor, whose arguments differ from class to class."""
    error = kind.__new__(kind)
    if isinstance(error, ClientError):
        error.response = {"Error": {"Code": "SlowDown"}}
    return error


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "http://10.0.0.7/ says no"}}, "GetObject")


def test_there_are_foreign_errors_to_translate() -> None:
    assert len(list(foreign_errors())) > 90


@pytest.mark.parametrize("kind", list(foreign_errors()), ids=lambda kind: kind.__name__)
def test_every_foreign_error_is_translated(kind: type[Exception]) -> None:
    assert isinstance(translate(made(kind), "images/a/0.png"), StoreUnavailable | StoreError)


def test_no_row_of_the_table_is_hidden_by_one_above_it() -> None:
    for index, (kind, _) in enumerate(TRANSLATIONS):
        assert not any(issubclass(kind, above) for above, _ in TRANSLATIONS[:index])


@pytest.mark.parametrize("code", ["NoSuchKey", "404"])
def test_an_absent_object_is_not_stored(code: str) -> None:
    assert isinstance(translate(refusal(code), "images/a/0.png"), NotStored)


@pytest.mark.parametrize(
    "code", ["SlowDown", "InternalError", "503", "NoSuchBucket", "AccessDenied", "SignatureDoesNotMatch", "Unheard"]
)
def test_other_refusals_are_a_store_that_cannot_be_used(code: str) -> None:
    translated = translate(refusal(code), "images/a/0.png")
    assert isinstance(translated, StoreUnavailable)
    assert translated.retryable
    assert code in translated.detail
    assert "10.0.0.7" not in translated.detail


def test_a_stranger_passes_as_it_is() -> None:
    assert translate(ZeroDivisionError(), "k") is None
    with pytest.raises(ZeroDivisionError), s3_errors("k"):
        raise ZeroDivisionError


def test_the_cause_is_kept() -> None:
    cause = refusal("SlowDown")
    with pytest.raises(StoreUnavailable) as raised, s3_errors("k"):
        raise cause
    assert raised.value.__cause__ is cause
