/**
 * A session state for every view of the Real-Time Sync tab, as `session::State` is written in JSON.
 *
 * Owns the exhibits. Must not know how they are drawn.
 */

/** What the gallery is asked to draw. */
export interface Exhibit { state: unknown; account?: string; notice?: { message: string; remedy: string | null }; listing?: string; tab?: string; read_only?: boolean }

export const ACCOUNT = 'ana@example.com';

/** Problems as the engine tells them. */
export function problems(): unknown[] {
  return [
    { address: 'Tokens!C14', message: '“blu” is no colour.', remedy: 'Write a colour such as #0d99ff or rgb(13 153 255).' },
    { address: 'Tokens!D20', message: 'Sheets changed this value.', remedy: 'Format the column as plain text and retype it.' },
    { address: '', message: 'Figma allows 10 modes in this file.', remedy: 'Ignore some of the mode columns.' },
  ];
}

/** Columns of a small sheet. */
export function columns(): unknown[] {
  return [
    { index: 0, header: 'Collection', role: { role: 'collection' } },
    { index: 1, header: 'Name', role: { role: 'name' } },
    { index: 2, header: 'Light', role: { role: 'mode', name: 'Light' } },
    { index: 3, header: 'Dark', role: { role: 'mode', name: 'Dark' } },
  ];
}

/** Columns of a real one. */
const MANY_COLUMNS = [
  ['Collection', { role: 'collection' }], ['Name', { role: 'name' }], ['Type', { role: 'type' }],
  ['Light', { role: 'mode', name: 'Light' }], ['Dark high contrast', { role: 'mode', name: 'Dark high contrast' }],
  ['Notes of the team', { role: 'ignore' }], ['Description', { role: 'description' }],
].map(([header, role], index) => ({ index, header, role }));

const SAMPLE = [
  ['base', 'color/gray/100', 'COLOR', '#f5f5f5', '#222222', 'ask Ana', ''],
  ['base', 'color/gray/200', 'COLOR', '#e6e6e6', '#333', '', 'Borders of cards and fields'],
  ['base', 'space/1', 'FLOAT', '4px', '{space/0}', '', ''],
];

/** A plan with `rows` listed rows. */
export function preview(rows: number, counts: Record<string, number>): Record<string, unknown> {
  const removed = counts['removed'] ?? 0;
  const listed = Array.from({ length: rows }, (_, at) => {
    const color = `#${(at % 256).toString(16).padStart(2, '0')}66c8`;
    const kind = at < removed ? 'remove' : at % 3 === 1 ? 'change' : 'create';
    const fields = {
      remove: [],
      change: [
        { field: 'light', before: '#ffffff80', after: color },
        { field: 'description', before: '', after: 'For the borders of cards and fields, in every theme there is' },
      ],
      create: [
        { field: 'light', before: null, after: color },
        { field: 'dark high contrast', before: null, after: '{base/color:gray/900}' },
      ],
    }[kind];
    const group = ['scale/gray', 'scale/blue', 'surface'][Math.floor((at * 12) / Math.max(rows, 1)) % 3];
    return { kind, collection: at < rows / 2 ? 'base/color' : 'mode', name: `color/${String(group)}/${String(at)}`, address: kind === 'remove' ? '' : `Tokens!A${String(at + 2)}`, fields };
  });
  return {
    plan: 3,
    counts: { collections: 0, modes: 0, created: 0, changed: 0, unchanged: 230, removed: 0, ...counts },
    rows: listed,
    problems: problems(),
    problems_total: 3,
  };
}

const COUNTS = { collections: 0, modes: 0, created: 0, changed: 0, unchanged: 230, removed: 0 };

/** Variables whose types the sheet changes. */
export function retypes(): Record<string, unknown> {
  const row = (name: string, after: string, uses: unknown) => ({
    kind: 'retype', collection: 'base/size', name, address: 'Tokens!C12', uses,
    fields: [{ field: 'type', before: 'FLOAT', after }, { field: 'light', before: '16', after: '#0d99ff' }],
  });
  return {
    plan: 3,
    counts: { ...COUNTS, retyped: 3 },
    rows: [
      row('surface/card/elevated/background', 'COLOR', { layers: 12, names: ['Card', 'Card / elevated', 'Sheet', 'Dialog', 'A layer with quite a long name that nobody shortened'], partial: false }),
      row('surface/page', 'COLOR', { layers: 0, names: [], partial: false }),
      row('label/weight', 'STRING', { layers: 1, names: ['Label'], partial: true }),
    ],
    problems: [],
    problems_total: 0,
  };
}

/** What a sheet needs of Figma, as the engine tells it. */
const NEEDS = [{
  address: 'Tokens!C1',
  message: '“Theme” needs 12 modes. Figma\'s Starter plan allows 1 mode in a collection, Professional 10, Organization 20.',
  remedy: 'Modes that this file\'s plan does not allow are left out and said; their values are not written.',
}];

const CONNECTION = {
  sheet: { spreadsheet_id: 'spreadsheet-1', sheet_id: 0 },
  spreadsheet_title: 'Design tokens', sheet_title: 'Tokens', on: true, columns: columns(), header_row: 0, approved: true,
};

/** A further tab that feeds the file. */
const SOURCE = {
  sheet: { spreadsheet_id: 'spreadsheet-1', sheet_id: 7 },
  spreadsheet_title: 'Design tokens', sheet_title: 'Dark', columns: columns(), header_row: 0,
};

/** Values that differ and are not written: conflicts first. */
export function differences(conflicts: number, drifts: number): unknown {
  const item = (kind: string, at: number) => ({
    kind, collection: 'Brand', name: `color/surface/${kind}-${String(at)}`, address: `Tokens!C${String(at + 14)}`,
    values: at % 2 === 0
      ? { field: 'Light', before: '#333333', after: '#0d99ff80' }
      : { field: 'description', before: 'The surface of a card that lies above the page', after: 'Surface' },
  });
  const items = [...Array.from({ length: conflicts }, (_, at) => item('conflict', at)), ...Array.from({ length: drifts }, (_, at) => item('drift', at))];
  return { list: 3, items: items.slice(0, 200), drifts, conflicts };
}

/** Why a difference is not sent to the sheet, one each. */
const UNSENT = ['name', 'formula', 'protected', 'changed', 'outside', 'empty', 'spaces', 'foreign', 'unwritable', 'shared', 'long'];

/** Differences that can't be sent, with their reasons, and one that can. */
export function unsent(): unknown {
  const { items, ...rest } = differences(0, UNSENT.length + 1) as { items: Record<string, unknown>[] };
  return { ...rest, items: items.map((item, at) => (at === 0 ? item : { ...item, unsent: UNSENT[at - 1] })) };
}

/** A connected file that sends changes to its sheet, with some of it otherwise. */
export const twoWay = (otherwise: Record<string, unknown>): unknown =>
  connected({ connection: { ...CONNECTION, two_way: true, policy: { drift: 'push', conflict: 'ask' } }, ...otherwise });

/** The same with several tabs, of which two take nothing. */
export const twoWayTabs = (): unknown => twoWay({
  connection: { ...CONNECTION, two_way: true, more: [SOURCE, { ...SOURCE, sheet: { spreadsheet_id: 'spreadsheet-2', sheet_id: 7 }, spreadsheet_title: 'Shop', sheet_title: 'Spacing' }] },
  held: [[SOURCE.sheet, 'read_only'], [{ spreadsheet_id: 'spreadsheet-2', sheet_id: 7 }, 'read_only']],
});

/** A connected file, with some of it otherwise. */
export function connected(otherwise: Record<string, unknown>): unknown {
  return {
    connected: {
      connection: CONNECTION,
      link: 'live',
      progress: null,
      last: {
        counts: { collections: 0, modes: 0, created: 0, changed: 37, unchanged: 1_707, removed: 0 },
        writes: 40, cancelled: false, position: { epoch: 'one', revision: 3 }, ended_unix_ms: Date.now() - 130_000,
        duration_ms: 84, slice_ms_max: 9, problems: problems(), problems_total: 3,
      },
      waiting: null,
      differences: differences(0, 0),
      stopped: null,
      writer: null,
      trouble: null,
      ...otherwise,
    },
  };
}

const SPREADSHEETS = Array.from({ length: 30 }, (_, at) => ({
  id: `spreadsheet-${String(at)}`,
  title: at === 1 ? 'Design tokens' : `Prices of the season ${String(at)}, all countries and currencies`,
  modified: '2026-11-03T10:00:00.000Z',
}));

const SHEETS = {
  id: 'spreadsheet-1', title: 'Design tokens', locale: 'en_US',
  sheets: [{ sheet_id: 0, title: 'Tokens', rows: 1_745, columns: 26 }, { sheet_id: 7, title: 'Archive', rows: 1_000, columns: 26 }],
};

const confirming = (otherwise: Record<string, unknown>) => ({
  state: { confirming_columns: { columns: MANY_COLUMNS, header_row: 0, sample: SAMPLE, problems: [], busy: false, ...otherwise } },
});

/** Every view in every shape that looks different. */
export const EXHIBITS: Record<string, Exhibit> = {
  'off-not-yet': { state: { off: 'not_yet' } },
  'off-switched-off': { state: { off: 'switched_off' } },
  'off-unknown': { state: { off: 'unknown' } },
  'read-only': { state: 'read_only' },
  'signed-out': { state: 'signed_out', notice: { message: 'You declined at Google.', remedy: 'Sign in again and allow Sheetwire to read the sheets you pick.' } },
  'signing-in-asking': { state: { signing_in: { code: '', url: '' } } },
  'signing-in': { state: { signing_in: { code: 'KQ4-7TM', url: 'http://localhost:1/signin' } } },
  'choosing-spreadsheet-loading': { state: { choosing_spreadsheet: { entries: null } } },
  'choosing-spreadsheet-empty': { state: { choosing_spreadsheet: { entries: [] } } },
  'choosing-spreadsheet': { state: { choosing_spreadsheet: { entries: SPREADSHEETS } }, notice: { message: 'That is no link to a spreadsheet.', remedy: 'One looks like https://docs.google.com/spreadsheets/d/…' } },
  'choosing-spreadsheet-adding': { state: { choosing_spreadsheet: { entries: SPREADSHEETS, adds: true } } },
  'choosing-sheet-loading': { state: { choosing_sheet: { spreadsheet: null } } },
  'choosing-sheet': { state: { choosing_sheet: { spreadsheet: SHEETS } } },
  'choosing-sheet-empty': { state: { choosing_sheet: { spreadsheet: { ...SHEETS, sheets: [] } } } },
  'reading': { state: 'reading' },
  'confirming-columns': confirming({}),
  'confirming-columns-layout': confirming({ layout: {
    brands: 'modes', names: 'ask', sections: 'groups', same_collection: true, skip_rows: 1,
    only: { header: 'Notes of the team', words: ['approved', 'ready'] }, rem: [{ mode: 'Light', px: 10 }],
  } }),
  'confirming-columns-tab': confirming({ tab: { sheet: SOURCE.sheet, name: 'Brand › Tokens' }, layout: { tab_mode: { collection: 'Theme', mode: 'Dark' } } }),
  'confirming-columns-busy': confirming({ busy: true }),
  'confirming-columns-lacking': confirming({ columns: MANY_COLUMNS.slice(3), problems: problems() }),
  'previewing': { state: { previewing: preview(60, { created: 1_744, changed: 12, collections: 4, modes: 6 }) } },
  'previewing-needs': { state: { previewing: { ...preview(9, { created: 9, modes: 12 }), needs: NEEDS } } },
  'previewing-removals': { state: { previewing: preview(3, { removed: 3 }) } },
  'previewing-nothing': { state: { previewing: { ...preview(0, {}), problems: [], problems_total: 0 } } },
  'connected-live': { state: connected({}) },
  'connected-never-synced': { state: connected({ last: null, link: 'connecting' }) },
  'connected-polling': { state: connected({ link: 'polling' }) },
  'connected-offline': { state: connected({ link: { offline: { attempt: 3, retry_unix_ms: Date.now() + 3_600_000 } }, trouble: { message: 'Google does not answer.', remedy: 'It is tried again by itself.' } }) },
  'connected-sources': { state: connected({
    connection: { ...CONNECTION, more: [SOURCE, { ...SOURCE, sheet: { spreadsheet_id: 'spreadsheet-2', sheet_id: 7 }, spreadsheet_title: 'Prices of the season, all countries and currencies', sheet_title: 'Strings of the shop, by language' }] },
    troubles: [[SOURCE.sheet, { message: 'This tab no longer exists in the spreadsheet.', remedy: 'Choose another tab.' }]],
  }) },
  'connected-following': { state: connected({ writer: 'ben@example.com' }) },
  'connected-running': { state: connected({ progress: [340, 1_744] }) },
  'connected-removes': { state: connected({ waiting: ['removes', preview(3, { removed: 3 })] }) },
  'connected-retypes': { state: connected({ waiting: ['retypes', retypes()] }) },
  'previewing-retypes': { state: { previewing: { ...retypes(), counts: { ...COUNTS, created: 12, retyped: 3 } } } },
  'connected-large': { state: connected({ waiting: ['large', preview(60, { created: 200, changed: 1_200 })] }) },
  'connected-most': { state: connected({ waiting: ['most', preview(40, { changed: 40 })] }) },
  'connected-every': { state: connected({ waiting: ['every', preview(4, { changed: 4 })], connection: { ...CONNECTION, published: true } }) },
  'connected-limits': { state: connected({ waiting: ['limits', { ...preview(9, { created: 9, modes: 12 }), needs: NEEDS }] }) },
  'connected-shrunken': { state: connected({ waiting: ['shrunken', preview(20, { removed: 1_200 })] }) },
  'connected-undone': { state: connected({ waiting: ['undone', preview(4, { changed: 4 })] }) },
  'connected-renames': { state: connected({ waiting: ['renames', preview(4, { changed: 4 })] }) },
  'connected-conflicts': { state: connected({ differences: differences(3, 2) }) },
  'connected-history': { state: connected({ runs: [
    { run: '2', author: 'Ana Costa', unix_ms: Date.now() - 90_000, counts: { collections: 0, modes: 0, created: 2, changed: 12, unchanged: 0, removed: 1 }, restorable: true },
    { run: '1', author: 'Benedikt von Hohenzollern-Sigmaringen', unix_ms: Date.now() - 86_400_000, counts: { collections: 0, modes: 0, created: 0, changed: 3, unchanged: 0, removed: 0 }, restores: true, restorable: true },
    { run: '0', author: '', unix_ms: Date.now() - 900_000_000, counts: { collections: 3, modes: 6, created: 1_744, changed: 0, unchanged: 0, removed: 0 }, restorable: false },
  ] }) },
  'connected-restore': { state: connected({ waiting: ['restore', preview(4, { changed: 4 })] }) },
  'connected-drift': { state: connected({ differences: differences(0, 250) }) },
  'connected-two-way': { state: twoWay({}) },
  'connected-two-way-asking': { state: connected({ sending: 'switching' }) },
  'connected-two-way-sending': { state: twoWay({ sending: { cells: 3 } }) },
  'connected-two-way-unsent': { state: twoWay({ differences: unsent() }) },
  'connected-two-way-conflicts': { state: twoWay({ differences: differences(2, 1) }) },
  'connected-two-way-not-allowed': { state: twoWay({ held: [[CONNECTION.sheet, 'not_allowed']] }) },
  'connected-two-way-read-only': { state: twoWay({ held: [[CONNECTION.sheet, 'read_only']] }) },
  'connected-two-way-failed': { state: twoWay({ held: [[CONNECTION.sheet, 'failed']] }) },
  'connected-two-way-tabs': { state: twoWayTabs() },
  'connected-toggled': { state: connected({ link: 'down', stopped: 'toggled', connection: { ...CONNECTION, on: false } }) },
  ...Object.fromEntries(['disconnected', 'signed_out', 'switched_off', 'breaker', 'read_only'].map((stopped) => [
    `connected-stopped-${stopped.replace('_', '-')}`, { state: connected({ link: 'down', stopped }) },
  ])),
  'dead': { state: { dead: { message: 'The program ran out of memory.' } } },
};
