/**
 * Starts a program from WebAssembly whose bytes are inlined here.
 *
 * Owns the start alone; the build puts this file beside the glue and the bytes. Must not know what the program does.
 */
import * as glue from './program_bg.js';
import bytes from './program.wasm';

WebAssembly.instantiate(bytes, { './program_bg.js': glue }).then(
  ({ instance }) => {
    glue.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
  },
  (error) => {
    document.body.textContent =
      `Sheetwire could not start, because this host refused WebAssembly (${error}). ` +
      'The build made with `cargo xtask dist --ui=script` needs none.';
  },
);
