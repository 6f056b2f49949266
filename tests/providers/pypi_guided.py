"""Packages of PyPI for documents that were written with the guide alone, without their code.

They are called as those of `pypi`.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from hookproof_spec.request import Request
from providers.verdicts import Sdk, header, headers, module, more, text


def plivo(request: Request, secret: str) -> bool:
    body = text(request)
    if body is None:
        return False
    return bool(
        module("plivo.utils").validate_v3_signature(
            request.method,
            request.url,
            header(request, "X-Plivo-Signature-V3-Nonce") or "",
            secret,
            header(request, "X-Plivo-Signature-V3") or "",
            dict(parse_qsl(body, keep_blank_values=True)),
        )
    )


def orb(request: Request, secret: str) -> bool:
    client = module("orb").Orb(api_key="none")
    try:
        client.webhooks.verify_signature(request.body, headers(request), secret=secret)
    except ValueError:
        return False
    return True


def cronofy(request: Request, secret: str) -> bool:
    body = text(request)
    if body is None:
        return False
    client = module("pycronofy").Client(client_id="client", client_secret=secret)
    return bool(client.hmac_valid(header(request, "Cronofy-HMAC-SHA256"), body))


def stream(request: Request, secret: str) -> bool:
    name, _, key = secret.partition(":")
    signature = header(request, "X-Signature")
    if signature is None:
        return False
    client = module("stream_chat").StreamChat(api_key=name, api_secret=key)
    return bool(client.verify_webhook(request.body, signature))


def terra(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "terra-signature")
    if body is None:
        return False
    package = module("terra.utils.verify_signature")
    try:
        return bool(package.verify_terra_webhook_signature(body, signature, secret))
    except package.WebhookVerificationError:
        return False


def mollie(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "X-Mollie-Signature")
    if body is None:
        return False
    package = module("mollie.utils.webhooks.signature_validator")
    try:
        return bool(package.SignatureValidator(secret).validate_payload(body, signature))
    except package.InvalidSignatureException:
        return False


def viber(request: Request, secret: str) -> bool:
    configured = module("viberbot.api.bot_configuration").BotConfiguration(
        name="bot", avatar="none", auth_token=secret
    )
    signature = header(request, "X-Viber-Content-Signature")
    return bool(module("viberbot").Api(configured).verify_signature(request.body, signature))


def sinch(request: Request, secret: str) -> bool:
    client = module("sinch").SinchClient(project_id="none", key_id="none", key_secret="none")
    events = client.conversation.sinch_events(secret)
    return bool(events.validate_authentication_header(headers(request), request.body))


def pusher(request: Request, secret: str) -> bool:
    name, _, key = secret.partition(":")
    client = module("pusher").Pusher(app_id="1", key=name, secret=key)
    signed = (header(request, "X-Pusher-Key"), header(request, "X-Pusher-Signature"))
    if None in signed:
        return False
    return client.validate_webhook(*signed, request.body) is not None


def elevenlabs(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "ElevenLabs-Signature")
    if body is None:
        return False
    package = module("elevenlabs")
    try:
        package.ElevenLabs(api_key="none").webhooks.construct_event(body, signature, secret)
    except package.BadRequestError:
        return False
    return True


def modern_treasury(request: Request, secret: str) -> bool:
    body = text(request)
    if body is None:
        return False
    client = module("modern_treasury").ModernTreasury(api_key="none", organization_id="none")
    try:
        return bool(client.webhooks.validate_signature(body, headers(request), key=secret))
    except ValueError:  # the header is absent
        return False


GUIDED = (
    Sdk(document=more("plivo"), package="plivo", modules=("plivo",), verify=plivo),
    Sdk(document=more("orb"), package="orb-billing", modules=("orb",), verify=orb),
    Sdk(document=more("cronofy"), package="pycronofy", modules=("pycronofy",), verify=cronofy),
    Sdk(document=more("getstream"), package="stream-chat", modules=("stream_chat",), verify=stream),
    Sdk(document=more("terra"), package="terra-python", modules=("terra",), verify=terra),
    Sdk(document=more("mollie"), package="mollie-api-py", modules=("mollie",), verify=mollie),
    Sdk(document=more("viber"), package="viberbot", modules=("viberbot",), verify=viber),
    Sdk(document=more("sinch"), package="sinch", modules=("sinch",), verify=sinch),
    Sdk(document=more("pusher"), package="pusher", modules=("pusher",), verify=pusher),
    Sdk(
        document=more("elevenlabs"),
        package="elevenlabs",
        modules=("elevenlabs",),
        verify=elevenlabs,
    ),
    Sdk(
        document=more("modern-treasury"),
        package="modern-treasury",
        modules=("modern_treasury",),
        verify=modern_treasury,
    ),
)
