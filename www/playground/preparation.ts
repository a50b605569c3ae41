/**
 * What stands before the demo's page opens: the sheets at the fake Google, the demo user signed in and let into the
 * rollout, the first run done, so that the page opens on a file that follows its sheet.
 *
 * Owns the order of these steps. Must not know the page. Every step is the real one: the sign-in goes through the
 * relay's and Google's pages over HTTP, and the first run is the plugin's own in QuickJS.
 */

import { type StoredDocument, emptyDocument } from '../../tests/figma-host/document.ts';
import type { Person as FigmaUser } from '../../tests/figma-host/host.ts';
import { type Manifest, startHost } from '../../tests/figma-host/node.ts';
import { RelayClient, type SheetRef } from '../../tests/journey/relay-client.ts';
import { firstRun, openPanel } from '../../tests/journey/scripted-panel.ts';
import type { TokenSheet, Typed } from '../../tests/sheets/tokens.ts';
import { demoPerson } from './demo-person.ts';
import { withLayers } from './layers.ts';

/** The demo's user in Figma. */
export const DEMO_USER: FigmaUser = { id: '920012345678', name: 'Ana' };

/** A spreadsheet at the fake Google. */
export interface DemoSheet {
  ref: SheetRef;
  spreadsheetTitle: string;
  sheetTitle: string;
  rows: Typed[][];
}

/** The file and the user's storage as the page opens on them. */
export interface Prepared {
  document: StoredDocument;
  clientStorage: Record<string, unknown>;
}

/** The built plugin. */
export interface Plugin {
  code: string;
  html: string;
  manifest: Manifest;
}

/** Posts to the fake Google's control. */
export async function control<T>(googleOrigin: string, path: string, body: unknown): Promise<T> {
  const reply = await fetch(`${googleOrigin}/control/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`fake Google's control answered ${String(reply.status)} to ${path}: ${text.slice(0, 300)}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** Makes a spreadsheet of one tab. */
export async function makeSheet(googleOrigin: string, title: string, sheet: TokenSheet): Promise<DemoSheet> {
  const made = await control<{ spreadsheetId: string; sheets: { sheetId: number; title: string }[] }>(
    googleOrigin,
    'spreadsheets',
    { title, sheets: [{ title: sheet.title, rows: sheet.rows }] },
  );
  return {
    ref: { spreadsheet_id: made.spreadsheetId, sheet_id: made.sheets[0]?.sheetId ?? 0 },
    spreadsheetTitle: title,
    sheetTitle: sheet.title,
    rows: sheet.rows,
  };
}

/** A file in which nothing was done yet. */
export function freshFile(): Prepared {
  return { document: emptyDocument('Release board'), clientStorage: {} };
}

/** The user's targeting key, as the plugin itself tells it, and the storage in which it may be kept. */
export async function targetingKey(plugin: Plugin): Promise<{ key: string; clientStorage: Record<string, unknown> }> {
  const host = await startHost({ ...plugin, user: DEMO_USER });
  const { hello } = await openPanel(host.ui, null);
  await host.idle();
  const clientStorage = host.clientStorage.save();
  host.dispose();
  return { key: String(hello['targeting_key']), clientStorage };
}

/** Signs in, connects the sheet, does the first run. */
export async function prepare(options: {
  plugin: Plugin;
  googleOrigin: string;
  relayOrigin: string;
  sheet: DemoSheet;
  clientStorage: Record<string, unknown>;
}): Promise<Prepared> {
  const relay = new RelayClient(options.relayOrigin);
  const person = demoPerson(options.googleOrigin, [options.sheet.ref.spreadsheet_id]);
  const { signedIn } = await relay.signIn(person);
  const snapshot = await relay.snapshot(options.sheet.ref);
  const host = await startHost({
    ...options.plugin,
    document: freshFile().document,
    clientStorage: options.clientStorage,
    user: DEMO_USER,
  });
  await openPanel(host.ui);
  host.ui.send({ type: 'save_session', session: { token: signedIn.session, account: signedIn.account } });
  const { report } = await firstRun(host.ui, options.sheet.ref, snapshot);
  await host.idle();
  if (host.errors.length > 0) throw new Error(`the plugin failed in the first run: ${host.errors.join('\n')}`);
  const prepared = {
    document: withLayers(host.document, host.document.save()),
    clientStorage: host.clientStorage.save(),
  };
  host.dispose();
  if (Number((report['counts'] as { created?: number } | undefined)?.created ?? 0) === 0) {
    throw new Error(`the first run created nothing: ${JSON.stringify(report).slice(0, 500)}`);
  }
  return prepared;
}

/** A run of rows that no other row refers to, so that deleting them breaks no alias. Zero-based. */
export function unreferencedRows(rows: readonly Typed[][], count: number): number {
  const text = (cell: Typed | undefined) => (typeof cell === 'object' ? cell.text : String(cell ?? ''));
  const referred = new Set<string>();
  for (const row of rows) {
    for (const cell of row) {
      for (const match of text(cell).matchAll(/\{(?:([^{}:]*):)?([^{}]*)\}/g)) referred.add(`${match[1] ?? ''}:${match[2] ?? ''}`);
    }
  }
  const free = (row: readonly Typed[] | undefined) =>
    row !== undefined && !referred.has(`${text(row[0])}:${text(row[1])}`) && !referred.has(`:${text(row[1])}`);
  for (let at = Math.min(200, rows.length); at + count <= rows.length; at += 1) {
    if (rows.slice(at, at + count).every(free)) return at;
  }
  throw new Error(`the sheet has no ${String(count)} rows in a row that nothing refers to`);
}
