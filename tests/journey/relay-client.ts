/**
 * The relay's HTTP wire as the tests and the demo's server speak it.
 *
 * Owns sign-in from end to end and the calls after it. Must not know the plugin; the product's own client is the
 * UI program. The types mirror crates/core/src/protocol/relay.rs, and the wire goldens hold both to the same texts.
 */

import { createHash, randomBytes } from 'node:crypto';
import { Browser, type Page, type Person } from './browser.ts';

/** One tab, as Google names it. */
export interface SheetRef { spreadsheet_id: string; sheet_id: number }
/** Where a reader stands. */
export interface Position { epoch: string; revision: number }
/** What stands around the cells. */
export interface SheetInfo { spreadsheet_title: string; sheet_title: string; locale: string }
/** The frames that carry cells; the others have only a type here. */
export type Frame =
  | { type: 'snapshot'; v: 1; position: Position; sheet: SheetInfo; cells: string }
  | { type: 'changes'; v: 1; since: number; position: Position; seen_unix_ms: number; rows: number; cells: string }
  | { type: 'resumed' | 'heartbeat' | 'trouble' | 'flags_changed' | 'closing'; v: 1 };
/** A signed-in user. */
export interface SignedIn { session: string; account: string; picked: string[]; expires_in_s: number }

/** Pause between two tries of redeeming, in milliseconds, and how many there are. */
const REDEEM_PAUSE_MS = 50;
const REDEEM_TRIES_MAX = 100;
/** How often a poll may answer with something else than the sheet. */
const SNAPSHOT_TRIES_MAX = 10;

/** A reply that was not 2xx. */
export class RelayError extends Error {
  constructor(readonly status: number, readonly code: string) {
    super(`the relay answered ${String(status)} ${code}`);
  }
}

/** Signs in as a person would: the relay's page, Google's pages, back. */
export class RelayClient {
  session = '';
  constructor(readonly origin: string) {}

  /** One call with the session; a JSON body makes it a POST. */
  async call<T>(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<T> {
    const headers: Record<string, string> = {};
    if (this.session !== '') headers['authorization'] = `Bearer ${this.session}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const reply = await fetch(this.origin + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await reply.text();
    if (!reply.ok) {
      let code = '';
      try { code = String((JSON.parse(text) as { code?: string }).code); } catch { /* a reply without a body has no code */ }
      throw new RelayError(reply.status, code);
    }
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** The whole sign-in; `person` acts on every page until it returns `undefined`. */
  async signIn(person: Person, browser = new Browser()): Promise<{ signedIn: SignedIn; last: Page; code: string }> {
    const secret = randomBytes(32);
    const challenge = createHash('sha256').update(secret).digest('base64url');
    const flow = await this.call<{ flow: string; code: string; url: string }>('/v1/signin', { challenge });
    const last = await browser.visit(flow.url, person);
    for (let attempt = 0; attempt < REDEEM_TRIES_MAX; attempt += 1) {
      const signedIn = await this.call<SignedIn | undefined>(`/v1/signin/${flow.flow}/redeem`, { secret: secret.toString('base64url') });
      if (signedIn !== undefined) {
        this.session = signedIn.session;
        return { signedIn, last, code: flow.code };
      }
      await new Promise((resolve) => setTimeout(resolve, REDEEM_PAUSE_MS));
    }
    throw new Error('the sign-in was never finished');
  }

  /** The whole sheet, however many other frames come first. */
  async snapshot(sheet: SheetRef): Promise<Extract<Frame, { type: 'snapshot' }>> {
    for (let attempt = 0; attempt < SNAPSHOT_TRIES_MAX; attempt += 1) {
      const frames = await this.poll(sheet);
      const found = frames.find((frame) => frame.type === 'snapshot');
      if (found !== undefined) return found;
    }
    throw new Error('the relay gave no snapshot');
  }

  /** The sheet's frames since `resume`; waits up to `wait_ms` for something to say. */
  async poll(sheet: SheetRef, resume?: Position, wait_ms = 0): Promise<Frame[]> {
    const reply = await this.call<{ frames: Frame[] }>('/v1/poll', { v: 1, sheet, wait_ms, ...(resume === undefined ? {} : { resume }) });
    return reply.frames;
  }
}
