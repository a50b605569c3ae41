/**
 * The panel as the host sees it, and a scripted one for tests that need no browser.
 *
 * Owns the border between host and panel. Must not know iframes (iframe.ts) or what the messages mean, apart from
 * the envelope that Sheetwire's two programs use, which {@link ScriptedPanel} can write and read.
 */

import { fromJson, toJson } from './clone.ts';

/** Options of `figma.showUI`, with Figma's defaults filled in. */
export interface PanelOptions {
  visible: boolean;
  title: string | undefined;
  width: number;
  height: number;
  themeColors: boolean;
}

/** What the host asks of a panel. */
export interface Panel {
  open(html: string, options: PanelOptions): void;
  /** The message is the panel's own copy. */
  post(message: unknown): void;
  resize(width: number, height: number): void;
  show(): void;
  hide(): void;
  close(): void;
}

/** How a panel speaks to the host. */
export type Receive = (message: unknown, origin: string) => void;

/** What the two programs send each other. */
export interface Envelope {
  v: number;
  body: string;
  bulk?: string;
}

/** One message inside an envelope, read. */
export interface PanelMessage {
  type: string;
  [field: string]: unknown;
}

/** Longest wait of {@link ScriptedPanel.next} unless told otherwise, in milliseconds. */
const WAIT_MS = 10_000;

/** A panel played by a test: sends what it is told to, keeps what it is sent. */
export class ScriptedPanel implements Panel {
  readonly #receive: Receive;
  readonly #inbox: unknown[] = [];
  #waiters: (() => void)[] = [];
  /** Every message the plugin has posted, in order. */
  readonly messages: unknown[] = [];
  html: string | undefined;
  options: PanelOptions | undefined;
  state: 'none' | 'shown' | 'hidden' | 'closed' = 'none';

  constructor(receive: Receive) {
    this.#receive = receive;
  }

  open(html: string, options: PanelOptions): void {
    this.html = html;
    this.options = options;
    this.state = options.visible ? 'shown' : 'hidden';
    this.#wake();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves when the plugin has opened its panel. @throws when it does not in time. */
  async opened(wait_ms = WAIT_MS): Promise<void> {
    const until = Date.now() + wait_ms;
    while (this.state === 'none') {
      if (Date.now() >= until) throw new Error(`the panel was not opened within ${String(wait_ms)} ms`);
      await this.#event(until - Date.now());
    }
  }

  /** The next opening or message, or the end of the time. */
  #event(left_ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, left_ms);
      this.#waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  post(message: unknown): void {
    this.messages.push(message);
    this.#inbox.push(message);
    this.#wake();
  }

  resize(width: number, height: number): void {
    if (this.options) this.options = { ...this.options, width, height };
  }

  show(): void {
    this.state = 'shown';
  }

  hide(): void {
    this.state = 'hidden';
  }

  close(): void {
    this.state = 'closed';
  }

  /** Posts any message to the plugin, cloned as the browser and Figma do. */
  sendRaw(message: unknown): void {
    this.#receive(fromJson(toJson(message)), 'null');
  }

  /** Posts one message of Sheetwire's panel wire, with its long text beside it. */
  send(message: PanelMessage, bulk?: string): void {
    const envelope: Envelope = { v: 1, body: JSON.stringify(message), ...(bulk === undefined ? {} : { bulk }) };
    this.sendRaw(envelope);
  }

  /** The next message that `wanted` accepts; those before it are passed over and lost to later calls.
   * @throws when none comes in time, naming what came instead. */
  async nextRaw(wanted: (message: unknown) => boolean, wait_ms = WAIT_MS): Promise<unknown> {
    const until = Date.now() + wait_ms;
    const passed: unknown[] = [];
    for (;;) {
      while (this.#inbox.length > 0) {
        const message = this.#inbox.shift();
        if (wanted(message)) return message;
        passed.push(message);
      }
      const left_ms = until - Date.now();
      if (left_ms <= 0) {
        const seen = passed.map((message) => JSON.stringify(message)?.slice(0, 160)).join('\n  ');
        throw new Error(`the message waited for did not come within ${String(wait_ms)} ms; came:\n  ${seen}`);
      }
      await this.#event(left_ms);
    }
  }

  /** The next message of one of these types on Sheetwire's panel wire, with its long text as `bulk`; `failed` and `refused` end the wait with
   * an error unless they are what is waited for. */
  async next(types: string | string[], wait_ms = WAIT_MS): Promise<PanelMessage> {
    const wanted = typeof types === 'string' ? [types] : types;
    const message = await this.nextRaw((raw) => {
      const type = readEnvelope(raw)?.type;
      return type !== undefined && [...wanted, 'failed', 'refused'].includes(type);
    }, wait_ms);
    const read = readEnvelope(message) as PanelMessage;
    if (!wanted.includes(read.type)) throw new Error(`waited for ${wanted.join(' or ')}, came ${JSON.stringify(read)}`);
    const { bulk } = message as Envelope;
    return bulk === undefined ? read : { ...read, bulk };
  }
}

/** The message inside an envelope; `undefined` when it is none. */
export function readEnvelope(raw: unknown): PanelMessage | undefined {
  if (typeof raw !== 'object' || raw === null || typeof (raw as Envelope).body !== 'string') return undefined;
  return JSON.parse((raw as Envelope).body) as PanelMessage;
}
