<?php
// Writes vectors/php.json with nothing but PHP's own functions, as the vendor's page does:
//     php tests/vectors/make.php > spec/hookproof_spec/vectors/php.json

declare(strict_types=1);

$secretKey = 'hookproof-secret-0001';
$timestamp = 1660338149;
$nonce = '752c14ea195c460bac3c3b7896975ee9fd15eeb7';

function event(string $location, string $part, string $code): string
{
    return json_encode([
        '_event' => 'Spare part was out of stock',
        '_date' => '2024-07-29T15:51:28.071Z',
        '_metadata' => [null],
        'stock' => ['location' => ['locationId' => 'L-1', 'name' => $location]],
        'sparePart' => ['sparePartId' => 'SP-1', 'name' => $part, 'articleCode' => $code],
        'movement' => ['on' => '2024-07-29T15:51:28.071Z'],
    ], JSON_THROW_ON_ERROR);
}

function request(int $timestamp, string $nonce, string $payload, string $secretKey): array
{
    $content = sprintf('%s.%s.%s', $timestamp, $nonce, $payload);
    $signature = hash_hmac('sha256', $content, $secretKey);

    return [
        'method' => 'POST',
        'url' => 'http://127.0.0.1:8000/webhook',
        'headers' => [
            ['Content-Type', 'application/json'],
            ['X-MW-Signature', sprintf('t=%s,nonce=%s,signature=%s', $timestamp, $nonce, $signature)],
        ],
        'body_base64' => base64_encode($payload),
    ];
}

$payloads = [
    'a body that json_encode escapes' => event('Atelier A/B', "Joint \u{e9}tanche \u{1f600}", 'REF/42'),
    'a body with quotes and markup' => event('<b>"Stock" & co</b>', "l'axe\n\t\u{2028}", '1.0'),
    'an empty body' => '',
];

$sign = [];
$verify = [];
foreach ($payloads as $name => $payload) {
    $sign[] = [
        'name' => $name,
        'secret' => $secretKey,
        'timestamp' => $timestamp,
        'nonce' => $nonce,
        'body_base64' => base64_encode($payload),
        'request' => request($timestamp, $nonce, $payload, $secretKey),
    ];
    foreach ([$secretKey => null, '' => 'wrong signature'] as $key => $reason) {
        $verify[] = [
            'name' => $name . ($key === '' ? ', signed with the empty key' : ''),
            'request' => request($timestamp, $nonce, $payload, $key),
            'secrets' => [$secretKey],
            'now' => $timestamp,
            'accepted' => $reason === null,
            'reason' => $reason,
        ];
    }
}

echo json_encode([
    'title' => "Made by PHP's hash_hmac and json_encode",
    'extension' => [
        'algorithm' => 'hmac-sha256',
        'content' => '{timestamp}.{nonce}.{body}',
        'encoding' => 'hex',
        'carry' => [
            'header' => ['X-MW-Signature' => 't={timestamp},nonce={nonce},signature={signature}'],
        ],
        'timestamp' => ['unit' => 's', 'tolerance' => 3600],
        'nonce' => ['pattern' => '[0-9a-f]{40}'],
    ],
    'sign' => $sign,
    'verify' => $verify,
], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR), "\n";
