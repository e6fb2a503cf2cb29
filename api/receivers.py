"""Who is told of a generation, settled while its caller is still there to hear what is wrong with that."""

from darkroom.contract.generation import GenerationRequest
from darkroom.contract.webhook import Webhook
from darkroom.errors import NoWebhookSecret, UrlRefused
from darkroom.outbound import admitted
from darkroom.services import Services


def webhook_of(services: Services, tenant: str, asked: GenerationRequest, base: str) -> Webhook | None:
    """The webhook that a request asks for. `base`: as in `Webhook`.

    The name in its URL is looked up only when it is sent to: what it means may change until then.
    Raises: UrlRefused, NoWebhookSecret; both name the field.
    """
    if asked.webhook_url is None:
        return None
    try:
        host = admitted(asked.webhook_url, services.guard)
    except UrlRefused as error:
        error.field = "webhook_url"
        raise
    if tenant not in services.settings.webhook_secrets:
        raise NoWebhookSecret("webhook_url", "the operator has set no secret that your webhooks could be signed with")
    return Webhook(url=asked.webhook_url, host=host, base=base, events=asked.webhook_events)
