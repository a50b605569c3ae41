/**
 * The two servers of a journey on free loopback ports: the fake Google and the relay.
 *
 * Owns starting them, wiring one to the other, and stopping them by their own process ids. Must not know what is
 * done with them.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Longest wait for a server to say that it listens, in milliseconds. */
const START_MS_MAX = 20_000;
/** Longest wait for a server to end by itself before it is killed, in milliseconds. */
const STOP_MS_MAX = 5_000;
/** Lines of a server's output that are kept for a failure's message. */
const LINES_MAX = 200;

/**
 * On Linux the kernel ends a server whose starter was killed and could not end it; `setpriv` then becomes the server,
 * so the process id is the server's own. Elsewhere such a server has to be ended by hand.
 */
const GUARD = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--'] : [];

/** This process's environment without the tests' own settings, which a relay would refuse as unknown. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SHEETWIRE_')));
}

/** One running server. */
export class Server {
  private constructor(
    readonly name: string,
    readonly origin: string,
    readonly process: ChildProcess,
    /** The last lines it said. */
    readonly lines: readonly string[],
  ) {}

  /** Starts a program and waits for its line `listening on ORIGIN`. */
  static async start(name: string, program: string, args: string[], env: Record<string, string> = {}): Promise<Server> {
    const [command = program, ...before] = [...GUARD, program];
    const child = spawn(command, [...before, ...args], { env: { ...inherited(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: string[] = [];
    const keep = (line: string): void => {
      lines.push(line);
      if (lines.length > LINES_MAX) lines.shift();
    };
    if (child.stderr) createInterface({ input: child.stderr }).on('line', keep);
    const origin = await new Promise<string>((resolve, reject) => {
      const fail = (why: string): void => {
        child.kill('SIGKILL');
        reject(new Error(`${name} did not start: ${why}\n${lines.join('\n')}`));
      };
      const timer = setTimeout(() => { fail('it said nothing in time'); }, START_MS_MAX);
      child.once('error', (error) => { clearTimeout(timer); fail(error.message); });
      child.once('exit', (status) => { clearTimeout(timer); fail(`it ended with ${String(status)}`); });
      if (child.stdout) {
        createInterface({ input: child.stdout }).on('line', (line) => {
          keep(line);
          const found = /^listening on (http:\/\/\S+)$/.exec(line);
          if (found?.[1] !== undefined) { clearTimeout(timer); resolve(found[1]); }
        });
      }
    });
    child.removeAllListeners('exit');
    return new Server(name, origin, child, lines);
  }

  /** Asks the server to end, and kills it when it does not. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.process.once('exit', () => { resolve(); }));
    this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(timer);
  }
}

/** A flagd document with the rollout's one flag: on for `targetingKeys`, otherwise for `percent` of users. */
export function flagDocument(targetingKeys: string[], percent = 5, state: 'ENABLED' | 'DISABLED' = 'ENABLED'): string {
  return JSON.stringify({
    $schema: 'https://flagd.dev/schema/v0/flags.json',
    flags: {
      'realtime-sync': {
        state,
        variants: { on: true, off: false },
        defaultVariant: 'off',
        targeting: {
          if: [
            { in: [{ var: 'targetingKey' }, targetingKeys] },
            'on',
            { fractional: [['on', percent], ['off', 100 - percent]] },
          ],
        },
      },
    },
  });
}

/** Both servers and the folder of their files. */
export class Servers {
  private constructor(
    readonly google: Server,
    public relay: Server,
    readonly folder: string,
    private readonly environment: Record<string, string>,
    private readonly programs: string,
  ) {}

  /** @param programs folder of the built programs, `target/debug` for one. */
  static async start(programs: string, settings: Record<string, string> = {}): Promise<Servers> {
    const folder = mkdtempSync(join(tmpdir(), 'sheetwire-'));
    writeFileSync(join(folder, 'flags.json'), flagDocument([]));
    const google = await Server.start('fake Google', join(programs, 'fake-google'), ['--port', '0', '--prompt']);
    const environment = {
      SHEETWIRE_LISTEN: '127.0.0.1:0',
      SHEETWIRE_STORE: join(folder, 'store.sqlite'),
      SHEETWIRE_STORE_KEY: randomBytes(32).toString('base64'),
      SHEETWIRE_FLAGS: join(folder, 'flags.json'),
      SHEETWIRE_GOOGLE_CLIENT_ID: 'sheetwire-demo.apps.example',
      SHEETWIRE_GOOGLE_CLIENT_SECRET: 'demo-client-secret',
      SHEETWIRE_GOOGLE_AUTH_URL: `${google.origin}/o/oauth2/v2/auth`,
      SHEETWIRE_GOOGLE_TOKEN_URL: `${google.origin}/token`,
      SHEETWIRE_GOOGLE_REVOKE_URL: `${google.origin}/revoke`,
      SHEETWIRE_SHEETS_URL: google.origin,
      SHEETWIRE_DRIVE_URL: google.origin,
      ...settings,
    };
    try {
      const relay = await Server.start('relay', join(programs, 'sheetwire-relay'), [], environment);
      return new Servers(google, relay, folder, environment, programs);
    } catch (error) {
      await google.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Writes the relay's flag document; the relay reads it again by itself. */
  writeFlags(document: string): void {
    writeFileSync(join(this.folder, 'flags.json'), document);
  }

  /** Starts the relay again on the port it had, with the store it had. */
  async restartRelay(): Promise<void> {
    const port = new URL(this.relay.origin).port;
    await this.relay.stop();
    this.relay = await Server.start('relay', join(this.programs, 'sheetwire-relay'), [], {
      ...this.environment,
      SHEETWIRE_LISTEN: `127.0.0.1:${port}`,
    });
  }

  /** Stops both and removes their files. */
  async stop(): Promise<void> {
    await Promise.all([this.relay.stop(), this.google.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
