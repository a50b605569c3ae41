/**
 * A page that runs one plugin in the fake Figma and nothing else; for the tests of the panel's hosting.
 *
 * Owns the wiring. Must not know the tests: the plugin and the options come from `/plugin`.
 */

import { loadQuickJs } from '../figma-host/browser.ts';
import type { StoredDocument } from '../figma-host/document.ts';
import { FigmaHost } from '../figma-host/host.ts';
import { IframePanel } from '../figma-host/iframe.ts';
import type { Manifest, WebAssemblyPolicy } from '../figma-host/manifest.ts';
import type { Theme } from '../figma-host/theme.ts';

/** What the test asks for. */
export interface PanelPlugin {
  code: string;
  html: string;
  manifest: Manifest;
  webAssembly: WebAssemblyPolicy;
  theme: Theme;
  /** The file; an empty one unless given. */
  document?: StoredDocument;
}

const plugin = (await (await fetch('/plugin')).json()) as PanelPlugin;
const holder = document.getElementById('panel');
if (!holder) throw new Error('the page has no #panel');
const host = await FigmaHost.start({
  ...plugin,
  quickjs: await loadQuickJs('quickjs.wasm'),
  panel: (receive) =>
    new IframePanel(receive, holder, {
      ...plugin,
      development: true,
      frame: ({ options, visible }) => {
        holder.hidden = !visible;
        holder.dataset['size'] = `${String(options.width)}x${String(options.height)}`;
      },
    }),
});
(globalThis as { host?: FigmaHost }).host = host;
