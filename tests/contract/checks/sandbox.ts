/**
 * Facts about the sandbox itself: its globals, its language, timers, messages, events.
 *
 * Owns these checks. Must not know which host runs them.
 */

import { type Check, equal, ok, throws } from './check.ts';

const ABSENT = [
  'WebAssembly',
  'TextEncoder',
  'TextDecoder',
  'performance',
  'btoa',
  'atob',
  'WebSocket',
  'XMLHttpRequest',
  'crypto',
  'URL',
  'queueMicrotask',
  'structuredClone',
  'requestAnimationFrame',
  'localStorage',
  'document',
  'window',
  'self',
  'navigator',
  'require',
  'process',
];

const globals = globalThis as Record<string, unknown>;

export const sandboxChecks: Check[] = [
  ...ABSENT.map(
    (name): Check => ({
      name: `the sandbox has no ${name}`,
      source: 'reported',
      run: () => equal(typeof globals[name], 'undefined', `typeof ${name}`),
    }),
  ),
  {
    name: 'the sandbox has figma, __html__, __uiFiles__, console, timers and fetch',
    source: 'documented',
    run: () => {
      equal(typeof figma, 'object', 'typeof figma');
      equal(typeof __html__, 'string', 'typeof __html__');
      equal(typeof __uiFiles__, 'object', 'typeof __uiFiles__');
      for (const level of ['log', 'info', 'warn', 'error', 'assert', 'clear'] as const) {
        equal(typeof console[level], 'function', `typeof console.${level}`);
      }
      for (const name of ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'fetch']) {
        equal(typeof globals[name], 'function', `typeof ${name}`);
      }
    },
  },
  {
    name: 'the language is at least that of 2020',
    source: 'documented',
    run: async () => {
      const missing = { deep: undefined as { value: number } | undefined };
      equal(missing.deep?.value ?? 7, 7);
      equal(String(BigInt(2) ** BigInt(64)), '18446744073709551616');
      const settled = await Promise.allSettled([Promise.resolve(1), Promise.reject(new Error('no'))]);
      equal(settled.map((each) => each.status), ['fulfilled', 'rejected']);
      equal([...'a1b2'.matchAll(/\d/g)].map((match) => match[0]), ['1', '2']);
      equal(typeof globalThis, 'object');
    },
  },
  {
    name: 'typed arrays, Map, Set, WeakMap and Proxy work',
    source: 'documented',
    run: () => {
      equal(new Float32Array([0.1])[0], Math.fround(0.1));
      equal(new Uint8Array(new Uint32Array([0x01020304]).buffer)[0], 4);
      equal([...new Map([['a', new Set([1, 1])]])].map(([key, set]) => [key, set.size]), [['a', 1]]);
      equal(new WeakMap([[globals, 1]]).get(globals), 1);
      equal(new Proxy({ value: 1 }, { get: () => 2 }).value, 2);
    },
  },
  {
    name: 'timers run in order, can be cleared, and give numbers',
    source: 'documented',
    run: async () => {
      const seen: string[] = [];
      const cleared = setTimeout(() => seen.push('cleared'), 1);
      equal(typeof cleared, 'number');
      clearTimeout(cleared);
      setTimeout(() => seen.push('later'), 20);
      setTimeout(() => seen.push('sooner'), 1);
      seen.push('now');
      let ticks = 0;
      await new Promise((resolve) => {
        const interval = setInterval(() => {
          ticks += 1;
          if (ticks === 2) clearInterval(interval);
          if (ticks >= 2) setTimeout(() => resolve(undefined), 40);
        }, 1);
      });
      equal(ticks, 2);
      equal(seen, ['now', 'sooner', 'later']);
    },
  },
  {
    name: 'figma tells the API version, the editor and the command, and no file key',
    source: 'documented',
    run: () => {
      equal(figma.apiVersion, '1.0.0');
      equal(figma.editorType, 'figma');
      equal(typeof figma.command, 'string', 'typeof figma.command');
      equal(figma.fileKey, undefined, 'figma.fileKey');
    },
  },
  {
    name: "the current user's id is a text or null",
    source: 'documented',
    run: () => {
      const user = figma.currentUser;
      ok(user === null || user.id === null || typeof user.id === 'string', 'the id is neither');
    },
  },
  {
    name: 'the root has a name and pages, which tell their layers when they are loaded',
    source: 'documented',
    run: async () => {
      equal(typeof figma.root.name, 'string');
      equal(figma.root.type, 'DOCUMENT');
      ok(figma.root.children.length > 0, 'there is no page');
      for (const page of figma.root.children) {
        equal(page.type, 'PAGE');
        await page.loadAsync();
        for (const layer of page.children) equal(typeof layer.name, 'string');
      }
    },
  },
  {
    name: 'messages keep objects, arrays, texts, numbers, booleans, null, undefined and dates',
    source: 'documented',
    run: async ({ echo }) => {
      const message = {
        text: 'naïve 🎨 \u0000\u001e\u001f',
        numbers: [0, 0.1, 1e21, -1],
        flags: [true, false, null],
        nothing: undefined,
        when: new Date(86_400_000),
        deep: { deeper: [{ deepest: 1 }] },
      };
      const back = (await echo(message)) as typeof message;
      equal(back, message);
      ok(back.when instanceof Date, 'the date is not a Date');
    },
  },
  {
    name: 'messages are copies',
    source: 'documented',
    run: async ({ echo }) => {
      const message = { list: [1] };
      const coming = echo(message);
      message.list.push(2);
      equal(await coming, { list: [1] });
    },
  },
  {
    name: 'messages keep Uint8Array',
    source: 'documented',
    run: async ({ echo }) => {
      const back = (await echo({ bytes: new Uint8Array([0, 1, 255]) })) as { bytes: unknown };
      ok(back.bytes instanceof Uint8Array, 'the bytes are no Uint8Array');
      equal(back.bytes, new Uint8Array([0, 1, 255]));
    },
  },
  {
    name: 'messages lose functions and prototypes',
    source: 'documented',
    run: async ({ echo }) => {
      class Point {
        x = 1;
        length(): number {
          return this.x;
        }
      }
      const back = (await echo({ point: new Point(), run: () => 1 })) as { point: object; run?: unknown };
      equal(back.point, { x: 1 });
      ok(!(back.point instanceof Point), 'the prototype came back');
      equal(typeof back.run, 'undefined');
    },
  },
  {
    name: 'an unknown event is refused',
    source: 'reported',
    run: () => throws(() => (figma.on as (type: string, run: () => void) => void)('nonsense', () => undefined)),
  },
  {
    name: 'a missing key of clientStorage is undefined; values are copies; keys are listed',
    source: 'documented',
    run: async () => {
      const key = 'sheetwire-contract';
      await figma.clientStorage.deleteAsync(key);
      equal(await figma.clientStorage.getAsync(key), undefined);
      const value = { list: [1], bytes: new Uint8Array([7]) };
      await figma.clientStorage.setAsync(key, value);
      value.list.push(2);
      const first = (await figma.clientStorage.getAsync(key)) as typeof value;
      equal(first.list, [1]);
      first.list.push(3);
      equal(((await figma.clientStorage.getAsync(key)) as typeof value).list, [1]);
      ok((await figma.clientStorage.keysAsync()).includes(key), 'the key is not listed');
      await figma.clientStorage.deleteAsync(key);
      equal(await figma.clientStorage.getAsync(key), undefined);
    },
  },
  {
    name: 'clientStorage refuses more than 5 MB',
    source: 'documented',
    run: async () => {
      const key = 'sheetwire-contract-large';
      let refused = false;
      try {
        await figma.clientStorage.setAsync(key, 'x'.repeat(6_000_000));
      } catch {
        refused = true;
      } finally {
        await figma.clientStorage.deleteAsync(key);
      }
      ok(refused, 'six million characters were taken');
    },
  },
];
