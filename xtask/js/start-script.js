/**
 * Starts a program that was translated from WebAssembly to a script.
 *
 * Owns the start alone; the build puts this file beside the glue and the script. Must not know what the program does.
 */
import * as glue from './program_bg.js';
import * as program from './program.js';

glue.__wbg_set_wasm(program);
program.__wbindgen_start();
