/**
 * The playground from the command line: `node target/playground/serve.mjs [--programs DIR] [--dist DIR] [--port N]`.
 * Starts everything, prints `playground on http://localhost:PORT`, and ends all it started when it is asked to end.
 *
 * Owns the arguments and the signals. Must not know what is served.
 */

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Playground } from './server.ts';

const assets = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(assets));

function argument(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
}

const playground = await Playground.start({
  programs: argument('programs', join(root, 'target', 'debug')),
  dist: argument('dist', join(root, 'dist')),
  assets,
  port: Number(argument('port', '0')),
  progress: (step) => console.log(step),
});
console.log(`playground on ${playground.origin}`);

let ending = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (ending) return;
    ending = true;
    void playground.stop().then(() => process.exit(0));
  });
}
