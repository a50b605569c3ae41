/** The contract suite against the fake host: the same script that runs in real Figma. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { type Manifest, ROOT, startHost } from '../figma-host/node.ts';

type Outcome =
  | { type: 'check'; name: string; source: string; error: string | null }
  | { type: 'end'; passed: number; failed: number };

test('every fact holds in the fake host', async (t) => {
  execFileSync(process.execPath, [join(ROOT, 'tests/contract/build.mjs')], { cwd: ROOT });
  const read = (file: string) => readFileSync(join(ROOT, 'dist/contract', file), 'utf8');
  for (const plan of ['starter', 'professional', 'enterprise'] as const) {
    const host = await startHost({
      code: read('code.js'),
      html: read('ui.html'),
      manifest: JSON.parse(read('manifest.json')) as Manifest,
      user: { id: null, name: 'Anonymous' },
      plan,
    });
    const before = host.document.save();
    for (;;) {
      const message = (await host.ui.nextRaw(() => true, 60_000)) as Outcome | { echo: unknown };
      if ('echo' in message) {
        host.ui.sendRaw(message);
        continue;
      }
      if (message.type === 'end') {
        assert.ok(message.passed > 50, `${String(message.passed)} checks passed`);
        assert.equal(message.failed, 0);
        break;
      }
      await t.test(`${plan}: ${message.name}`, () => assert.equal(message.error, null));
    }
    assert.deepEqual({ ...host.document.save(), lastId: 0 }, { ...before, lastId: 0 }, 'the file is left as it was');
    assert.deepEqual(host.errors, []);
    host.dispose();
  }
});
