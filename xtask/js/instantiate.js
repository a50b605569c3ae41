/**
 * Makes a program of WebAssembly bytes that were inlined gzipped: base64 of the plain bytes would make the page twice as
 * long.
 *
 * Owns unpacking and instantiating. Must not know what the program does, nor who is told that it did not start.
 */
export async function instantiate(glue, gzipped) {
  const bytes = new Blob([gzipped]).stream().pipeThrough(new DecompressionStream('gzip'));
  const reply = new Response(bytes, { headers: { 'content-type': 'application/wasm' } });
  const { instance } = await WebAssembly.instantiateStreaming(reply, { './program_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}
