/**
 * Bundles the benchmarks and runs them: `node tests/bench/run.mjs PROGRAMS DIST GALLERY CHROMIUM CODE_BYTES UI_BYTES`,
 * the last two being the budgets of the two files.
 *
 * Owns the bundling. Must not know what is measured.
 */

import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';

import { ROOT, bundleForNode, bundleForSandbox } from '../bundle.mjs';

const out = join(ROOT, 'target', 'bench');
for (const script of ['baseline', 'peers/import', 'peers/tokens']) {
  await bundleForSandbox(join(ROOT, 'tests', 'bench', `${script}.ts`), join(out, `${basename(script)}.js`));
}
await bundleForNode([{ in: join(ROOT, 'tests', 'bench', 'bench.ts'), out: 'bench' }], out);
const { status, error } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--experimental-websocket', '--no-warnings', join(out, 'bench.mjs'), out, ...process.argv.slice(2)],
  { cwd: ROOT, stdio: 'inherit' },
);
if (error) throw error;
process.exitCode = status ?? 1;
