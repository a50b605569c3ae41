/**
 * The panel's part in a sync, played by a script: what a designer and the UI program would say to the sandbox.
 *
 * Owns the order of messages of a first run and of later changes. Must not know how a host delivers them. It exists
 * for tests and the demo's preparation where no browser is needed; the UI program has its own tests in Chromium.
 */

import type { Frame, SheetRef } from './relay-client.ts';

/** The envelope of the panel wire. */
export interface Envelope { v: number; body: string; bulk?: string }
/** A message of either direction; `type` tells which. */
export interface Message { type: string; [field: string]: unknown }
/** How a host carries messages. `next` resolves with the next message of one of the types; `failed` rejects it. */
export interface SandboxPort {
  send(envelope: Envelope): void;
  next(...types: string[]): Promise<{ message: Message; bulk?: string }>;
}

/** The OFREP bulk reply that lets a user in. */
export const FLAG_ON = JSON.stringify({ flags: [{ key: 'realtime-sync', value: true, reason: 'STATIC', variant: 'on' }] });
/** The OFREP bulk reply that leaves a user out. */
export const FLAG_OFF = JSON.stringify({ flags: [{ key: 'realtime-sync', value: false, reason: 'SPLIT', variant: 'off' }] });

/** Speaks for the panel. */
export class ScriptedPanel {
  constructor(readonly port: SandboxPort) {}

  /** Sends one message. */
  say(message: Message, bulk?: string): void {
    this.port.send({ v: 1, body: JSON.stringify(message), ...(bulk === undefined ? {} : { bulk }) });
  }

  /** Opens the panel and hands over the flag evaluation; resolves with the decision. */
  async open(flags: string | null = FLAG_ON): Promise<{ hello: Message; decision: unknown }> {
    this.say({ type: 'ready', entropy: '00112233445566778899aabbccddeeff'.repeat(2) });
    const { message: hello } = await this.port.next('hello');
    this.say({ type: 'flags_evaluated', body: flags, now_unix_ms: Date.now() });
    const { message } = await this.port.next('flags');
    return { hello, decision: message['realtime_sync'] };
  }

  /** Hands over one frame of the relay. */
  frame(sheet: SheetRef, frame: Frame): void {
    if (frame.type === 'snapshot') this.say({ type: 'snapshot', sheet, position: frame.position, info: frame.sheet }, frame.cells);
    if (frame.type === 'changes') this.say({ type: 'changes', sheet, position: frame.position, rows: frame.rows }, frame.cells);
  }

  /** Connects a sheet, takes the inferred columns as they are, and approves the preview. */
  async firstRun(sheet: SheetRef, snapshot: Frame): Promise<{ inferred: Message; preview: Message; report: Message }> {
    this.say({ type: 'connect', sheet });
    this.frame(sheet, snapshot);
    const { message: inferred } = await this.port.next('inferred');
    this.say({ type: 'confirm_columns', columns: inferred['columns'], header_row: inferred['header_row'] });
    const { message: preview } = await this.port.next('preview');
    this.say({ type: 'approve', plan: preview['plan'], include_removals: false });
    const { message: report } = await this.port.next('applied');
    return { inferred, preview, report };
  }
}
