/**
 * Starts the panel from WebAssembly.
 *
 * Owns the start and what stands on the page when it fails; the build puts this file beside the glue and the bytes. Must
 * not know what the program does.
 */
import { instantiate } from './instantiate.js';
import * as glue from './program_bg.js';
import gzipped from './program.wasm.gz';

instantiate(glue, gzipped).catch((error) => {
  document.body.textContent =
    `Sheetwire could not start, because this host refused WebAssembly (${error}). ` +
    'The build made with `cargo xtask dist --ui=script` needs none.';
});
