/**
 * Fake Google as a process of its own, and its control.
 *
 * Owns starting and stopping the program, and the calls of `/control`. Must not know what is tested.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Longest wait for the program to say that it listens, in milliseconds. */
const START_MS_MAX = 20_000;

/** A made spreadsheet. */
export interface Made { spreadsheetId: string; sheets: { sheetId: number; title: string }[] }

/** A running fake Google. */
export class FakeGoogle {
  readonly origin: string;
  readonly process: ChildProcess;

  private constructor(origin: string, child: ChildProcess) {
    this.origin = origin;
    this.process = child;
  }

  /** Starts the program on a free port; `--prompt` unless told otherwise. */
  static async start(args: string[] = ['--prompt']): Promise<FakeGoogle> {
    const program = process.env['SHEETWIRE_TEST_FAKE_GOOGLE'] ?? join('target', 'debug', 'fake-google');
    if (!existsSync(program)) throw new Error(`${program} is not built: cargo build --package fake-google`);
    const child = spawn(program, ['--port', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const origin = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => { child.kill('SIGKILL'); reject(new Error('fake Google said nothing')); }, START_MS_MAX);
      child.once('error', reject);
      createInterface({ input: child.stdout }).once('line', (line) => {
        clearTimeout(timer);
        resolve(line.replace('listening on ', ''));
      });
    });
    return new FakeGoogle(origin, child);
  }

  /** One call of the control. */
  async control<T = unknown>(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<T> {
    const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const reply = await fetch(`${this.origin}/control/${path}`, { method, ...init });
    if (!reply.ok) throw new Error(`/control/${path} answered ${String(reply.status)} ${await reply.text()}`);
    return (await reply.json()) as T;
  }

  /** An access token without any page. */
  async token(account: string, ...scopes: string[]): Promise<string> {
    const full = scopes.map((scope) => (scope.includes(':') ? scope : `https://www.googleapis.com/auth/${scope}`));
    return (await this.control<{ accessToken: string }>('tokens', { account, scopes: full })).accessToken;
  }

  /** Asks the program to end and waits until it has. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
  }
}
