/**
 * The demo user in the browser during a sign-in: confirms the code, chooses the account, allows, picks the sheet.
 *
 * Owns what is clicked on which page. Must not know how pages are fetched: tests click the same in a real browser.
 */

import type { Page, Person } from '../../tests/journey/browser.ts';

/** The account that owns the demo's spreadsheets. */
export const DEMO_ACCOUNT = 'ana@example.com';

/** Says yes to everything a sign-in asks; picks these spreadsheets. */
export function demoPerson(googleOrigin: string, spreadsheetIds: readonly string[]): Person {
  return (page: Page) => {
    if (new URL(page.url).origin !== googleOrigin) {
      return /<form\b/i.test(page.html) ? { button: relayButton(page.html) } : undefined;
    }
    if (page.html.includes('name="account"')) return { button: DEMO_ACCOUNT };
    if (page.html.includes('name="file"')) {
      return { button: 'Select', fields: { file: spreadsheetIds[0] ?? '' } };
    }
    if (page.html.includes('name="decision"')) return { button: 'Continue' };
    throw new Error(`Google's page at ${new URL(page.url).pathname} (${String(page.status)}) is none the demo knows`);
  };
}

/** The button that goes on: the one that does not decline. */
function relayButton(html: string): string {
  const texts = [...html.matchAll(/<button\b[^>]*>([\s\S]*?)<\/button>/gi)].map((match) => (match[1] ?? '').replace(/<[^>]*>/g, ' ').trim());
  const text = texts.find((each) => !/cancel|not|different|stop|decline/i.test(each));
  if (text === undefined) throw new Error(`the relay's page has no button that goes on: ${texts.join(', ')}`);
  return text;
}
