/**
 * Starts the program of files from WebAssembly, in a worker or in the panel's page.
 *
 * Owns the start; a failure is an error event of the worker or page, which the panel hears. The build puts this file
 * beside the glue and the bytes. Must not know what the program does.
 */
import { instantiate } from './instantiate.js';
import * as glue from './program_bg.js';
import gzipped from './program.wasm.gz';

instantiate(glue, gzipped).catch((error) => {
  setTimeout(() => {
    throw error;
  });
});
