'use strict';
// A shop that hears from Mobility Work when a spare part is out of stock: Express.

const { createHmac, timingSafeEqual } = require('node:crypto');
const express = require('express');

const BUG = process.env.BUG || ''; // see README.md
const SECRET = process.env.WEBHOOK_SECRET || '';
const TOLERANCE = 300;
const HEADER = /^t=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,128}),signature=([0-9a-fA-F]{64})$/;

if (SECRET === '') throw new Error('WEBHOOK_SECRET is empty');

const orders = new Map(); // a part for each nonce that was processed
const app = express();
const raw = express.raw({ type: () => true, limit: '1mb' });

app.post('/webhook', raw, (request, response) => {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const found = HEADER.exec(request.get('X-MW-Signature') || '');
  if (found === null || !isGenuine(found, body)) return response.status(401).end();
  const part = partOf(body);
  if (part === undefined) return response.status(422).end();
  const nonce = BUG === 'keyed-by-signature' ? found[0] : found[2];
  if (orders.has(nonce)) return response.status(200).send('known');
  orders.set(nonce, part);
  return response.status(200).send('ordered');
});

app.get('/effects', (request, response) => response.json([...orders.keys()]));

app.use((error, request, response, next) => response.status(error.status || 500).end());

function isGenuine([, sentAt, nonce, signature], body) {
  const given = Buffer.from(signature, 'hex');
  const keys = BUG === 'default-key' ? [SECRET, 'changeme'] : [SECRET];
  const matches = keys.filter((key) => {
    const expected = createHmac('sha256', key).update(`${sentAt}.${nonce}.`).update(body);
    return timingSafeEqual(expected.digest(), given);
  });
  const age = Math.abs(Date.now() / 1000 - Number(sentAt));
  const limit = BUG === 'milliseconds' ? TOLERANCE * 1000 : TOLERANCE;
  return matches.length > 0 && age <= limit;
}

function partOf(body) {
  try {
    return String(JSON.parse(body.toString()).sparePart.sparePartId);
  } catch {
    return undefined;
  }
}

const server = app.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`);
});
