/**
 * The playground's server: the page, the state it opens on, and what its buttons do to the world around the plugin.
 *
 * Owns the servers it has started and the state between reloads. Must not know how the page draws. Only on loopback.
 */

import { readFile } from 'node:fs/promises';
import { type IncomingMessage, type Server as HttpServer, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { join } from 'node:path';

import type { Manifest, WebAssemblyPolicy } from '../../tests/figma-host/manifest.ts';
import { Network } from '../../tests/journey/network.ts';
import { Servers, flagDocument } from '../../tests/journey/servers.ts';
import { openProps } from '../../tests/sheets/open-props.ts';
import { primer } from '../../tests/sheets/primer.ts';
import type { TokenSheet } from '../../tests/sheets/tokens.ts';
import {
  DEMO_USER,
  type DemoSheet,
  type Plugin,
  type Prepared,
  control,
  freshFile,
  makeSheet,
  prepare,
  targetingKey,
  unreferencedRows,
} from './preparation.ts';
import type { Act, KeptFile, PageState, World } from './wire.ts';

/** Longest body that the page may send, in bytes: a file of some thousand variables. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;
/** Rows that "Delete 40 rows" deletes. */
const ROWS_DELETED = 40;
/** The cell of the story: the light value of `bgColor/accent-emphasis`, to which a button and a bar are bound. */
const STORY = { address: 'C14', row: 13, column: 2, values: ['#8250df', '#bf3989', '#0969da'] };

export interface PlaygroundOptions {
  /** Folder of the built programs, such as `target/debug`. */
  programs: string;
  /** Folder of the built plugin. */
  dist: string;
  /** Folder of the bundled page (see build.mjs). */
  assets: string;
  port?: number;
  /** Sign the demo user in and do the first run before the page opens; otherwise the file is empty. */
  prepared?: boolean;
  /** Let the demo user into the rollout. */
  rollout?: boolean;
  webAssembly?: WebAssemblyPolicy;
  /** The first sheet; Primer unless given. */
  sheet?: TokenSheet;
  /** Let a cell change by itself. */
  story?: boolean;
  /** Further settings of the relay's environment. */
  relay?: Record<string, string>;
  /** Is told each step of the start. */
  progress?: (step: string) => void;
}

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  wasm: 'application/wasm',
};

/** The page's files: name in the address → content type by its ending. */
const ASSETS = ['index.html', 'playground.css', 'main.js', 'quickjs.wasm'];

/** The playground with both servers behind it. */
export class Playground {
  readonly servers: Servers;
  readonly network: Network;
  readonly sheet: DemoSheet;
  readonly plugin: Plugin;
  readonly #options: PlaygroundOptions;
  readonly #targetingKey: string;
  readonly #http: HttpServer;
  #file: Prepared;
  #world: World = { network: 'up', rowsDeleted: false, rolledBack: false };
  readonly #deletedAt: number;

  private constructor(parts: {
    options: PlaygroundOptions;
    servers: Servers;
    network: Network;
    sheet: DemoSheet;
    plugin: Plugin;
    targetingKey: string;
    file: Prepared;
  }) {
    this.#options = parts.options;
    this.servers = parts.servers;
    this.network = parts.network;
    this.sheet = parts.sheet;
    this.plugin = parts.plugin;
    this.#targetingKey = parts.targetingKey;
    this.#file = parts.file;
    this.#deletedAt = this.sheet.rows.length > 400 ? unreferencedRows(this.sheet.rows, ROWS_DELETED) : 1;
    this.#http = createServer((request, reply) => {
      this.#answer(request, reply).catch((error: unknown) => {
        if (!reply.headersSent) reply.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
        reply.end(error instanceof Error ? error.message : String(error));
      });
    });
  }

  /** Starts fake Google, the relay, the wire between relay and panel, prepares the file, and serves the page. */
  static async start(options: PlaygroundOptions): Promise<Playground> {
    const progress = options.progress ?? (() => undefined);
    progress('starting fake Google and the relay');
    const relayPort = await freePort();
    const relayOrigin = `http://localhost:${String(relayPort)}`;
    const servers = await Servers.start(options.programs, {
      SHEETWIRE_LISTEN: `127.0.0.1:${String(relayPort)}`,
      SHEETWIRE_PUBLIC_URL: relayOrigin,
      SHEETWIRE_WEBHOOK_URL: relayOrigin,
      ...options.relay,
    });
    let network: Network | undefined;
    try {
      network = await Network.start(() => servers.relay.origin);
      const plugin = await readPlugin(options.dist, network.origin);
      progress('filling two sheets with Primer and Open Props');
      const sheet = await makeSheet(servers.google.origin, 'Design tokens', options.sheet ?? primer().sheet);
      await makeSheet(servers.google.origin, 'Open Props', openProps().sheet);
      const { key, clientStorage } = await targetingKey(plugin);
      if (options.rollout ?? true) servers.writeFlags(flagDocument([key]));
      let file = freshFile();
      if (options.prepared ?? true) {
        progress("signing the demo user in through the relay's and Google's pages, and doing the first run");
        file = await prepare({
          plugin,
          googleOrigin: servers.google.origin,
          relayOrigin: servers.relay.origin,
          sheet,
          clientStorage,
        });
      }
      const playground = new Playground({ options, servers, network, sheet, plugin, targetingKey: key, file });
      await new Promise<void>((resolve, reject) => {
        playground.#http.once('error', reject);
        playground.#http.listen(options.port ?? 0, '127.0.0.1', resolve);
      });
      return playground;
    } catch (error) {
      await network?.stop();
      await servers.stop();
      // What the relay said may tell why; it never says what a sheet holds.
      if (error instanceof Error) error.message += `\n${servers.relay.lines.slice(-20).join('\n')}`;
      throw error;
    }
  }

  get origin(): string {
    return `http://localhost:${String((this.#http.address() as AddressInfo).port)}`;
  }

  /** The file and storage as the page last kept them. */
  get file(): Prepared {
    return this.#file;
  }

  /** Does what a button does. */
  async act(act: Act): Promise<World> {
    const google = this.servers.google.origin;
    const target = { spreadsheetId: this.sheet.ref.spreadsheet_id, sheetId: this.sheet.ref.sheet_id };
    switch (act.act) {
      case 'edit':
        await control(google, 'edit', { ...target, cells: [{ row: act.row, column: act.column, value: act.value }] });
        break;
      case 'network':
        this.network.set(act.network);
        this.#world = { ...this.#world, network: act.network };
        break;
      case 'rows': {
        if (act.deleted === this.#world.rowsDeleted) break;
        const rows = this.sheet.rows.slice(this.#deletedAt, this.#deletedAt + ROWS_DELETED);
        await control(google, 'rows', {
          ...target,
          ...(act.deleted
            ? { delete: { at: this.#deletedAt, count: rows.length } }
            : { insert: { at: this.#deletedAt, rows } }),
        });
        this.#world = { ...this.#world, rowsDeleted: act.deleted };
        break;
      }
      case 'roll_back':
        this.servers.writeFlags(
          act.rolledBack ? flagDocument([this.#targetingKey], 5, 'DISABLED') : flagDocument([this.#targetingKey]),
        );
        this.#world = { ...this.#world, rolledBack: act.rolledBack };
        break;
      case 'start_over':
        this.#file = freshFile();
        break;
    }
    return this.#world;
  }

  /** Ends the page's server and the servers behind it. */
  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
    await this.network.stop();
    await this.servers.stop();
  }

  #state(): PageState {
    return {
      addresses: { google: this.servers.google.origin, relay: this.network.origin },
      sheet: {
        spreadsheetId: this.sheet.ref.spreadsheet_id,
        sheetId: this.sheet.ref.sheet_id,
        spreadsheetTitle: this.sheet.spreadsheetTitle,
        sheetTitle: this.sheet.sheetTitle,
      },
      ...((this.#options.story ?? true) ? { story: STORY } : {}),
      plugin: { ...this.plugin, webAssembly: this.#options.webAssembly ?? 'allowed' },
      user: DEMO_USER,
      file: this.#file,
      world: this.#world,
    };
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const json = (value: unknown) => {
      reply.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      reply.end(JSON.stringify(value));
    };
    // Another page on this machine must not press these buttons.
    const { origin } = request.headers;
    if (request.method !== 'GET' && origin !== undefined && origin !== this.origin) {
      reply.writeHead(403).end();
      return;
    }
    switch (`${request.method ?? ''} ${pathname}`) {
      case 'GET /state':
        json(this.#state());
        return;
      case 'PUT /file':
        this.#file = JSON.parse(await body(request)) as KeptFile;
        json(null);
        return;
      case 'POST /act':
        json(await this.act(JSON.parse(await body(request)) as Act));
        return;
      default: {
        const name = pathname === '/' ? 'index.html' : pathname.slice(1);
        if (request.method !== 'GET' || !ASSETS.includes(name)) {
          reply.writeHead(404).end();
          return;
        }
        const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
        reply.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
        reply.end(await readFile(join(this.#options.assets, name)));
      }
    }
  }
}

/** The built plugin, pointed at another relay: one tag of the page, and the manifest's domains. */
export async function readPlugin(dist: string, relayOrigin: string): Promise<Plugin> {
  const [code, page, text] = await Promise.all(
    ['code.js', 'ui.html', 'manifest.json'].map((name) => readFile(join(dist, name), 'utf8')),
  );
  const tag = /(<meta name="sheetwire-relay" content=")[^"]*(")/;
  if (code === undefined || page === undefined || text === undefined || !tag.test(page)) {
    throw new Error(`${dist} holds no built plugin; cargo xtask dist makes it`);
  }
  const manifest = JSON.parse(text) as Manifest;
  manifest.networkAccess = {
    ...manifest.networkAccess,
    allowedDomains: ['none'],
    devAllowedDomains: [relayOrigin, relayOrigin.replace(/^http/, 'ws')],
    reasoning: manifest.networkAccess?.reasoning ?? 'the relay',
  };
  return { code, html: page.replace(tag, `$1${relayOrigin}$2`), manifest };
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) throw new Error('the body is too long');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const probe = createNetServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}
