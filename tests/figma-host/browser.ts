/**
 * The fake Figma in a browser: loads the interpreter from where the page keeps it.
 *
 * Owns what only a browser can do. Must not be imported by what runs in Node.
 */

import { type QuickJSWASMModule, RELEASE_SYNC, newQuickJSWASMModuleFromVariant, newVariant } from 'quickjs-emscripten';

/** A new interpreter; `wasmUrl` is where the page serves `@jitl/quickjs-wasmfile-release-sync/wasm`. */
export async function loadQuickJs(wasmUrl: string): Promise<QuickJSWASMModule> {
  return newQuickJSWASMModuleFromVariant(newVariant(RELEASE_SYNC, { wasmLocation: new URL(wasmUrl, location.href).href }));
}
