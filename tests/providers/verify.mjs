// Asks providers' own packages: a line of JSON in, a line of JSON out, until the input ends.
// In: {sdk, now, secret, headers, body}, now in Unix seconds and body in base64.
// Out: {verdict} where the package answered or refused as documented, else {raised}.
import readline from "node:readline";

for (const name of ["log", "debug", "info", "warn", "error"]) console[name] = () => {};

let now = 0;
const Real = Date;
globalThis.Date = class extends Real {
  constructor(...given) {
    super(...(given.length ? given : [now]));
  }
  static now() {
    return now;
  }
};

// Those that refuse by throwing say so in their documentation.
const throws = (verify) => async (...given) => {
  try {
    await verify(...given);
    return true;
  } catch {
    return false;
  }
};

const packages = {
  "@octokit/webhooks-methods": async ({ secret, headers, text }) => {
    const { verify } = await import("@octokit/webhooks-methods");
    return verify(secret, text, headers["x-hub-signature-256"]);
  },
  "@slack/bolt": async ({ secret, headers, text }) => {
    const { isValidSlackRequest } = await import("@slack/bolt");
    const stamped = { ...headers };
    const stamp = headers["x-slack-request-timestamp"];
    if (stamp !== undefined) stamped["x-slack-request-timestamp"] = Number(stamp);
    return isValidSlackRequest({ signingSecret: secret, body: text, headers: stamped });
  },
  "@linear/sdk": throws(async ({ secret, headers, body }) => {
    const { LinearWebhookClient } = await import("@linear/sdk/webhooks");
    new LinearWebhookClient(secret).parseData(body, headers["linear-signature"]);
  }),
  "@shopify/shopify-api": async ({ secret, headers, text }) => {
    await import("@shopify/shopify-api/adapters/node");
    const { shopifyApi } = await import("@shopify/shopify-api");
    const shopify = shopifyApi({
      apiKey: "key",
      apiSecretKey: secret,
      apiVersion: "2026-10",
      hostName: "localhost",
      isEmbeddedApp: false,
      logger: { log: () => {} },
    });
    const rawRequest = { method: "POST", url: "/webhook", headers };
    const result = await shopify.webhooks.validate({ rawBody: text, rawRequest });
    return result.valid;
  },
  "@paddle/paddle-node-sdk": async ({ secret, headers, text }) => {
    const { Paddle } = await import("@paddle/paddle-node-sdk");
    const { webhooks } = new Paddle("key");
    return webhooks.isSignatureValid(text, secret, headers["paddle-signature"]);
  },
  "@line/bot-sdk": async ({ secret, headers, body }) => {
    const { validateSignature } = await import("@line/bot-sdk");
    return validateSignature(body, secret, headers["x-line-signature"]);
  },
  "discord-interactions": async ({ secret, headers, body }) => {
    const { default: discord } = await import("discord-interactions");
    const stamp = headers["x-signature-timestamp"];
    return discord.verifyKey(body, headers["x-signature-ed25519"], stamp, secret);
  },
  "@zoom/rivet": async ({ secret, headers, text }) => {
    const { AwsLambdaReceiver } = await import("@zoom/rivet/users");
    const receiver = new AwsLambdaReceiver({ webhooksSecretToken: secret });
    receiver.init({ eventEmitter: { emit: async () => {} } });
    const answer = await receiver.start()({ headers, body: text, isBase64Encoded: false }, {});
    if (answer.statusCode >= 500) throw new Error(answer.body);
    return answer.statusCode === 200;
  },
  "@sendgrid/eventwebhook": async ({ secret, headers, text }) => {
    const { EventWebhook } = await import("@sendgrid/eventwebhook");
    const webhook = new EventWebhook();
    const signature = headers["x-twilio-email-event-webhook-signature"];
    const stamp = headers["x-twilio-email-event-webhook-timestamp"];
    return webhook.verifySignature(webhook.convertPublicKeyToECDSA(secret), text, signature, stamp);
  },
  "@mux/mux-node": throws(async ({ secret, headers, text }) => {
    const { default: Mux } = await import("@mux/mux-node");
    const client = new Mux({ tokenId: "id", tokenSecret: "secret", webhookSecret: secret });
    await client.webhooks.unwrap(text, headers);
  }),
  "@sanity/webhook": async ({ secret, headers, text }) => {
    const { isValidSignature } = await import("@sanity/webhook");
    return isValidSignature(text, headers["sanity-webhook-signature"] ?? "", secret);
  },
  "@liveblocks/node": throws(async ({ secret, headers, text }) => {
    const { WebhookHandler } = await import("@liveblocks/node");
    new WebhookHandler(secret).verifyRequest({ headers, rawBody: text });
  }),
  "@kontent-ai/webhook-helper": async ({ secret, headers, text }) => {
    const { signatureHelper } = await import("@kontent-ai/webhook-helper");
    const signature = headers["x-kontent-ai-signature"];
    return signatureHelper.isValidSignatureFromString(text, secret, signature);
  },
  "webflow-api": async ({ secret, headers, text }) => {
    const { WebflowClient } = await import("webflow-api");
    const { webhooks } = new WebflowClient({ accessToken: "none" });
    return webhooks.verifySignature({ headers, body: text, secret });
  },
  fintoc: throws(async ({ secret, headers, body }) => {
    const { WebhookSignature } = await import("fintoc");
    WebhookSignature.verifyHeader(body, headers["fintoc-signature"], secret);
  }),
  "@onfido/api": async ({ secret, headers, body }) => {
    const { OnfidoInvalidSignatureError, WebhookEventVerifier } = await import("@onfido/api");
    try {
      new WebhookEventVerifier(secret).readPayload(body, headers["x-sha2-signature"]);
      return true;
    } catch (error) {
      if (error instanceof OnfidoInvalidSignatureError) return false;
      throw error;
    }
  },
};

async function ask({ sdk, now: seconds, secret, headers, body: encoded }) {
  now = seconds * 1000;
  const body = Buffer.from(encoded, "base64");
  try {
    const text = body.toString("utf8");
    const genuine = await packages[sdk]({ secret, headers, body, text });
    return { verdict: genuine ? "accepted" : "refused" };
  } catch (error) {
    return { raised: error?.name ?? "Error", message: String(error?.message ?? error) };
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await ask(JSON.parse(line)))}\n`);
}
