/**
 * Type-checks the TypeScript under tests/ and www/, bundles the tests of the given folders and runs them with Node's test
 * runner: `node tests/run.mjs [--no-types] [--types-only] [folder…]`. A folder's tests are its files `*.test.ts`.
 *
 * Owns how tests are found and run. Must not know what they test. Ends with the first failing step's status.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

import { ROOT, bundleForNode } from './bundle.mjs';

const FOLDERS = ['tests/figma-host', 'tests/contract', 'tests/bundle', 'tests/sheets', 'tests/google-clients', 'tests/e2e'];
/** Longest run of one test, in milliseconds; a test that hangs fails instead of the whole run. */
const TEST_MS_MAX = 300_000;

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const folders = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (!flags.includes('--no-types')) {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  for (const project of ['tests/tsconfig.json', 'tests/tsconfig.sandbox.json']) {
    run(process.execPath, [tsc, '--noEmit', '-p', project]);
  }
}
if (flags.includes('--types-only')) process.exit(0);

const tests = (folders.length > 0 ? folders : FOLDERS)
  .filter((folder) => folders.length > 0 || existsSync(join(ROOT, folder)))
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true })
      .filter((name) => name.endsWith('.test.ts'))
      .sort()
      .map((name) => join(ROOT, folder, name)),
  );
if (tests.length === 0) throw new Error(`no *.test.ts under ${folders.join(', ')}`);

const outdir = join(ROOT, 'target', 'js-tests');
const entries = tests.map((path) => ({ in: path, out: relative(join(ROOT, 'tests'), path).replace(/\.ts$/, '') }));
for (const entry of entries) rmSync(join(outdir, `${entry.out}.mjs`), { force: true });
await bundleForNode(entries, outdir);
run(process.execPath, [
  '--test',
  '--test-concurrency=1',
  '--test-reporter=spec',
  `--test-timeout=${TEST_MS_MAX}`,
  '--enable-source-maps',
  ...entries.map((entry) => join(outdir, `${entry.out}.mjs`)),
]);
