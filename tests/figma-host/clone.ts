/**
 * Figma's structured clone as JSON: what survives a trip between the panel, the sandbox and clientStorage.
 *
 * Owns the encoding, which both sides of the sandbox's border use. Must not know either side. Functions, symbols
 * and prototypes are lost; of the binary types only Uint8Array is kept, the others become the plain objects of
 * what can be enumerated in them (Figma's documentation of `figma.ui.postMessage`).
 */

/** Marks an object that stands for what JSON can't carry; a plain object that has this key travels wrapped. */
const TAG = '$sheetwire-host';

/** @returns JSON text that {@link fromJson} reads back. @throws when the value contains itself. */
export function toJson(value: unknown): string {
  const encoded = encode(value, []);
  return JSON.stringify(encoded === undefined ? { [TAG]: 'undefined' } : encoded);
}

/** The counterpart of {@link toJson}; every call gives a new copy. */
export function fromJson(json: string): unknown {
  const parsed: unknown = JSON.parse(json);
  return json.includes(TAG) ? decode(parsed) : parsed;
}

function encode(value: unknown, above: readonly unknown[]): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      return { [TAG]: 'number', value: Object.is(value, -0) ? '-0' : String(value) };
    case 'undefined':
      return { [TAG]: 'undefined' };
    case 'bigint':
      return { [TAG]: 'bigint', value: String(value) };
    case 'function':
    case 'symbol':
      return undefined;
    case 'object':
      break;
  }
  if (value === null) return null;
  if (above.includes(value)) throw new Error('Cannot convert a cyclic object');
  const within = [...above, value];
  if (Array.isArray(value)) {
    return value.map((item: unknown) => {
      const encoded = encode(item, within);
      return encoded === undefined ? { [TAG]: 'undefined' } : encoded;
    });
  }
  if (value instanceof Date) return { [TAG]: 'date', value: value.getTime() };
  if (value instanceof Uint8Array) return { [TAG]: 'bytes', value: Array.from(value) };
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const encoded = encode(item, within);
    if (encoded !== undefined) copy[key] = encoded;
  }
  return TAG in copy ? { [TAG]: 'object', value: copy } : copy;
}

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decode);
  const fields = value as Record<string, unknown>;
  switch (fields[TAG]) {
    case 'number':
      return Number(fields['value']);
    case 'undefined':
      return undefined;
    case 'bigint':
      return BigInt(String(fields['value']));
    case 'date':
      return new Date(Number(fields['value']));
    case 'bytes':
      return Uint8Array.from(fields['value'] as number[]);
    default: {
      const inner = (fields[TAG] === 'object' ? fields['value'] : fields) as Record<string, unknown>;
      return Object.fromEntries(Object.entries(inner).map(([key, item]) => [key, decode(item)]));
    }
  }
}
