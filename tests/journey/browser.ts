/**
 * A browser without a screen for the tests' sign-ins: cookies, redirects and plain HTML forms over HTTP.
 *
 * Owns following pages as a person would who reads and clicks. Must not know whose pages they are.
 */

/** Most redirects and pages in one visit. */
const STEPS_MAX = 20;

/** A page that was reached. */
export interface Page {
  url: string;
  status: number;
  html: string;
}

/** What a person does on a page: which button, which fields. `undefined` ends the visit there. */
export type Person = (page: Page) => { button?: string; fields?: Record<string, string>; untick?: string[] } | undefined;

interface Form {
  action: string;
  method: string;
  fields: [string, string][];
  buttons: { name: string; value: string; text: string; action?: string }[];
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'", '#x2F': '/' };
const unescape = (text: string): string => text.replace(/&([#\w]+);/g, (whole, name: string) => entities[name] ?? whole);

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}(?:=(?:"([^"]*)"|'([^']*)'|([^\\s>]+)))?(?=[\\s/>])`, 'i').exec(tag);
  if (found === null) return undefined;
  return unescape(found[1] ?? found[2] ?? found[3] ?? '');
}

/** The forms of a page, in order. Radio buttons and checkboxes count when they are checked. */
export function forms(html: string): Form[] {
  return [...html.matchAll(/<form\b[^>]*>([\s\S]*?)<\/form>/gi)].map((match) => {
    const tag = match[0].slice(0, match[0].indexOf('>') + 1);
    const inner = match[1] ?? '';
    const fields: [string, string][] = [];
    for (const input of inner.match(/<input\b[^>]*>/gi) ?? []) {
      const name = attribute(input, 'name');
      const type = (attribute(input, 'type') ?? 'text').toLowerCase();
      if (name === undefined || type === 'submit') continue;
      if ((type === 'checkbox' || type === 'radio') && attribute(input, 'checked') === undefined) continue;
      fields.push([name, attribute(input, 'value') ?? (type === 'checkbox' ? 'on' : '')]);
    }
    const buttons = [...inner.matchAll(/(<button\b[^>]*>)([\s\S]*?)<\/button>/gi)].map((button) => {
      const action = attribute(button[1] ?? '', 'formaction');
      return {
        name: attribute(button[1] ?? '', 'name') ?? '',
        value: attribute(button[1] ?? '', 'value') ?? '',
        text: unescape((button[2] ?? '').replace(/<[^>]*>/g, ' ').trim()),
        ...(action === undefined ? {} : { action }),
      };
    });
    return { action: attribute(tag, 'action') ?? '', method: (attribute(tag, 'method') ?? 'get').toLowerCase(), fields, buttons };
  });
}

/** A browser profile: its cookies live as long as it does. */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** Opens `url` and lets `person` act until they stop or the site does. */
  async visit(url: string, person: Person): Promise<Page> {
    let page = await this.#load(url, {});
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const act = person(page);
      if (act === undefined) return page;
      const all = forms(page.html);
      const wanted = act.button?.toLowerCase();
      const form = all.find((candidate) => wanted === undefined || candidate.buttons.some((button) => button.text.toLowerCase().includes(wanted)));
      if (form === undefined) throw new Error(`there is no button "${String(act.button)}" on ${new URL(page.url).pathname} (${String(page.status)})`);
      const button = form.buttons.find((candidate) => wanted !== undefined && candidate.text.toLowerCase().includes(wanted));
      const body = new URLSearchParams();
      for (const [name, value] of form.fields) if (!(act.untick ?? []).includes(value)) body.append(name, value);
      if (button !== undefined && button.name !== '') body.set(button.name, button.value);
      for (const [name, value] of Object.entries(act.fields ?? {})) body.set(name, value);
      const action = new URL(button?.action ?? form.action, page.url);
      if (form.method === 'post') {
        page = await this.#load(action.href, { method: 'POST', body });
      } else {
        for (const [name, value] of body) action.searchParams.append(name, value);
        page = await this.#load(action.href, {});
      }
    }
    throw new Error(`the visit did not end after ${String(STEPS_MAX)} pages`);
  }

  async #load(start: string, init: { method?: string; body?: URLSearchParams }): Promise<Page> {
    let url = start;
    let request: RequestInit = { ...init };
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const origin = new URL(url).origin;
      const jar = this.#cookies.get(origin) ?? new Map<string, string>();
      this.#cookies.set(origin, jar);
      const headers: Record<string, string> = {};
      if (jar.size > 0) headers['cookie'] = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      if (request.method === 'POST') headers['origin'] = origin;
      const reply = await fetch(url, { ...request, headers, redirect: 'manual' });
      for (const line of reply.headers.getSetCookie()) {
        const [pair = ''] = line.split(';');
        const at = pair.indexOf('=');
        if (/max-age=0/i.test(line)) jar.delete(pair.slice(0, at));
        else jar.set(pair.slice(0, at), pair.slice(at + 1));
      }
      const location = reply.headers.get('location');
      if (reply.status < 300 || reply.status >= 400 || location === null) {
        return { url, status: reply.status, html: await reply.text() };
      }
      await reply.body?.cancel();
      url = new URL(location, url).href;
      request = {};
    }
    throw new Error(`more than ${String(STEPS_MAX)} redirects from ${new URL(start).origin}`);
  }
}
