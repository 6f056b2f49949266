"""The packages of PyPI, each called as its own documentation calls it.

A header that is absent is handed on as frameworks hand it on, as None; what a package documents as
its refusal, by value or by exception, is a refusal, and everything else that it raises is told.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from urllib.parse import parse_qsl

from hookproof_spec.request import Request
from providers.verdicts import Sdk, header, headers, module, more, text


def stripe(request: Request, secret: str) -> bool:
    package = module("stripe")
    try:
        package.Webhook.construct_event(request.body, header(request, "Stripe-Signature"), secret)
    except (ValueError, package.SignatureVerificationError):  # both are in the documented sample
        return False
    return True


def standard_webhooks(request: Request, secret: str) -> bool:
    package = module("standardwebhooks")
    try:
        package.Webhook(secret).verify(request.body, headers(request))
    except module("standardwebhooks.webhooks").WebhookVerificationError:
        return False
    return True


def svix(request: Request, secret: str) -> bool:
    package = module("svix.webhooks")
    try:
        package.Webhook(secret).verify(request.body, headers(request))
    except package.WebhookVerificationError:
        return False
    return True


def slack(request: Request, secret: str) -> bool:
    verifier = module("slack_sdk.signature").SignatureVerifier(secret)
    return bool(verifier.is_valid_request(request.body, headers(request)))


def discord(request: Request, secret: str) -> bool:
    signature = header(request, "X-Signature-Ed25519")
    timestamp = header(request, "X-Signature-Timestamp")
    if signature is None or timestamp is None:  # as in the package's own decorator
        return False
    verify = module("discord_interactions").verify_key
    return bool(verify(request.body, signature, timestamp, secret))


def paddle(request: Request, secret: str) -> bool:
    package = module("paddle_billing.Notifications")
    arrived = SimpleNamespace(
        headers={"Paddle-Signature": header(request, "Paddle-Signature")}, body=request.body
    )
    return bool(package.Verifier().verify(arrived, package.Secret(secret)))


def line(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "X-Line-Signature")
    if body is None or signature is None:
        return False
    return bool(module("linebot.v3.webhook").SignatureValidator(secret).validate(body, signature))


def box(request: Request, secret: str) -> bool:
    body = text(request)
    if body is None:
        return False
    manager = module("box_sdk_gen.managers.webhooks").WebhooksManager
    return bool(manager.validate_message(body, headers(request), secret))


def square(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "x-square-hmacsha256-signature")
    if body is None or signature is None:
        return False
    verify = module("square.utils.webhooks_helper").verify_signature
    return bool(
        verify(
            request_body=body,
            signature_header=signature,
            signature_key=secret,
            notification_url=request.url,
        )
    )


def hubspot(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "X-HubSpot-Signature-v3")
    if body is None or signature is None:
        return False
    try:
        valid = module("hubspot.utils.signature").Signature.is_valid(
            signature=signature,
            client_secret=secret,
            request_body=body,
            http_uri=request.url,
            http_method=request.method,
            signature_version="v3",
            timestamp=header(request, "X-HubSpot-Request-Timestamp"),
        )
    except module("hubspot.exceptions").InvalidSignatureTimestampError:
        return False
    return bool(valid)


def mailgun(request: Request, secret: str) -> bool:
    try:
        signed = json.loads(request.body)["signature"]
        token, timestamp = signed["token"], signed["timestamp"]
        guard = module("mailgun.security").SecurityGuard
        return bool(guard.verify_webhook(secret, token, timestamp, signed["signature"]))
    except (ValueError, LookupError, TypeError, RecursionError):  # the last two are documented
        return False


def sendgrid(request: Request, secret: str) -> bool:
    body = text(request)
    signature = header(request, "X-Twilio-Email-Event-Webhook-Signature")
    timestamp = header(request, "X-Twilio-Email-Event-Webhook-Timestamp")
    if body is None or signature is None or timestamp is None:
        return False
    webhook = module("sendgrid.helpers.eventwebhook").EventWebhook(secret)
    return bool(webhook.verify_signature(body, signature, timestamp))


def twilio_form(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "X-Twilio-Signature")
    if body is None or signature is None:
        return False
    fields = dict(parse_qsl(body, keep_blank_values=True))
    validator = module("twilio.request_validator").RequestValidator(secret)
    return bool(validator.validate(request.url, fields, signature))


def twilio_json(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "X-Twilio-Signature")
    if body is None or signature is None:
        return False
    validator = module("twilio.request_validator").RequestValidator(secret)
    return bool(validator.validate(request.url, body, signature))


def openai(request: Request, secret: str) -> bool:
    package = module("openai")
    client = package.OpenAI(api_key="none", webhook_secret=secret)
    try:
        client.webhooks.verify_signature(request.body, headers(request))
    except (ValueError, package.InvalidWebhookSignatureError):
        return False
    return True


def razorpay(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "X-Razorpay-Signature")
    if body is None or signature is None:
        return False
    package = module("razorpay")
    try:
        utility = package.Client(auth=("key", "other")).utility
        return bool(utility.verify_webhook_signature(body, signature, secret))
    except package.errors.SignatureVerificationError:
        return False


def workos(request: Request, secret: str) -> bool:
    signature = header(request, "WorkOS-Signature")
    client = module("workos").WorkOSClient(api_key="key", client_id="client")
    try:
        client.webhooks.verify_header(
            event_body=request.body, event_signature=signature, secret=secret
        )
    except ValueError:
        return False
    return True


def telnyx(request: Request, secret: str) -> bool:
    package = module("telnyx.lib.webhook_verification")
    try:
        package.verify_webhook_signature(request.body, headers(request), secret)
    except package.WebhookVerificationError:
        return False
    return True


def gocardless(request: Request, secret: str) -> bool:
    signature = header(request, "Webhook-Signature")
    if signature is None:
        return False
    try:
        module("gocardless_pro.webhooks").parse(request.body, secret, signature)
    except module("gocardless_pro.errors").InvalidSignatureError:
        return False
    return True


def coinbase_commerce(request: Request, secret: str) -> bool:
    body, signature = text(request), header(request, "X-CC-Webhook-Signature")
    if body is None or signature is None:
        return False
    errors = module("coinbase_commerce.error")
    try:
        module("coinbase_commerce.webhook").Webhook.construct_event(body, signature, secret)
    except (errors.WebhookInvalidPayload, errors.SignatureVerificationError):
        return False
    return True


def easypost(request: Request, secret: str) -> bool:
    given = {"X-Hmac-Signature": header(request, "X-Hmac-Signature")}
    try:
        module("easypost.util").validate_webhook(request.body, given, secret)
    except module("easypost.errors").SignatureVerificationError:
        return False
    return True


PYPI = (
    Sdk(document="stripe", package="stripe", modules=("stripe",), verify=stripe),
    Sdk(
        document="standard-webhooks",
        package="standardwebhooks",
        modules=("standardwebhooks",),
        verify=standard_webhooks,
    ),
    Sdk(document="svix", package="svix", modules=("svix",), verify=svix),
    Sdk(document="slack", package="slack_sdk", modules=("slack_sdk",), verify=slack),
    Sdk(
        document="discord",
        package="discord-interactions",
        modules=("nacl", "discord_interactions"),
        verify=discord,
    ),
    Sdk(document="paddle", package="paddle-python-sdk", modules=("paddle_billing",), verify=paddle),
    Sdk(document="line", package="line-bot-sdk", modules=("linebot",), verify=line),
    Sdk(document="box", package="box-sdk-gen", modules=("box_sdk_gen",), verify=box),
    Sdk(document="square", package="squareup", modules=("square",), verify=square),
    Sdk(document="hubspot", package="hubspot-api-client", modules=("hubspot",), verify=hubspot),
    Sdk(document="mailgun", package="mailgun", modules=("mailgun",), verify=mailgun),
    Sdk(document="sendgrid", package="sendgrid", modules=("sendgrid",), verify=sendgrid),
    Sdk(
        document="twilio",
        webhook="messageReceived",
        package="twilio",
        modules=("twilio",),
        verify=twilio_form,
    ),
    Sdk(
        document="twilio",
        webhook="conversationMessageAdded",
        package="twilio",
        modules=("twilio",),
        verify=twilio_json,
    ),
    Sdk(document=more("openai"), package="openai", modules=("openai",), verify=openai),
    Sdk(document=more("razorpay"), package="razorpay", modules=("razorpay",), verify=razorpay),
    Sdk(document=more("workos"), package="workos", modules=("workos",), verify=workos),
    Sdk(document=more("telnyx"), package="telnyx", modules=("nacl", "telnyx"), verify=telnyx),
    Sdk(
        document=more("gocardless"),
        package="gocardless_pro",
        modules=("gocardless_pro",),
        verify=gocardless,
    ),
    Sdk(
        document=more("coinbase-commerce"),
        package="coinbase-commerce",
        modules=("coinbase_commerce",),
        verify=coinbase_commerce,
    ),
    Sdk(document=more("easypost"), package="easypost", modules=("easypost",), verify=easypost),
)
