/**
 * What the playground's page and its server say to each other.
 *
 * Owns the types of both. Must not know either side.
 */

import type { StoredDocument } from '../../tests/figma-host/document.ts';
import type { Person } from '../../tests/figma-host/host.ts';
import type { Manifest, WebAssemblyPolicy } from '../../tests/figma-host/manifest.ts';

/** `GET /state`: everything the page opens on. */
export interface PageState {
  addresses: { google: string; relay: string };
  sheet: { spreadsheetId: string; sheetId: number; spreadsheetTitle: string; sheetTitle: string };
  /** The cell that changes by itself, and the texts it takes in turn; `undefined`: nothing changes by itself. */
  story?: { address: string; row: number; column: number; values: string[] };
  plugin: { code: string; html: string; manifest: Manifest; webAssembly: WebAssemblyPolicy };
  user: Person;
  file: { document: StoredDocument; clientStorage: Record<string, unknown> };
  /** How the world around the plugin stands. */
  world: World;
}

/** What the buttons switch. */
export interface World {
  network: 'up' | 'down';
  rowsDeleted: boolean;
  rolledBack: boolean;
}

/** `PUT /file`: what the page keeps, so that a reload goes on where it was. */
export type KeptFile = PageState['file'];

/** `POST /act`: one press of a button; answered by {@link World}. */
export type Act =
  | { act: 'edit'; row: number; column: number; value: string }
  | { act: 'network'; network: World['network'] }
  | { act: 'rows'; deleted: boolean }
  | { act: 'roll_back'; rolledBack: boolean }
  | { act: 'start_over' };
