/**
 * The panel as Figma draws it in a browser: the plugin's page in a sandboxed iframe of no origin, under the
 * manifest's Content Security Policy, with Figma's theme colours.
 *
 * Owns the iframe, the policy and the relaying of messages. Must not know the sandbox behind the host, or what the
 * messages mean.
 */

import { type Manifest, type WebAssemblyPolicy, contentSecurityPolicy } from './manifest.ts';
import type { Panel, PanelOptions, Receive } from './panel.ts';
import { type Theme, themeStyle } from './theme.ts';

/** Scripts, forms and windows, and no origin: requests say `Origin: null`, storage is refused. */
const SANDBOX = 'allow-scripts allow-forms allow-modals allow-downloads allow-popups allow-popups-to-escape-sandbox';

/** Windows open in the browser at large, without a way back: Figma's desktop app opens the system's browser. */
const NO_OPENER = `(() => {
  const open = window.open.bind(window);
  window.open = (url, target, features) => {
    open(url, target ?? '_blank', [features, 'noopener'].filter(Boolean).join(','));
    return null;
  };
})();`;

export interface IframeOptions {
  manifest: Manifest;
  development: boolean;
  webAssembly: WebAssemblyPolicy;
  theme: Theme;
  /** Is told of size, title and visibility, and of the iframe itself. */
  frame: (state: { options: PanelOptions; visible: boolean; open: boolean; element: HTMLIFrameElement | undefined }) => void;
  /** Sees every message; for those who watch a plugin at work. */
  watch?: (direction: 'toPanel' | 'toPlugin', message: unknown) => void;
}

/** A {@link Panel} in an iframe inside `holder`. */
export class IframePanel implements Panel {
  readonly #receive: Receive;
  readonly #holder: HTMLElement;
  readonly #options: IframeOptions;
  #element: HTMLIFrameElement | undefined;
  #state: PanelOptions | undefined;
  #visible = false;
  /** Messages that wait for the page to load. */
  #queued: unknown[] | undefined;

  constructor(receive: Receive, holder: HTMLElement, options: IframeOptions) {
    this.#receive = receive;
    this.#holder = holder;
    this.#options = options;
    window.addEventListener('message', this.#fromPage);
  }

  open(html: string, options: PanelOptions): void {
    this.#element?.remove();
    const element = document.createElement('iframe');
    element.title = options.title ?? '';
    element.setAttribute('sandbox', SANDBOX);
    element.setAttribute('allow', 'clipboard-write');
    element.srcdoc = this.page(html, options);
    this.#queued = [];
    element.addEventListener('load', () => {
      const queued = this.#queued ?? [];
      this.#queued = undefined;
      for (const message of queued) this.#send(message);
    });
    this.#element = element;
    this.#state = options;
    this.#visible = options.visible;
    this.#holder.append(element);
    this.#tell();
  }

  post(message: unknown): void {
    this.#options.watch?.('toPanel', message);
    if (this.#queued) this.#queued.push(message);
    else this.#send(message);
  }

  resize(width: number, height: number): void {
    if (this.#state) this.#state = { ...this.#state, width, height };
    this.#tell();
  }

  show(): void {
    this.#visible = true;
    this.#tell();
  }

  hide(): void {
    this.#visible = false;
    this.#tell();
  }

  close(): void {
    this.#element?.remove();
    this.#element = undefined;
    this.#visible = false;
    window.removeEventListener('message', this.#fromPage);
    this.#tell();
  }

  /** The plugin's page as it goes into the iframe: policy first, then Figma's own, then the page. */
  page(html: string, options: PanelOptions): string {
    const policy = contentSecurityPolicy(this.#options.manifest, this.#options);
    const theme = options.themeColors ? `<style>${themeStyle(this.#options.theme)}</style>` : '';
    const head =
      `<meta http-equiv="Content-Security-Policy" content="${policy.replaceAll('"', '&quot;')}">` +
      `<script>${NO_OPENER}</script>${theme}`;
    const classed = options.themeColors ? withClass(html, `figma-${this.#options.theme}`) : html;
    return /<head[^>]*>/i.test(classed) ? classed.replace(/<head[^>]*>/i, (tag) => tag + head) : head + classed;
  }

  readonly #fromPage = (event: MessageEvent): void => {
    if (!this.#element || event.source !== this.#element.contentWindow) return;
    const data = event.data as { pluginMessage?: unknown } | null;
    if (typeof data !== 'object' || data === null || !('pluginMessage' in data)) return;
    this.#options.watch?.('toPlugin', data.pluginMessage);
    this.#receive(data.pluginMessage, event.origin);
  };

  #send(message: unknown): void {
    this.#element?.contentWindow?.postMessage({ pluginMessage: message }, '*');
  }

  #tell(): void {
    if (!this.#state) return;
    const open = this.#element !== undefined;
    this.#options.frame({ options: this.#state, visible: this.#visible, open, element: this.#element });
  }
}

/** Adds a class to the page's `<html>`, written or not. */
function withClass(html: string, name: string): string {
  const tag = /<html\b[^>]*>/i.exec(html)?.[0];
  if (tag === undefined) return html.replace(/^(\s*<!doctype[^>]*>)?/i, (start) => `${start}<html class="${name}">`);
  const classed = /\sclass="/i.test(tag) ? tag.replace(/\sclass="/i, ` class="${name} `) : tag.replace(/^<html/i, `<html class="${name}"`);
  return html.replace(tag, () => classed);
}
