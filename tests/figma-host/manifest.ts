/**
 * The plugin's manifest as Figma reads it: what it must say, what the network may reach, and the Content Security
 * Policy that follows for the panel.
 *
 * Owns the checks and the policy. Must not know the sandbox or the panel's page.
 * Source: Figma's pages "Plugin manifest" and "Making network requests"; IP literals are reported to be refused.
 */

/** An entry of the plugin's menu: a command, a submenu or a line between them. */
export interface MenuEntry {
  name?: string;
  command?: string;
  separator?: boolean;
  menu?: MenuEntry[];
  parameters?: { name: string; key: string; description?: string; allowFreeform?: boolean; optional?: boolean }[];
  parameterOnly?: boolean;
}

/** Every command of a menu, submenus included. */
export function commands(menu: readonly MenuEntry[]): MenuEntry[] {
  return menu.flatMap((entry) => [...(entry.command === undefined ? [] : [entry]), ...commands(entry.menu ?? [])]);
}

/** What is wrong with a menu. */
function menuProblems(menu: readonly MenuEntry[]): string[] {
  const problems: string[] = [];
  for (const entry of menu) {
    const kinds = [entry.separator === true, entry.command !== undefined, entry.menu !== undefined].filter(Boolean).length;
    if (kinds !== 1) problems.push('Every entry of "menu" is a "separator", has a "command" or has a "menu" of its own.');
    if (entry.separator !== true && !entry.name) problems.push('Every entry of "menu" but a separator needs a "name".');
    const keys = (entry.parameters ?? []).map((parameter) => parameter.key);
    if (new Set(keys).size < keys.length) problems.push(`"${String(entry.command)}" has two parameters with one key.`);
    problems.push(...menuProblems(entry.menu ?? []));
  }
  const named = commands(menu).map((entry) => entry.command);
  if (new Set(named).size < named.length) problems.push('Two entries of "menu" have one command.');
  return problems;
}

/** The fields that matter here; Figma knows more. */
export interface Manifest {
  name: string;
  id?: string;
  api: string;
  main: string;
  ui?: string;
  editorType: string[];
  documentAccess?: string;
  permissions?: string[];
  networkAccess?: { allowedDomains: string[]; devAllowedDomains?: string[]; reasoning?: string };
  menu?: MenuEntry[];
  relaunchButtons?: { command: string; name: string; multipleSelection?: boolean }[];
}

const PERMISSIONS = ['currentuser', 'activeusers', 'fileusers', 'payments', 'teamlibrary'];

/** @returns what is wrong, one sentence each; empty when Figma would import it. */
export function manifestProblems(manifest: Manifest): string[] {
  const problems: string[] = [];
  if (manifest.name === '') problems.push('"name" must not be empty.');
  if (manifest.api !== '1.0.0') problems.push('"api" must be "1.0.0".');
  if (manifest.main === '') problems.push('"main" must name the script.');
  if (manifest.editorType.length === 0) problems.push('"editorType" must name an editor.');
  if (manifest.documentAccess !== 'dynamic-page') {
    problems.push('"documentAccess": "dynamic-page" is required of new plugins.');
  }
  for (const permission of manifest.permissions ?? []) {
    if (!PERMISSIONS.includes(permission)) problems.push(`"${permission}" is not a permission.`);
  }
  problems.push(...menuProblems(manifest.menu ?? []));
  const network = manifest.networkAccess;
  if (network) {
    if (network.allowedDomains.length === 0) problems.push('"allowedDomains" must be ["none"] rather than [].');
    if (network.allowedDomains.includes('none') && network.allowedDomains.length > 1) {
      problems.push('"none" must stand alone in "allowedDomains".');
    }
    if (network.allowedDomains.includes('*') && !network.reasoning) {
      problems.push('"reasoning" is required with "*".');
    }
    if (network.devAllowedDomains && network.devAllowedDomains.length > 0 && !network.reasoning) {
      problems.push('"reasoning" is required with "devAllowedDomains".');
    }
    for (const domain of [...network.allowedDomains, ...(network.devAllowedDomains ?? [])]) {
      const host = domain.replace(/^[a-z]+:\/\//, '').replace(/[:/].*$/, '');
      if (/^\d+\.\d+\.\d+\.\d+$/.test(host) || domain.includes('[')) {
        problems.push(`"${domain}" is an IP address; name a host, such as localhost.`);
      }
    }
    for (const domain of network.allowedDomains) {
      if (/^(https?|wss?):\/\/localhost/.test(domain)) {
        problems.push(`"${domain}" belongs under "devAllowedDomains".`);
      }
    }
  }
  return problems;
}

/** Sources that scripts and requests may reach, as CSP sources; a development plugin may reach both lists. */
export function allowedSources(manifest: Manifest, development: boolean): string[] {
  const network = manifest.networkAccess ?? { allowedDomains: ['*'] };
  const listed = [...network.allowedDomains, ...(development ? (network.devAllowedDomains ?? []) : [])];
  return listed.filter((domain) => domain !== 'none');
}

/** Whether a URL may be reached. A source without a scheme means https and wss. */
export function reachable(sources: readonly string[], url: string): boolean {
  const target = new URL(url);
  return sources.some((source) => {
    if (source === '*') return true;
    const pattern = /^[a-z]+:\/\//.test(source) ? source : `${target.protocol}//${source}`;
    const schemeFits = /^[a-z]+:\/\//.test(source) || target.protocol === 'https:' || target.protocol === 'wss:';
    const parsed = new URL(pattern.replace('://*.', '://wildcard.'));
    const hostFits = source.includes('*.')
      ? target.hostname.endsWith(parsed.hostname.replace(/^wildcard/, ''))
      : target.hostname === parsed.hostname;
    const pathFits = parsed.pathname === '/' || target.pathname.startsWith(parsed.pathname);
    return schemeFits && target.protocol === parsed.protocol && hostFits && target.port === parsed.port && pathFits;
  });
}

/** How the panel's policy treats WebAssembly: real Figma's is not documented, so both are tried. */
export type WebAssemblyPolicy = 'allowed' | 'refused';

/** The panel's policy. Inline scripts and styles run; everything that loads is limited to the manifest's list. */
export function contentSecurityPolicy(
  manifest: Manifest,
  options: { development: boolean; webAssembly: WebAssemblyPolicy },
): string {
  const sources = allowedSources(manifest, options.development).join(' ');
  const wasm = options.webAssembly === 'allowed' ? " 'wasm-unsafe-eval'" : '';
  const reach = sources === '' ? "'none'" : sources;
  return [
    "default-src 'none'",
    `script-src 'unsafe-inline'${wasm} ${sources}`.trim(),
    `style-src 'unsafe-inline' ${sources}`.trim(),
    `img-src data: blob: ${sources}`.trim(),
    `font-src data: ${sources}`.trim(),
    `media-src data: blob: ${sources}`.trim(),
    `connect-src ${reach}`,
    `frame-src ${reach}`,
  ].join('; ');
}
