/**
 * Bundles the benchmarks and runs them: `node tests/bench/run.mjs PROGRAMS DIST GALLERY CHROMIUM`.
 *
 * Owns the bundling. Must not know what is measured.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { ROOT, bundleForNode, bundleForSandbox } from '../bundle.mjs';

const out = join(ROOT, 'target', 'bench');
const baseline = join(out, 'baseline.js');
await bundleForSandbox(join(ROOT, 'tests', 'bench', 'baseline.ts'), baseline);
await bundleForNode([{ in: join(ROOT, 'tests', 'bench', 'bench.ts'), out: 'bench' }], out);
const { status, error } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--experimental-websocket', '--no-warnings', join(out, 'bench.mjs'), baseline, ...process.argv.slice(2)],
  { cwd: ROOT, stdio: 'inherit' },
);
if (error) throw error;
process.exitCode = status ?? 1;
