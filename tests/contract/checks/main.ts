/**
 * The contract suite as a plugin: runs every check and tells the panel how each went. The same script runs in the
 * fake host and in real Figma.
 *
 * Owns the running and the clearing up. Must not know which host it is in.
 */

import type { Check } from './check.ts';
import { sandboxChecks } from './sandbox.ts';
import { variableChecks } from './variables.ts';

/** How one check went, and, last, how all went. */
export type Outcome =
  | { type: 'check'; name: string; source: string; error: string | null }
  | { type: 'end'; passed: number; failed: number };

/** Longest wait for the panel's echo, in milliseconds. */
const ECHO_MS_MAX = 5_000;

async function runCheck(check: Check): Promise<string | null> {
  const made: VariableCollection[] = [];
  try {
    await check.run({
      collection: (name = 'Sheetwire contract') => {
        const collection = figma.variables.createVariableCollection(name);
        made.push(collection);
        return collection;
      },
      echo: (value) =>
        new Promise((resolve, reject) => {
          setTimeout(() => reject(new Error('the panel sent nothing back')), ECHO_MS_MAX);
          figma.ui.once('message', (message: { echo: unknown }) => resolve(message.echo));
          figma.ui.postMessage({ echo: value });
        }),
    });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    for (const collection of made) {
      const found = await figma.variables.getVariableCollectionByIdAsync(collection.id);
      found?.remove();
    }
  }
}

async function main(): Promise<void> {
  let [passed, failed] = [0, 0];
  for (const check of [...sandboxChecks, ...variableChecks]) {
    const error = await runCheck(check);
    if (error === null) passed += 1;
    else failed += 1;
    const outcome: Outcome = { type: 'check', name: check.name, source: check.source, error };
    figma.ui.postMessage(outcome);
    console.log(`${error === null ? 'ok' : 'FAILED'}: ${check.name}${error === null ? '' : `: ${error}`}`);
  }
  const end: Outcome = { type: 'end', passed, failed };
  figma.ui.postMessage(end);
}

figma.showUI(__html__, { width: 480, height: 640, themeColors: true });
void main();
