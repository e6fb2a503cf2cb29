"""The one place where botocore's errors become ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from boto3.exceptions import Boto3Error
from botocore import exceptions as botocore

from darkroom.errors import DarkroomError, NotStored, StoreError, StoreRefused, StoreUnavailable

# By kind, where the server did not get to answer. First match wins, so the narrow ones stand above their bases.
TRANSLATIONS: tuple[tuple[type[Exception], type[DarkroomError]], ...] = (
    (botocore.ValidationError, StoreError),
    (botocore.ParamValidationError, StoreError),
    (botocore.MissingParametersError, StoreError),
    (botocore.UndefinedModelAttributeError, StoreError),
    (botocore.BotoCoreError, StoreUnavailable),
    (Boto3Error, StoreUnavailable),
)

# By code: what the server will go on refusing until somebody changes this setting, or what the server knows of it.
REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "NoSuchBucket": "s3_bucket",
        "InvalidBucketName": "s3_bucket",
        "InvalidAccessKeyId": "s3_access_key",
        "AccessDenied": "s3_access_key",
        "AllAccessDisabled": "s3_access_key",
        "AccountProblem": "s3_access_key",
        "403": "s3_access_key",
        "SignatureDoesNotMatch": "s3_secret_key",
        "AuthorizationHeaderMalformed": "s3_region",
        "PermanentRedirect": "s3_region",
        "301": "s3_region",
    }
)
# By kind: what boto3 finds no keys with.
KEYLESS = (botocore.NoCredentialsError, botocore.PartialCredentialsError)

# By code, where it did (ClientError): what means that the object is not there; `404` stands for answers without a body.
# Any other refusal is a store that cannot be used.
ABSENT_CODES: Mapping[str, type[DarkroomError]] = MappingProxyType({"NoSuchKey": NotStored, "404": NotStored})


def error_code(error: botocore.ClientError) -> str:
    """The code of the answer, such as `NoSuchKey`; the HTTP status where it had no body."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def translate(error: Exception, key: str) -> DarkroomError | None:
    """Our error for one of botocore's, None for a stranger. Its detail names the kind of trouble, never an address."""
    if isinstance(error, botocore.ClientError):
        code = error_code(error)
        if code in ABSENT_CODES:
            return ABSENT_CODES[code](f"nothing is stored under {key}")
        words = f"the object store refused ({code[:64]})"
        return StoreRefused(words, REFUSALS[code]) if code in REFUSALS else StoreUnavailable(words)
    if isinstance(error, KEYLESS):
        return StoreRefused("the object store was not asked: there are no keys for it", "s3_access_key")
    for foreign, ours in TRANSLATIONS:
        if isinstance(error, foreign):
            return ours(f"the object store cannot be used ({type(error).__name__})")
    return None


@contextmanager
def s3_errors(key: str) -> Iterator[None]:
    """Raises: NotStored, StoreUnavailable, StoreRefused, StoreError in the place of whatever botocore raises."""
    try:
        yield
    except Exception as error:
        translated = translate(error, key)
        if translated is None:
            raise
        raise translated from error
