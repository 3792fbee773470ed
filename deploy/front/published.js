// Finds the file of the thread that a reader requests. It is njs because nginx itself cannot hash.
//
// models/store/storage.py names the files. Only requests with an obvious meaning get a file; Flask answers all others.

import crypto from 'crypto';

// One `thread`, and perhaps the `after` that makes an address new to a CDN. ASKED allows the characters that a key may
// contain, escaped or not. A key that still needs cleaning (models/text/cleaning.py: clean_line) is not PLAIN.
const ASKED = /^\/v1\/sites\/([a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?)\/comments\?thread=((?:[\w\/.~!*'(),;:@?$=+-]|%[2-7][0-9A-Fa-f])+)(?:&after=[\w-]*)?$/;
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;
const MOST = 500;
// The same value as in service/http/transport.py.
const STRICT = (process.env.GREENROOM_PUBLIC_URL || '').startsWith('https://') ? 'max-age=63072000' : '';
const CDN_SECONDS = Number(process.env.GREENROOM_CDN_SECONDS || 0);

function newest(r) {
    // Variables of the original request, because this runs first in its subrequest /allowed.
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
