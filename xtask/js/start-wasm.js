/**
 * Starts a program from WebAssembly whose bytes are inlined here, gzipped: base64 of the plain bytes would make the
 * page twice as long.
 *
 * Owns the start alone; the build puts this file beside the glue and the bytes. Must not know what the program does.
 */
import * as glue from './program_bg.js';
import gzipped from './program.wasm.gz';

const bytes = new Blob([gzipped]).stream().pipeThrough(new DecompressionStream('gzip'));
const reply = new Response(bytes, { headers: { 'content-type': 'application/wasm' } });
WebAssembly.instantiateStreaming(reply, { './program_bg.js': glue }).then(
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
