/**
 * Bundles the playground: the page's script, the interpreter's wasm and the server, into target/playground/.
 * `node www/playground/build.mjs`.
 *
 * Owns what goes into that folder. Must not know what is in the files.
 */

import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { ROOT, bundleForBrowser, bundleForNode } from '../../tests/bundle.mjs';

/** Where the playground stands. */
export const ASSETS = join(ROOT, 'target', 'playground');

/** Builds it. */
export async function buildPlayground() {
  mkdirSync(ASSETS, { recursive: true });
  const source = join(ROOT, 'www', 'playground');
  await bundleForBrowser(join(source, 'main.ts'), join(ASSETS, 'main.js'));
  await bundleForNode([{ in: join(source, 'serve.ts'), out: 'serve' }], ASSETS);
  for (const file of ['index.html', 'playground.css']) copyFileSync(join(source, file), join(ASSETS, file));
  const quickjs = createRequire(createRequire(join(ROOT, 'package.json')).resolve('quickjs-emscripten'));
  copyFileSync(quickjs.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'), join(ASSETS, 'quickjs.wasm'));
}

if (process.argv[1] === import.meta.filename) await buildPlayground();
