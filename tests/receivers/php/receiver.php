<?php

/*
 * The vendor's PHP formula, completed to a receiver for `php -S` with several worker processes.
 *
 * Every request is a process state of its own here, so nonces and effects live in one SQLite file.
 * A refusal is always 401 with an empty body, and a nonce seen before is quietly ignored, as the
 * vendor's page words it ("use it to ignore requests with the same nonce").
 *
 * Settings: WEBHOOK_SECRET, STORE (SQLite file), TOLERANCE (seconds), REPLAY (ignore|reject) and
 * BUG, the name of one planted mistake. With BUG empty this file is meant to be right.
 */

declare(strict_types=1);

const HEADER = '/\At=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,128}),signature=([0-9a-f]{64})\z/';
const FUTURE_SECONDS = 300;
const LARGEST_BODY = 1024 * 1024;
const FIELDS = ['_event', '_date', '_metadata', 'stock', 'sparePart', 'movement'];

final class Refusal extends Exception
{
}

function setting(string $name, string $default): string
{
    $value = getenv($name);
    return $value === false || $value === '' ? $default : $value;
}

function bug(string ...$names): bool
{
    return in_array(setting('BUG', ''), $names, true);
}

function answer(int $status, string $body = '', string $type = 'text/plain'): never
{
    http_response_code($status);
    header('Content-Type: ' . $type);
    echo $body;
    exit;
}

// --- the signature ---------------------------------------------------------------------------

/** @return array{string, string, string} time, nonce and signature, as they were written */
function parse_header(string $header): array
{
    if (bug('crash-on-garbage') && $header !== '') {
        parse_naively($header);
    }
    if (bug('two-parsers')) {
        return first_of_each($header);
    }
    if (preg_match(HEADER, $header, $found) !== 1) {
        throw new Refusal('malformed header', 401);
    }
    return [$found[1], $found[2], $found[3]];
}

function expected_signature(string $timestamp, string $nonce, string $payload, string $secret): string
{
    return hash_hmac('sha256', sprintf('%s.%s.%s', $timestamp, $nonce, $payload), $secret);
}

function is_genuine(string $timestamp, string $nonce, string $signature, string $payload): bool
{
    if (bug('no-verify') || is_remembered($timestamp, $nonce, $signature, $payload)) {
        return true;
    }
    foreach (secrets() as $secret) {
        foreach (signed_times($timestamp) as $time) {
            $expected = expected_signature($time, $nonce, signed_payload($payload), $secret);
            if (hash_equals($expected, $signature)) {
                remember($timestamp, $nonce, $signature, $payload);
                return true;
            }
        }
    }
    return false;
}

function is_fresh(string $timestamp): bool
{
    if (bug('no-age')) {
        return true;
    }
    $age = time() - (int) $timestamp;
    return $age <= (int) setting('TOLERANCE', '3600') && $age >= -FUTURE_SECONDS;
}

// --- the store -------------------------------------------------------------------------------

function store(): PDO
{
    static $db = null;
    if ($db !== null) {
        return $db;
    }
    $path = setting('STORE', '/nonexistent');
    $isNew = !is_file($path) || filesize($path) === 0;
    $db = new PDO('sqlite:' . $path, null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    // A receiver under test survives no power cut, so it need not wait for the disk either.
    $db->exec('PRAGMA busy_timeout = 10000; PRAGMA synchronous = OFF');
    if ($isNew) {
        // IMMEDIATE, because workers may get here together and a lock cannot always be upgraded.
        $db->exec('BEGIN IMMEDIATE');
        $db->exec('CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY)');
        $db->exec('CREATE TABLE IF NOT EXISTS effects (id INTEGER PRIMARY KEY, part TEXT)');
        $db->exec('CREATE TABLE IF NOT EXISTS known (fingerprint TEXT PRIMARY KEY)');
        $db->exec('COMMIT');
    }
    return $db;
}

/** True for the first who asks: the primary key decides, whoever else asks at the same time. */
function claim(string $nonce): bool
{
    if (bug('no-replay')) {
        return true;
    }
    if (bug('check-then-set')) {
        return claim_in_two_steps($nonce);
    }
    $insert = store()->prepare('INSERT OR IGNORE INTO nonces VALUES (?)');
    $insert->execute([$nonce]);
    return $insert->rowCount() === 1;
}

function record(string $part): void
{
    store()->prepare('INSERT INTO effects (part) VALUES (?)')->execute([$part]);
}

/** Claim and effect in one transaction: a crash between them leaves neither. */
function process_once(string $key, string $part): bool
{
    if (bug('check-then-set')) {
        $isFirst = claim($key);
        if ($isFirst) {
            record($part);
        }
        return $isFirst;
    }
    store()->exec('BEGIN IMMEDIATE');
    $isFirst = claim($key);
    if ($isFirst) {
        record($part);
    }
    store()->exec('COMMIT');
    return $isFirst;
}

// --- the routes ------------------------------------------------------------------------------

function spare_part(string $payload): string
{
    $event = json_decode($payload, true);
    if (!is_array($event) || array_is_list($event) || !is_string($event['_event'] ?? null)) {
        throw new Refusal('not an event', 400);
    }
    $part = is_array($event['sparePart'] ?? null) ? $event['sparePart']['sparePartId'] ?? null : null;
    if (!is_string($part)) {
        throw new Refusal('no spare part', 400);
    }
    return $part;
}

function signature_header(): string
{
    // Not $_SERVER['HTTP_X_MW_SIGNATURE']: there php -S lets `X_MW_Signature` replace the header.
    return array_change_key_case(getallheaders(), CASE_LOWER)['x-mw-signature'] ?? '';
}

function receive(string $payload): never
{
    $header = signature_header();
    if (bug('no-header-ok') && empty($header)) {
        record(spare_part($payload));
        answer(200);
    }
    [$timestamp, $nonce, $signature] = parse_header($header);
    $isClaimedEarly = bug('burn-nonce-first') ? claim($nonce) : null;
    if (!is_genuine($timestamp, $nonce, $signature, $payload)) {
        throw new Refusal('wrong signature', 401);
    }
    [$timestamp, $nonce] = bug('two-parsers') ? last_of_each($header) : [$timestamp, $nonce];
    if (!is_fresh($timestamp)) {
        throw new Refusal('stale', 401);
    }
    $part = spare_part($payload);
    if ($isClaimedEarly) {
        record($part);
    }
    $isFirst = $isClaimedEarly ?? process_once(replay_key($nonce, $payload), $part);
    answer($isFirst || setting('REPLAY', 'ignore') === 'ignore' ? 200 : 409);
}

function effects(): never
{
    $parts = store()->query('SELECT part FROM effects ORDER BY id')->fetchAll(PDO::FETCH_COLUMN);
    $answer = ['processed' => count($parts), 'ids' => $parts];
    answer(200, json_encode($answer, JSON_THROW_ON_ERROR), 'application/json');
}

function main(): never
{
    if (setting('WEBHOOK_SECRET', '') === '') {
        answer(500, 'WEBHOOK_SECRET is empty');
    }
    $path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
    if ($path === '/effects' && $_SERVER['REQUEST_METHOD'] === 'GET') {
        effects();
    }
    if ($path !== '/webhook' && !($path === '/webhook/' && bug('redirect'))) {
        answer(404);
    }
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        header('Allow: POST');
        answer(405);
    }
    break_transport((string) $path);
    $payload = (string) file_get_contents('php://input');
    if (strlen($payload) > LARGEST_BODY) {
        answer(413);
    }
    try {
        receive($payload);
    } catch (Refusal $refusal) {
        answer($refusal->getCode());
    }
}

// --- the planted bugs ------------------------------------------------------------------------

function break_transport(string $path): void
{
    if (bug('csrf') && !isset($_SERVER['HTTP_X_CSRF_TOKEN'])) {
        answer(403, 'CSRF token missing');
    }
    if (bug('redirect') && $path === '/webhook') {
        header('Location: /webhook/');
        answer(301);
    }
    if (bug('hang')) {
        sleep(3600);
    }
    if (bug('refuse-all')) {
        answer(401);
    }
}

/** @return list<string> */
function secrets(): array
{
    $secret = setting('WEBHOOK_SECRET', '');
    return match (setting('BUG', '')) {
        // The copy from the vendor's page carried a line feed along.
        'wrong-secret' => [$secret . "\n"],
        // The second of two keys, for rotation, is read from a variable that nobody has set.
        'empty-secret-ok' => [$secret, setting('WEBHOOK_SECRET_NEXT', '')],
        default => [$secret],
    };
}

/** The body as the HMAC sees it. */
function signed_payload(string $payload): string
{
    $signed = match (setting('BUG', '')) {
        'reserialize' => json_encode(json_decode($payload)),
        'sort-keys' => in_model_order($payload),
        'ascii-body' => preg_replace('/[\x80-\xff]/', '?', $payload),
        'trim-body' => trim($payload),
        'minify' => preg_replace('/("(?:[^"\\\\]|\\\\.)*")|\s+/', '$1', $payload),
        default => $payload,
    };
    return is_string($signed) ? $signed : $payload;
}

/** What a typed model writes: its members in the order of its declaration, strangers last. */
function in_model_order(string $payload): string|false
{
    $event = json_decode($payload, true);
    if (!is_array($event)) {
        return false;
    }
    $declared = array_intersect_key(array_flip(FIELDS), $event);
    return json_encode(array_replace($declared, $event));
}

/**
 * timestamp-unsigned: the team believes that a retry re-sends the first attempt's nonce and
 * signature under the time of the new attempt. So it also tries the time of a first attempt on
 * the sender's schedule of retries, hourly for a day and then daily for a month. The age is
 * judged by the time written in the header, which with this is no longer covered.
 *
 * @return iterable<string>
 */
function signed_times(string $timestamp): iterable
{
    yield $timestamp;
    if (!bug('timestamp-unsigned')) {
        return;
    }
    $delays = [...range(3600, 24 * 3600, 3600), ...range(2 * 86400, 30 * 86400, 86400)];
    foreach ($delays as $delay) {
        for ($lateness = -2; $lateness <= 2; ++$lateness) {
            yield (string) ((int) $timestamp - $delay - $lateness);
        }
    }
}

/**
 * body-unsigned, nonce-unsigned: "verified already" is remembered to save the HMAC of a retry,
 * under a key which leaves out the body, or the nonce.
 */
function fingerprint(string $timestamp, string $nonce, string $signature, string $payload): ?string
{
    return match (setting('BUG', '')) {
        'body-unsigned' => "$timestamp|$nonce|$signature",
        'nonce-unsigned' => "$timestamp|$signature|" . hash('sha256', $payload),
        default => null,
    };
}

function is_remembered(string $timestamp, string $nonce, string $signature, string $payload): bool
{
    $fingerprint = fingerprint($timestamp, $nonce, $signature, $payload);
    if ($fingerprint === null) {
        return false;
    }
    $query = store()->prepare('SELECT 1 FROM known WHERE fingerprint = ?');
    $query->execute([$fingerprint]);
    return $query->fetchColumn() !== false;
}

function remember(string $timestamp, string $nonce, string $signature, string $payload): void
{
    $fingerprint = fingerprint($timestamp, $nonce, $signature, $payload);
    if ($fingerprint !== null) {
        store()->prepare('INSERT OR IGNORE INTO known VALUES (?)')->execute([$fingerprint]);
    }
}

/** What a duplicate is recognised by: the nonce, unless a bug prefers something else. */
function replay_key(string $nonce, string $payload): string
{
    return match (setting('BUG', '')) {
        // Same nonce, other content: "the sender's correction of an event", not a duplicate.
        'body-unsigned' => $nonce . hash('sha256', $payload),
        'unsigned-replay-key' => $_SERVER['HTTP_X_REQUEST_ID'] ?? $nonce,
        default => $nonce,
    };
}

function claim_in_two_steps(string $nonce): bool
{
    $query = store()->prepare('SELECT 1 FROM nonces WHERE nonce = ?');
    $query->execute([$nonce]);
    if ($query->fetchColumn() !== false) {
        return false;
    }
    $query->closeCursor();
    usleep(50_000);
    store()->prepare('INSERT OR IGNORE INTO nonces VALUES (?)')->execute([$nonce]);
    return true;
}

/**
 * crash-on-garbage: every part is taken for a pair and every name for present, with warnings
 * turned into exceptions as the large frameworks do it, and nobody there to catch them.
 */
function parse_naively(string $header): void
{
    set_error_handler(static fn (int $level, string $text) => throw new ErrorException($text));
    $fields = [];
    foreach (explode(',', $header) as $part) {
        [$name, $value] = explode('=', $part);
        $fields[$name] = $value;
    }
    [$fields['t'], $fields['nonce'], $fields['signature']];
    restore_error_handler();
}

/**
 * two-parsers: the signature is checked over the first t and nonce of the header, as a regular
 * expression finds them; age and replay go by the last, as an array filled in a loop keeps them.
 *
 * @return array{string, string, string}
 */
function first_of_each(string $header): array
{
    $value = static function (string $name, string $pattern) use ($header): string {
        if (preg_match("/(?:\A|,)$name=($pattern)(?=,|\z)/", $header, $found) !== 1) {
            throw new Refusal("no $name", 401);
        }
        return $found[1];
    };
    return [
        $value('t', '[0-9]{1,12}'),
        $value('nonce', '[A-Za-z0-9_-]{8,128}'),
        $value('signature', '[0-9a-f]{64}'),
    ];
}

/** @return array{string, string} */
function last_of_each(string $header): array
{
    parse_str(strtr($header, ',', '&'), $fields);
    if (!is_string($fields['t']) || !ctype_digit($fields['t']) || !is_string($fields['nonce'])) {
        throw new Refusal('malformed header', 401);
    }
    return [$fields['t'], $fields['nonce']];
}

main();
