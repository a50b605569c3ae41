/**
 * The grid page: shows one sheet of fake Google, edits it, and follows what others change.
 *
 * Owns what is on the screen and the keys. Must not know what a typed text means: the server decides, and tells
 * back what the cell shows. From a page around it: `postMessage({type: 'highlight', cell: 'C14'})` marks a cell,
 * `{type: 'highlight'}` unmarks it; after an edit here the page around gets `{type: 'edited', …}`.
 */
'use strict';

const ROW_PX = 26;
const GUTTER_PX = 46;
/** Rows drawn above and below what is visible. */
const MARGIN_ROWS = 12;
/** Column widths, in pixels; a width follows the longest of the first texts. */
const COLUMN_PX = { min: 92, max: 300, letter: 7.2, rows: 300 };
/** Pause before reading again after the connection broke, in milliseconds. */
const AGAIN_MS = 1_000;

const id = decodeURIComponent(location.pathname.split('/')[2]);
const query = new URLSearchParams(location.search);
const at = (name) => document.getElementById(name);
const scroller = at('scroller');
const grid = at('grid');
const formula = at('formula');
const menu = at('menu');

/** The sheet as the server told it. */
let sheet = { rows: [], rowCount: 0, columnCount: 0, sheetId: 0, revision: 0, merges: [] };
let widths = [];
let lefts = [];
let active = { row: 0, column: 0 };
let marked = null;
let editor = null;
/** Cells that have just changed, as `row,column`. */
const fresh = new Set();
/** Drawn rows by number. */
const drawn = new Map();

const letters = (column) => {
  let out = '';
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    out = String.fromCharCode(65 + ((rest - 1) % 26)) + out;
  }
  return out;
};
const a1 = ({ row, column }) => letters(column) + (row + 1);
const fromA1 = (text) => {
  const found = /^\$?([A-Z]{1,3})\$?([1-9]\d*)$/i.exec(String(text).split('!').pop().trim());
  if (found === null) return null;
  const column = [...found[1].toUpperCase()].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
  return { row: Number(found[2]) - 1, column };
};
const cellAt = (row, column) => sheet.rows[row]?.[column] ?? null;
/** What editing a cell starts with. */
const typed = (cell) => (cell === null ? '' : cell.e ?? cell.s);

function say(text, wrong = false) {
  at('state').textContent = text;
  at('state').classList.toggle('wrong', wrong);
}

async function post(path, body) {
  const reply = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ spreadsheetId: id, sheetId: sheet.sheetId, ...body }),
  });
  if (!reply.ok) {
    const told = await reply.json().catch(() => ({}));
    say(told.error ?? `The edit was refused (${reply.status}).`, true);
    return false;
  }
  say('Saved');
  return true;
}

async function edit(cells) {
  const from = Date.now();
  if ((await post('/control/edit', { cells })) && parent !== window) {
    const [{ row, column }] = cells;
    parent.postMessage({ type: 'edited', spreadsheetId: id, sheetId: sheet.sheetId, cell: a1({ row, column }), unixMs: from }, '*');
  }
}

/** Columns as wide as their first texts. */
function measure() {
  const texts = sheet.rows.slice(0, COLUMN_PX.rows);
  widths = Array.from({ length: sheet.columnCount }, (_, column) => {
    const longest = texts.reduce((most, row) => Math.max(most, (row[column]?.s ?? '').length), 0);
    const colour = texts.some((row) => colourOf(row[column]) !== null) ? 18 : 0;
    return Math.round(Math.min(COLUMN_PX.max, Math.max(COLUMN_PX.min, longest * COLUMN_PX.letter + 16 + colour)));
  });
  lefts = [];
  widths.reduce((left, width) => { lefts.push(left); return left + width; }, GUTTER_PX);
}

function colourOf(cell) {
  if (cell === null || cell === undefined || cell.k !== 't') return null;
  const looks = /^(#[0-9a-f]{3,4}|#[0-9a-f]{6}|#[0-9a-f]{8}|(rgb|hsl|hwb|lab|lch|oklab|oklch|color)a?\(.*\))$/i.test(cell.s.trim());
  return looks && CSS.supports('color', cell.s.trim()) ? cell.s.trim() : null;
}

function fill(box, row, column) {
  const cell = cellAt(row, column);
  const covered = sheet.merges.some(([top, left, bottom, right]) =>
    row >= top && row < bottom && column >= left && column < right && row < bottom - 1);
  box.className = `cell ${cell?.k ?? ''}${covered ? ' inner' : ''}`;
  const on = row === active.row && column === active.column;
  box.classList.toggle('on', on);
  box.classList.toggle('marked', marked !== null && row === marked.row && column === marked.column);
  box.setAttribute('aria-selected', String(on));
  const key = `${row},${column}`;
  if (fresh.has(key)) {
    box.classList.add('fresh');
    box.addEventListener('animationend', () => fresh.delete(key), { once: true });
  }
  box.textContent = cell?.s ?? '';
  box.title = cell !== null && cell.e !== undefined ? cell.e : '';
  const colour = colourOf(cell);
  if (colour !== null) {
    const chip = document.createElement('i');
    chip.className = 'chip';
    chip.style.setProperty('--c', colour);
    box.prepend(chip);
  }
}

function makeRow(row) {
  const line = document.createElement('div');
  line.className = 'row';
  line.setAttribute('role', 'row');
  line.setAttribute('aria-rowindex', String(row + 1));
  line.style.top = `${row * ROW_PX}px`;
  const number = document.createElement('div');
  number.className = 'number';
  number.setAttribute('role', 'rowheader');
  number.textContent = String(row + 1);
  number.classList.toggle('on', row === active.row);
  line.append(number);
  for (let column = 0; column < sheet.columnCount; column += 1) {
    const box = document.createElement('div');
    box.id = `cell-${row}-${column}`;
    box.setAttribute('role', 'gridcell');
    box.style.width = `${widths[column]}px`;
    fill(box, row, column);
    line.append(box);
  }
  return line;
}

/** Draws the rows that can be seen, and forgets the others. */
function draw() {
  const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_PX) - MARGIN_ROWS);
  const last = Math.min(sheet.rowCount, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW_PX) + MARGIN_ROWS);
  for (const [row, line] of drawn) {
    if (row < first || row >= last) {
      line.remove();
      drawn.delete(row);
    }
  }
  for (let row = first; row < last; row += 1) {
    if (!drawn.has(row)) {
      const line = makeRow(row);
      drawn.set(row, line);
      grid.append(line);
    }
  }
}

function redraw() {
  for (const line of drawn.values()) line.remove();
  drawn.clear();
  const width = GUTTER_PX + widths.reduce((sum, one) => sum + one, 0);
  grid.style.height = `${sheet.rowCount * ROW_PX}px`;
  grid.style.width = `${width}px`;
  grid.setAttribute('aria-rowcount', String(sheet.rowCount));
  grid.setAttribute('aria-colcount', String(sheet.columnCount));
  at('columns').style.width = `${width}px`;
  at('columns').replaceChildren(
    document.createElement('span'),
    ...widths.map((one, column) => {
      const head = document.createElement('span');
      head.textContent = letters(column);
      head.style.width = `${one}px`;
      head.classList.toggle('on', column === active.column);
      return head;
    }),
  );
  draw();
  showActive();
}

function refill(row, column) {
  const box = drawn.get(row)?.children[column + 1];
  if (box !== undefined) fill(box, row, column);
}

function showActive() {
  at('address').textContent = a1(active);
  if (document.activeElement !== formula) formula.value = typed(cellAt(active.row, active.column));
  grid.setAttribute('aria-activedescendant', `cell-${active.row}-${active.column}`);
}

function reveal({ row, column }) {
  const top = row * ROW_PX;
  const room = scroller.clientHeight - ROW_PX * 2;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
  const left = lefts[column] - GUTTER_PX;
  const width = scroller.clientWidth - GUTTER_PX;
  if (left < scroller.scrollLeft) scroller.scrollLeft = left;
  else if (left + widths[column] > scroller.scrollLeft + width) scroller.scrollLeft = left + widths[column] - width;
}

function go(row, column) {
  const before = active;
  active = {
    row: Math.max(0, Math.min(sheet.rowCount - 1, row)),
    column: Math.max(0, Math.min(sheet.columnCount - 1, column)),
  };
  reveal(active);
  draw();
  refill(before.row, before.column);
  refill(active.row, active.column);
  for (const place of [before, active]) {
    drawn.get(place.row)?.firstChild.classList.toggle('on', place.row === active.row);
    at('columns').children[place.column + 1]?.classList.toggle('on', place.column === active.column);
  }
  showActive();
}

function mark(cell) {
  const before = marked;
  marked = cell === undefined ? null : fromA1(cell);
  if (before !== null) refill(before.row, before.column);
  if (marked === null || marked.row >= sheet.rowCount || marked.column >= sheet.columnCount) return;
  // In the middle, so that what stands around it can be read.
  scroller.scrollTop = Math.max(0, marked.row * ROW_PX - scroller.clientHeight / 2 + ROW_PX);
  scroller.scrollLeft = Math.max(0, lefts[marked.column] - scroller.clientWidth / 2);
  draw();
  refill(marked.row, marked.column);
}

function stopEditing(keep) {
  if (editor === null) return;
  const { row, column } = editor.place;
  const text = editor.value;
  const began = editor.began;
  const box = editor;
  editor = null;
  box.remove();
  if (keep && text !== began) void edit([{ row, column, value: text }]);
}

function startEditing(text) {
  stopEditing(true);
  const { row, column } = active;
  reveal(active);
  editor = document.createElement('input');
  editor.id = 'editor';
  editor.setAttribute('aria-label', `Edit ${a1(active)}`);
  editor.autocomplete = 'off';
  editor.spellcheck = false;
  editor.place = { row, column };
  editor.began = typed(cellAt(row, column));
  editor.value = text ?? editor.began;
  editor.style.top = `${row * ROW_PX - 1}px`;
  editor.style.left = `${lefts[column] - 1}px`;
  editor.style.width = `${Math.max(widths[column], 140) + 2}px`;
  editor.addEventListener('blur', () => stopEditing(true));
  editor.addEventListener('keydown', (event) => {
    event.stopPropagation();
    const step = { Enter: [event.shiftKey ? -1 : 1, 0], Tab: [0, event.shiftKey ? -1 : 1] }[event.key];
    if (event.key === 'Escape') {
      stopEditing(false);
      grid.focus();
    } else if (step !== undefined && !event.isComposing) {
      event.preventDefault();
      stopEditing(true);
      grid.focus();
      go(row + step[0], column + step[1]);
    }
  });
  grid.append(editor);
  editor.focus();
}

async function changeRows(how, row = active.row) {
  const change = {
    above: { insert: { at: row, count: 1 } },
    below: { insert: { at: row + 1, count: 1 } },
    delete: { delete: { at: row, count: 1 } },
  }[how];
  await post('/control/rows', change);
}

grid.addEventListener('keydown', (event) => {
  const page = Math.max(1, Math.floor(scroller.clientHeight / ROW_PX) - 2);
  const command = event.ctrlKey || event.metaKey;
  const step = {
    ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
    PageUp: [-page, 0], PageDown: [page, 0], Tab: [0, event.shiftKey ? -1 : 1],
  }[event.key];
  if (event.key === 'Home') go(command ? 0 : active.row, 0);
  else if (event.key === 'End') go(command ? sheet.rows.length - 1 : active.row, sheet.columnCount - 1);
  // Tab leaves the grid at its edge, so that the keyboard is never caught.
  else if (event.key === 'Tab' && (event.shiftKey ? active.column === 0 : active.column === sheet.columnCount - 1)) return;
  else if (step !== undefined) go(active.row + step[0], active.column + step[1]);
  else if (event.key === 'Enter' || event.key === 'F2') startEditing();
  else if (event.key === 'Delete' || event.key === 'Backspace') void edit([{ ...active, value: '' }]);
  else if (event.key.length === 1 && !command && !event.altKey) startEditing(event.key);
  else return;
  event.preventDefault();
});

const placeOf = (target) => {
  const found = /^cell-(\d+)-(\d+)$/.exec(target.closest?.('.cell')?.id ?? '');
  return found === null ? null : { row: Number(found[1]), column: Number(found[2]) };
};
grid.addEventListener('pointerdown', (event) => {
  const place = placeOf(event.target);
  if (place !== null) {
    stopEditing(true);
    go(place.row, place.column);
  }
});
grid.addEventListener('dblclick', (event) => { if (placeOf(event.target) !== null) startEditing(); });
grid.addEventListener('contextmenu', (event) => {
  const line = event.target.closest('.row');
  if (line === null) return;
  event.preventDefault();
  go(Number(line.getAttribute('aria-rowindex')) - 1, placeOf(event.target)?.column ?? active.column);
  menu.hidden = false;
  menu.style.left = `${Math.min(event.clientX, innerWidth - 180)}px`;
  menu.style.top = `${Math.min(event.clientY, innerHeight - 110)}px`;
  menu.firstElementChild.focus();
});
menu.addEventListener('click', (event) => {
  menu.hidden = true;
  grid.focus();
  void changeRows(event.target.dataset.do);
});
document.addEventListener('pointerdown', (event) => { if (!menu.contains(event.target)) menu.hidden = true; });
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !menu.hidden) {
    menu.hidden = true;
    grid.focus();
  }
});
at('insert').addEventListener('click', () => void changeRows('above'));
at('delete').addEventListener('click', () => void changeRows('delete'));

grid.addEventListener('copy', (event) => {
  event.clipboardData.setData('text/plain', cellAt(active.row, active.column)?.s ?? '');
  event.preventDefault();
});
grid.addEventListener('paste', (event) => {
  const lines = event.clipboardData.getData('text/plain').replace(/\r?\n$/, '').split(/\r?\n/);
  event.preventDefault();
  void edit(lines.flatMap((line, down) => line.split('\t').map((value, right) => (
    { row: active.row + down, column: active.column + right, value }))));
});

formula.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') formula.value = typed(cellAt(active.row, active.column));
  if (event.key === 'Enter') void edit([{ ...active, value: formula.value }]);
  if (event.key === 'Enter' || event.key === 'Escape') grid.focus();
});

scroller.addEventListener('scroll', draw, { passive: true });
addEventListener('resize', draw);
addEventListener('message', (event) => {
  if (event.data?.type === 'highlight') mark(event.data.cell);
});

/** The newest read; an older answer that comes late is dropped. */
let reading = 0;
async function read() {
  const number = (reading += 1);
  const gid = query.get('gid');
  const reply = await fetch(`/grid/${encodeURIComponent(id)}/sheet${gid === null ? '' : `?gid=${encodeURIComponent(gid)}`}`);
  if (!reply.ok) throw new Error(String(reply.status));
  const next = await reply.json();
  if (number !== reading) return;
  const first = sheet.rowCount === 0;
  sheet = next;
  document.title = `${sheet.title} – Fake Google`;
  at('title').textContent = sheet.title;
  at('locale').textContent = sheet.locale;
  at('tabs').replaceChildren(...sheet.sheets.map(({ sheetId, title }) => {
    const tab = document.createElement('a');
    const there = new URLSearchParams(query);
    there.set('gid', sheetId);
    there.delete('highlight');
    tab.href = `?${there}`;
    tab.textContent = title;
    if (sheetId === sheet.sheetId) tab.setAttribute('aria-current', 'page');
    return tab;
  }));
  measure();
  redraw();
  if (first && query.has('highlight')) mark(query.get('highlight'));
}

function take({ sheetId, revision, cells }) {
  if (cells === undefined || revision > sheet.revision + 1) return read();
  if (revision <= sheet.revision && sheetId === undefined) return undefined;
  sheet.revision = Math.max(sheet.revision, revision);
  if (sheetId !== sheet.sheetId) return undefined;
  for (const [row, column, cell] of cells) {
    while (sheet.rows.length <= row) sheet.rows.push([]);
    while (sheet.rows[row].length <= column) sheet.rows[row].push(null);
    sheet.rows[row][column] = cell;
    fresh.add(`${row},${column}`);
    refill(row, column);
  }
  showActive();
  return undefined;
}

function follow() {
  const events = new EventSource(`/grid/${encodeURIComponent(id)}/events`);
  // Reading after the connection stands leaves no gap between the two.
  events.addEventListener('open', () => { read().catch(() => say('Not connected', true)); });
  events.addEventListener('message', (event) => { Promise.resolve(take(JSON.parse(event.data))).catch(() => say('Not connected', true)); });
  events.addEventListener('error', () => {
    say('Not connected', true);
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, AGAIN_MS);
  });
}

follow();
