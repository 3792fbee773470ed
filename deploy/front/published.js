// Which file is the thread that a reader asks for. njs: nginx itself can't hash.
//
// models/store/storage.py names the files. Only requests whose meaning is plain get one; every other answer is Flask's.

import crypto from 'crypto';

// One `thread`, and perhaps the `after` that makes an address new to a CDN. What may stand in a key unescaped, or
// escaped; a key that still needs cleaning after this (models/text/cleaning.py: clean_line) is not PLAIN.
const ASKED = /^\/v1\/sites\/([a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?)\/comments\?thread=((?:[\w\/.~!*'(),;:@?$=+-]|%[2-7][0-9A-Fa-f])+)(?:&after=[\w-]*)?$/;
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;
const MOST = 500;
// As service/http/transport.py says it.
const STRICT = (process.env.GREENROOM_PUBLIC_URL || '').startsWith('https://') ? 'max-age=63072000' : '';
const CDN_SECONDS = Number(process.env.GREENROOM_CDN_SECONDS || 0);

function newest(r) {
    // Of the request itself: /allowed, a request within it, is where this is computed first.
    const method = r.variables.request_method;
    const asked = method === 'GET' || method === 'HEAD' ? ASKED.exec(r.variables.request_uri) : null;
    if (!asked) {
        return '';
    }
    const thread = decodeURIComponent(asked[2].split('+').join(' '));
    if (thread.length > MOST || !PLAIN.test(thread)) {
        return '';
    }
    const name = crypto.createHash('sha256').update(`${asked[1]}\0${thread}`).digest('hex').slice(0, 40);
    if (CDN_SECONDS) {
        r.variables.cdn_seconds = `max-age=${CDN_SECONDS}`;
        r.variables.cache_tag = `greenroom-${asked[1]}-${name}`;
    }
    r.variables.strict_transport = STRICT;
    return `/published/${asked[1]}/${name.slice(0, 2)}/${name}/newest.json`;
}

export default {newest};
