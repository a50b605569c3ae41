/**
 * Bundles the TypeScript of the tests and the playground with esbuild.
 *
 * Owns the one esbuild configuration, with the plugin that turns the sandbox's prelude into text. Must not know
 * which tests there are.
 */

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
/** The repository's root. */
export const ROOT = dirname(here);

/** `import script from 'figma-prelude'`: tests/figma-host/prelude.ts as one script that ends in a function. */
const prelude = {
  name: 'figma-prelude',
  setup(builder) {
    builder.onResolve({ filter: /^figma-prelude$/ }, () => ({ path: 'figma-prelude', namespace: 'figma-prelude' }));
    builder.onLoad({ filter: /.*/, namespace: 'figma-prelude' }, async () => {
      const result = await build({
        entryPoints: [join(here, 'figma-host', 'prelude.ts')],
        bundle: true,
        write: false,
        format: 'iife',
        globalName: 'prelude',
        target: 'es2020',
        platform: 'neutral',
      });
      const script = `(function (native, html) {\n${result.outputFiles[0].text}\nreturn prelude.default;\n})`;
      return { contents: script, loader: 'text' };
    });
  },
};

/** Bundles for Node; packages stay where they are installed. `entries`: output name without `.mjs` → source. */
export async function bundleForNode(entries, outdir) {
  await build({
    entryPoints: entries,
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    outExtension: { '.js': '.mjs' },
    plugins: [prelude],
    logLevel: 'warning',
  });
}

/** Bundles one entry for the browser, packages included. @returns the outputs' paths. */
export async function bundleForBrowser(entry, outfile) {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    sourcemap: 'inline',
    plugins: [prelude],
    logLevel: 'warning',
    loader: { '.css': 'text' },
  });
}

/** Bundles one entry to a script for Figma's sandbox. */
export async function bundleForSandbox(entry, outfile) {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'iife',
    platform: 'neutral',
    target: 'es2020',
    logLevel: 'warning',
  });
}
