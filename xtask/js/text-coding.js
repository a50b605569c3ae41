/**
 * TextEncoder and TextDecoder for the sandbox, which has neither.
 *
 * Owns UTF-8 as far as wasm-bindgen's glue asks for it: `encode`, `encodeInto` and `decode` of whole, valid strings.
 * Lone surrogates become U+FFFD as the standard demands. Streaming, other encodings and `fatal` are left out.
 * Must not touch the global object: esbuild puts these names in place of the free ones.
 * See https://encoding.spec.whatwg.org/#utf-8.
 */

/** How many code units go to `String.fromCharCode` at once: far below the argument limit of any engine. */
const CHUNK_CODE_UNITS = 4096;

export class TextEncoder {
  /** Writes `text` into `view`, which wasm-bindgen has made three bytes a code unit long, so everything fits. */
  encodeInto(text, view) {
    let written = 0;
    for (let i = 0; i < text.length; i++) {
      let code = text.charCodeAt(i);
      if (code < 0x80) {
        view[written++] = code;
        continue;
      }
      if (code < 0x800) {
        view[written++] = 0xc0 | (code >> 6);
        view[written++] = 0x80 | (code & 0x3f);
        continue;
      }
      if ((code & 0xf800) === 0xd800) {
        const low = code < 0xdc00 ? text.charCodeAt(i + 1) : NaN;
        if ((low & 0xfc00) === 0xdc00) {
          code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
          i++;
          view[written++] = 0xf0 | (code >> 18);
          view[written++] = 0x80 | ((code >> 12) & 0x3f);
          view[written++] = 0x80 | ((code >> 6) & 0x3f);
          view[written++] = 0x80 | (code & 0x3f);
          continue;
        }
        code = 0xfffd;
      }
      view[written++] = 0xe0 | (code >> 12);
      view[written++] = 0x80 | ((code >> 6) & 0x3f);
      view[written++] = 0x80 | (code & 0x3f);
    }
    return { read: text.length, written };
  }

  encode(text) {
    const view = new Uint8Array(text.length * 3);
    return view.slice(0, this.encodeInto(text, view).written);
  }
}

export class TextDecoder {
  /** Reads valid UTF-8, which is all that Rust hands over. ASCII stays within the engine's own functions. */
  decode(bytes) {
    if (bytes === undefined) return '';
    let text = '';
    for (let at = 0; at < bytes.length; at += CHUNK_CODE_UNITS) {
      const part = String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK_CODE_UNITS));
      if (/[^\0-\x7f]/.test(part)) return text + decodeMultibyte(bytes, at);
      text += part;
    }
    return text;
  }
}

/** Decodes from `at` to the end, one code point at a time. */
function decodeMultibyte(bytes, at) {
  let text = '';
  let units = [];
  while (at < bytes.length) {
    const lead = bytes[at++];
    if (lead < 0x80) {
      units.push(lead);
    } else if (lead < 0xe0) {
      units.push(((lead & 0x1f) << 6) | (bytes[at++] & 0x3f));
    } else if (lead < 0xf0) {
      units.push(((lead & 0x0f) << 12) | ((bytes[at++] & 0x3f) << 6) | (bytes[at++] & 0x3f));
    } else {
      const code =
        (((lead & 0x07) << 18) | ((bytes[at++] & 0x3f) << 12) | ((bytes[at++] & 0x3f) << 6) | (bytes[at++] & 0x3f)) -
        0x10000;
      units.push(0xd800 | (code >> 10), 0xdc00 | (code & 0x3ff));
    }
    if (units.length >= CHUNK_CODE_UNITS) {
      text += String.fromCharCode.apply(null, units);
      units = [];
    }
  }
  return text + String.fromCharCode.apply(null, units);
}
