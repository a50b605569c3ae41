/**
 * The fake Figma in Node, for tests: loads the interpreter and gives a scripted panel.
 *
 * Owns what only Node can do. Must not be imported by what runs in a browser.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { newQuickJSWASMModule } from 'quickjs-emscripten';

import { FigmaHost, type HostOptions } from './host.ts';
import type { Manifest } from './manifest.ts';

export { REPORTED, FREE } from './costs.ts';
export { FileDocument, emptyDocument, type StoredDocument } from './document.ts';
export { FigmaHost, type HostOptions } from './host.ts';
export type { Manifest } from './manifest.ts';
export { ClientStorage } from './storage.ts';

/** The repository's root: tests are started there. */
export const ROOT = process.cwd();

/** The manifest at the root of the repository. */
export function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(ROOT, 'manifest.json'), 'utf8')) as Manifest;
}

/** Starts a plugin in an interpreter of its own; the manifest at the root is taken unless another is given. */
export async function startHost(
  options: Omit<HostOptions, 'quickjs' | 'manifest'> & { manifest?: Manifest },
): Promise<FigmaHost> {
  const quickjs = await newQuickJSWASMModule();
  return FigmaHost.start({ ...options, manifest: options.manifest ?? readManifest(), quickjs });
}
