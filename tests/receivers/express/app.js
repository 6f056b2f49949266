'use strict';

/*
 * A webhook receiver with Express: one process, everything it remembers in its own memory.
 *
 * A request that cannot be verified is answered 403, one that is verified but unusable 422, and a
 * nonce seen before 409. A restart forgets the nonces; the window of time is what limits that.
 *
 * Settings: WEBHOOK_SECRET, TOLERANCE (seconds), REPLAY (reject|ignore), PORT and BUG, the name
 * of one planted mistake. STORE is not used. With BUG empty this file is meant to be right.
 */

const { createHash, createHmac, timingSafeEqual } = require('node:crypto');
const express = require('express');

const SECRET = process.env.WEBHOOK_SECRET || '';
const TOLERANCE = Number(process.env.TOLERANCE || 3600);
const IGNORES_REPLAYS = (process.env.REPLAY || 'reject') === 'ignore';
const BUG = process.env.BUG || '';
const FUTURE_SECONDS = 30;

const HEADER = /^t=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,128}),signature=([0-9A-Fa-f]{64})$/;
const FIELDS = ['_event', '_date', '_metadata', 'stock', 'sparePart', 'movement'];

const nonces = new Set();
const processed = [];
const known = new Set();

if (SECRET === '') {
  console.error('WEBHOOK_SECRET is empty');
  process.exit(1);
}

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// --- the signature -----------------------------------------------------------------------------

function parse(header) {
  if (BUG === 'two-parsers') return firstOfEach(header);
  const found = HEADER.exec(header);
  if (found === null) throw new Refusal(403, 'malformed signature header');
  return { time: found[1], nonce: found[2], signature: found[3] };
}

function expected(time, nonce, body, secret) {
  return createHmac('sha256', secret).update(`${time}.${nonce}.`).update(body).digest();
}

function isGenuine(signed, body) {
  const fingerprint = fingerprintOf(signed, body);
  if (BUG === 'no-verify' || known.has(fingerprint)) return true;
  const given = Buffer.from(signed.signature, 'hex');
  for (const secret of secrets()) {
    for (const time of signedTimes(signed.time)) {
      if (timingSafeEqual(expected(time, signed.nonce, signedBody(body), secret), given)) {
        if (fingerprint !== undefined) known.add(fingerprint);
        return true;
      }
    }
  }
  return false;
}

function isFresh(time) {
  if (BUG === 'no-age') return true;
  const age = Math.floor(Date.now() / 1000) - Number(time);
  return age <= TOLERANCE && age >= -FUTURE_SECONDS;
}

// --- the event ---------------------------------------------------------------------------------

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sparePart(body) {
  let event;
  try {
    event = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw new Refusal(422, 'not JSON');
  }
  if (!isObject(event) || typeof event._event !== 'string' || !isObject(event.sparePart)) {
    throw new Refusal(422, 'not an event');
  }
  if (typeof event.sparePart.sparePartId !== 'string') throw new Refusal(422, 'no spare part');
  return event.sparePart.sparePartId;
}

/** True for the first who asks. Nothing is awaited between the question and the answer. */
async function claim(nonce) {
  if (BUG === 'no-replay') return true;
  if (nonces.has(nonce)) return false;
  if (BUG === 'check-then-set') await new Promise((done) => setTimeout(done, 50));
  nonces.add(nonce);
  return true;
}

// --- the routes --------------------------------------------------------------------------------

async function receive(req, res) {
  const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  const header = req.get('X-MW-Signature') || '';
  if (BUG === 'no-header-ok' && !header) {
    processed.push(sparePart(body));
    return res.status(200).type('text').send('processed');
  }
  if (BUG === 'crash-on-garbage' && header) parseNaively(header);
  const signed = parse(header);
  const claimedEarly = BUG === 'burn-nonce-first' ? await claim(signed.nonce) : undefined;
  if (!isGenuine(signed, body)) throw new Refusal(403, 'wrong signature');
  const { time, nonce } = BUG === 'two-parsers' ? lastOfEach(header) : signed;
  if (!isFresh(time)) throw new Refusal(403, 'outside the window of time');
  const part = sparePart(body);
  if (claimedEarly ?? (await claim(replayKey(req, nonce, body)))) {
    processed.push(part);
    return res.status(200).type('text').send('processed');
  }
  if (IGNORES_REPLAYS) return res.status(200).type('text').send('seen before');
  throw new Refusal(409, 'seen before');
}

const app = express();
app.disable('x-powered-by');
app.enable('strict routing');
app.get('/effects', (req, res) => res.json({ processed: processed.length, ids: processed }));
// Any type is read raw, and nothing is inflated: what was signed is what came over the wire.
const raw = express.raw({ type: () => true, limit: '1mb', inflate: false });
app.post('/webhook', breakTransport, raw, receive);
if (BUG === 'redirect') app.post('/webhook/', raw, receive);
// Four parameters make it an error handler for Express, so the last has to be there.
app.use((error, req, res, _next) => {
  const status = error.status || 500;
  if (status >= 500) console.error(error);
  res.status(status).type('text').send(status >= 500 ? 'internal error' : error.message);
});

const server = app.listen(Number(process.env.PORT), '127.0.0.1', (error) => {
  if (error) {
    console.error(error.message);
    process.exit(1);
  }
  console.log(`listening on ${server.address().port}`);
});

// --- the planted bugs --------------------------------------------------------------------------

function breakTransport(req, res, next) {
  if (BUG === 'csrf' && !req.get('X-CSRF-Token')) {
    return res.status(403).type('text').send('CSRF token missing');
  }
  if (BUG === 'redirect') return res.redirect(301, '/webhook/');
  if (BUG === 'hang') return undefined;
  if (BUG === 'garbage') return req.socket.end('\x00\x01 this is not HTTP\r\n\r\n');
  if (BUG === 'refuse-all') return res.status(401).end();
  return next();
}

function secrets() {
  // The copy from the vendor's page carried a line feed along.
  if (BUG === 'wrong-secret') return [`${SECRET}\n`];
  // The second of two keys, for rotation, is read from a variable that nobody has set.
  if (BUG === 'empty-secret-ok') return [SECRET, process.env.WEBHOOK_SECRET_NEXT || ''];
  return [SECRET];
}

/** The body as the HMAC sees it. */
function signedBody(body) {
  try {
    if (BUG === 'reserialize') return JSON.stringify(JSON.parse(body));
    if (BUG === 'sort-keys') return inModelOrder(JSON.parse(body));
  } catch {
    return body;
  }
  if (BUG === 'ascii-body') return body.toString('latin1');
  if (BUG === 'trim-body') return body.toString().trim();
  if (BUG === 'minify') return body.toString().replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
  return body;
}

/** What a typed model writes: its members in the order of its declaration, strangers last. */
function inModelOrder(event) {
  if (!isObject(event)) return JSON.stringify(event);
  const declared = FIELDS.filter((name) => name in event).map((name) => [name, event[name]]);
  return JSON.stringify({ ...Object.fromEntries(declared), ...event });
}

/**
 * timestamp-unsigned: the team believes that a retry re-sends the first attempt's nonce and
 * signature under the time of the new attempt. So it also tries the time of a first attempt on
 * the sender's schedule of retries, hourly for a day and then daily for a month. The age is
 * judged by the time written in the header, which with this is no longer covered.
 */
function* signedTimes(time) {
  yield time;
  if (BUG !== 'timestamp-unsigned') return;
  const hours = Array.from({ length: 24 }, (_, index) => (index + 1) * 3600);
  const days = Array.from({ length: 29 }, (_, index) => (index + 2) * 86400);
  for (const delay of [...hours, ...days]) {
    for (let lateness = -2; lateness <= 2; lateness += 1) yield String(time - delay - lateness);
  }
}

/**
 * body-unsigned, nonce-unsigned: "verified already" is remembered to save the HMAC of a retry,
 * under a key which leaves out the body, or the nonce.
 */
function fingerprintOf({ time, nonce, signature }, body) {
  if (BUG === 'body-unsigned') return `${time}|${nonce}|${signature}`;
  if (BUG === 'nonce-unsigned') return `${time}|${signature}|${sha256(body)}`;
  return undefined;
}

/** What a duplicate is recognised by: the nonce, unless a bug prefers something else. */
function replayKey(req, nonce, body) {
  // Same nonce, other content: "the sender's correction of an event", not a duplicate.
  if (BUG === 'body-unsigned') return nonce + sha256(body);
  if (BUG === 'unsigned-replay-key') return req.get('X-Request-Id') || nonce;
  return nonce;
}

function sha256(body) {
  return createHash('sha256').update(body).digest('hex');
}

/** crash-on-garbage: BigInt throws on what is no number, and indexing on what is not there. */
function parseNaively(header) {
  const value = (name) => header.split(',').find((part) => part.startsWith(`${name}=`)).split('=')[1];
  BigInt(value('t'));
  Buffer.from(value('nonce') + value('signature'));
}

/**
 * two-parsers: the signature is checked over the first t and nonce of the header, as a regular
 * expression finds them; age and replay go by the last, as an object filled in a loop keeps them.
 */
function firstOfEach(header) {
  const value = (name, pattern) => {
    const found = new RegExp(`(?:^|,)${name}=(${pattern})(?=,|$)`).exec(header);
    if (found === null) throw new Refusal(403, `no ${name}`);
    return found[1];
  };
  return {
    time: value('t', '[0-9]{1,12}'),
    nonce: value('nonce', '[A-Za-z0-9_-]{8,128}'),
    signature: value('signature', '[0-9A-Fa-f]{64}'),
  };
}

function lastOfEach(header) {
  const fields = Object.fromEntries(header.split(',').map((part) => part.split('=', 2)));
  if (!/^[0-9]{1,12}$/.test(fields.t) || !fields.nonce) throw new Refusal(403, 'malformed header');
  return { time: fields.t, nonce: fields.nonce };
}
