/**
 * Runs esbuild with the options given as one JSON argument.
 *
 * Owns nothing but the call: it goes through esbuild's JavaScript interface because the program at `bin/esbuild` is a
 * script or a native executable depending on whether npm ran its install script. Must not know what is bundled.
 */
import { build } from 'esbuild';

await build({ logLevel: 'warning', logLimit: 20, ...JSON.parse(process.argv[2]) }).catch(() => {
  process.exitCode = 1; // esbuild has already said what is wrong
});
