/**
 * The built plugin as the bundle's tests run it.
 *
 * Owns where the built files are and how a test opens the plugin. Must not know what is tested.
 */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { type FigmaHost, type HostOptions, type Manifest, ROOT, startHost } from '../figma-host/node.ts';

/** A variant of the build, by the variable that says where it is. */
export type Variant = 'sync' | 'without-sync';

const FOLDERS: Record<Variant, string> = {
  sync: process.env['SHEETWIRE_TEST_DIST'] ?? 'dist',
  'without-sync': process.env['SHEETWIRE_TEST_DIST_WITHOUT_SYNC'] ?? 'target/dist/without-sync',
};

/** Starts the built plugin in a host with a scripted panel. */
export async function openPlugin(
  options: Partial<Omit<HostOptions, 'quickjs' | 'code' | 'manifest'>> = {},
  variant: Variant = 'sync',
): Promise<FigmaHost> {
  const folder = resolve(ROOT, FOLDERS[variant]);
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const host = await startHost({
    code: read('code.js'),
    html: read('ui.html'),
    manifest: JSON.parse(readFileSync(join(ROOT, 'manifest.json'), 'utf8')) as Manifest,
    ...options,
  });
  if (!options.panel) await host.ui.opened();
  return host;
}

/** The wire's golden messages of one file, by name. */
export function goldens(file: string): [string, { type: string }][] {
  return Object.entries(JSON.parse(readFileSync(join(ROOT, 'tests', 'wire', file), 'utf8')) as Record<string, { type: string }>);
}
