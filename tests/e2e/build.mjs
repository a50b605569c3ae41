/**
 * Bundles what the end-to-end tests open in Chromium: `node tests/e2e/build.mjs`.
 *
 * Owns where it is put. Must not know the tests.
 */

import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT, bundleForBrowser } from '../bundle.mjs';
import { ASSETS, buildPlayground } from '../../www/playground/build.mjs';

await buildPlayground();
const out = join(ROOT, 'target', 'js-tests', 'panel-page');
mkdirSync(out, { recursive: true });
await bundleForBrowser(join(ROOT, 'tests', 'e2e', 'panel-page.ts'), join(out, 'main.js'));
copyFileSync(join(ASSETS, 'quickjs.wasm'), join(out, 'quickjs.wasm'));
