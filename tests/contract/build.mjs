/**
 * Builds the contract suite as a plugin of its own for real Figma: `node tests/contract/build.mjs`, then in Figma's
 * desktop app "Plugins → Development → Import plugin from manifest…" with dist/contract/manifest.json.
 *
 * Owns where the plugin is put. Must not know the checks.
 */

import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT, bundleForSandbox } from '../bundle.mjs';

const out = join(ROOT, 'dist', 'contract');
mkdirSync(out, { recursive: true });
await bundleForSandbox(join(ROOT, 'tests', 'contract', 'checks', 'main.ts'), join(out, 'code.js'));
for (const file of ['manifest.json', 'ui.html']) copyFileSync(join(ROOT, 'tests', 'contract', 'plugin', file), join(out, file));
console.log(`import ${join('dist', 'contract', 'manifest.json')} in Figma's desktop app`);
