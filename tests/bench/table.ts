/**
 * The bench table: a first sync and an edit of one row, Sheetwire's sandbox against plain JavaScript and two peers.
 *
 * Owns the order of the runs and what is counted in each. Must not know what a program does inside: each gets the same
 * rows in the same fake host with the same charged costs. Every ratio is of two figures of one repeat, and a repeat
 * runs the programs in an order of its own, so that a machine that grows slow meanwhile favours none.
 */

import { type FigmaHost, type Manifest, REPORTED, emptyDocument, startHost } from '../figma-host/node.ts';
import type { Frame, SheetRef } from '../journey/relay-client.ts';
import { handOver, openPanel } from '../journey/scripted-panel.ts';
import { packChanges, packRows } from '../sheets/packed.ts';
import type { Typed } from '../sheets/tokens.ts';
import { figure, median, section } from './report.ts';
import { edit, synthetic } from './synthetic.ts';

/** A script for the sandbox. `plain` is what all are measured against. */
export interface Program {
  name: string;
  is: 'ours' | 'plain' | 'peer';
  code: string;
  html: string;
  manifest: Manifest;
}

/** What is synced. */
export interface Scenario {
  variables: number;
  modes: number;
  collections: number;
  /** Whether the design's budgets are for it. */
  budgeted: boolean;
}

/** Our first sync against plain JavaScript's, Figma's costs charged. */
const FIRST_SYNC_RATIO_MAX = 1.1;
/** Our own work for one edit against plain JavaScript's. */
const EDIT_RATIO_MAX = 0.2;
/** Longest stretch without a turn for Figma, in milliseconds. */
const SLICE_MS_MAX = 16;
const REPEATS = 3;
/** Edits after each first sync, of which the median counts. */
const EDITS = 3;
/** Longest wait for one answer, in milliseconds of wall time. */
const ANSWER_MS_MAX = 300_000;
const SHEET: SheetRef = { spreadsheet_id: 'sheet-of-the-bench', sheet_id: 7 };

/** Calls to Figma's document by kind. */
const KINDS: readonly (readonly [kind: string, calls: RegExp])[] = [
  ['made', /^variables\.createVariable(Collection)?$/],
  ['values', /^variable\.setValueForMode$/],
  ['data', /^setPluginData$/],
  ['others', /^(collection|variable)\.(set_|add|rename|remove|setVariable)/],
  ['reads', /(^|\.)get(PluginData|Local|VariableById|$)/],
];

interface Cost {
  /** Processor time, so that what else the machine does counts little. */
  own_ms: number;
  charged_ms: number;
  longest_ms: number;
  calls: Record<string, number>;
}

interface Run {
  first: Cost;
  edit: Cost;
  used_bytes: number;
  /** Of our own program: the longest slice until the columns, the plan and the end. */
  stages_ms: number[];
}

/** Counts what happens in a host while `work` goes on. */
async function measured(host: FigmaHost, work: () => Promise<void>): Promise<Cost> {
  host.resetMeasures();
  const before = host.charged_ms;
  const cpu = process.cpuUsage();
  await work();
  await host.idle();
  const { user, system } = process.cpuUsage(cpu);
  const charged_ms = host.charged_ms - before;
  const calls = Object.fromEntries(
    KINDS.map(([kind, named]) => {
      const of = Object.entries(host.calls).filter(([call]) => named.test(call));
      return [kind, of.reduce((sum, [, count]) => sum + count, 0)];
    }),
  );
  return { own_ms: (user + system) / 1_000, charged_ms, longest_ms: host.slices.longest_ms, calls };
}

const middle = (costs: Cost[]): Cost => {
  const sorted = [...costs].sort((left, right) => left.own_ms + left.charged_ms - right.own_ms - right.charged_ms);
  const found = sorted[Math.floor(sorted.length / 2)];
  if (!found) throw new Error('nothing was measured');
  return { ...found, longest_ms: Math.max(...costs.map((cost) => cost.longest_ms)) };
};

async function runOurs(program: Program, rows: Typed[][], scenario: Scenario): Promise<Run> {
  const host = await startHost({ ...program, document: emptyDocument('Bench'), user: { id: '1', name: 'Ana' }, plan: 'enterprise', costs: REPORTED, charge: 'clock', trace: false });
  await openPanel(host.ui);
  await host.idle();
  const position = (revision: number) => ({ epoch: 'e', revision });
  const sheet = { spreadsheet_title: 'Bench', sheet_title: 'Tokens', locale: 'en_US' };
  const stages_ms: number[] = [];
  let longest = 0;
  const first = await measured(host, async () => {
    const stage = () => {
      stages_ms.push(host.slices.longest_ms);
      longest = Math.max(longest, host.slices.longest_ms);
      host.slices.longest_ms = 0;
    };
    host.ui.send({ type: 'connect', sheet: SHEET });
    handOver(host.ui, SHEET, { type: 'snapshot', v: 1, position: position(1), sheet, cells: packRows(rows) });
    const inferred = await host.ui.next('inferred', ANSWER_MS_MAX);
    stage();
    host.ui.send({ type: 'confirm_columns', columns: inferred['columns'], header_row: inferred['header_row'] });
    const preview = await host.ui.next('preview', ANSWER_MS_MAX);
    stage();
    host.ui.send({ type: 'approve', plan: preview['plan'], include_removals: false });
    const { counts } = (await host.ui.next('applied', ANSWER_MS_MAX)) as unknown as { counts: { created: number } };
    if (counts.created !== scenario.variables) throw new Error(`${String(counts.created)} of ${String(scenario.variables)} variables were made`);
    await host.idle();
    stage();
  });
  first.longest_ms = longest;
  const used_bytes = host.memory().used_bytes;
  const edits: Cost[] = [];
  for (let step = 0; step < EDITS; step += 1) {
    const { row, column, value } = edit(step, scenario.variables, scenario.modes);
    const frame: Frame = { type: 'changes', v: 1, since: step + 1, position: position(step + 2), seen_unix_ms: 0, rows: rows.length, cells: packChanges([{ row, column, cell: value }]) };
    edits.push(
      await measured(host, async () => {
        handOver(host.ui, SHEET, frame);
        const report = await host.ui.next('applied', ANSWER_MS_MAX);
        if ((report as unknown as { counts: { changed: number } }).counts.changed !== 1) throw new Error(`edit ${String(step)} changed nothing`);
      }),
    );
  }
  host.dispose();
  return { first, edit: middle(edits), used_bytes, stages_ms };
}

async function runOther(program: Program, rows: Typed[][], scenario: Scenario): Promise<Run> {
  const host = await startHost({ ...program, document: emptyDocument('Bench'), plan: 'enterprise', costs: REPORTED, charge: 'clock', trace: false });
  const texts = rows.map((row) => row.map((cell) => (typeof cell === 'object' ? cell.text : String(cell))));
  const sync = async (): Promise<void> => {
    host.ui.sendRaw({ type: 'sync', rows: texts });
    await host.ui.nextRaw((message) => (message as { type?: unknown }).type === 'synced', ANSWER_MS_MAX);
  };
  const first = await measured(host, sync);
  if (host.document.variables.length !== scenario.variables || host.errors.length > 0) throw new Error(`${program.name} failed: ${host.errors.join('; ')}`);
  const used_bytes = host.memory().used_bytes;
  const edits: Cost[] = [];
  for (let step = 0; step < EDITS; step += 1) {
    const { row, column, value } = edit(step, scenario.variables, scenario.modes);
    const cells = texts[row];
    if (cells) cells[column] = value;
    edits.push(await measured(host, sync));
  }
  host.dispose();
  return { first, edit: middle(edits), used_bytes, stages_ms: [] };
}

function shuffled<T>(items: readonly T[]): T[] {
  const order = items.map((item) => ({ item, place: Math.random() }));
  return order.sort((left, right) => left.place - right.place).map(({ item }) => item);
}

const cell = (value: number, digits = 0): string => value.toFixed(digits).padStart(10);

/** Runs every program over a scenario and prints the table. */
export async function table(programs: readonly Program[], scenario: Scenario): Promise<void> {
  const { variables, modes, collections, budgeted } = scenario;
  const rows = synthetic(variables, modes, 1, collections);
  const runs = new Map<Program, Run[]>(programs.map((program) => [program, []]));
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    for (const program of shuffled(programs)) {
      const run = await (program.is === 'ours' ? runOurs : runOther)(program, rows, scenario);
      runs.get(program)?.push(run);
    }
  }
  const of = (program: Program): Run[] => runs.get(program) ?? [];
  const plain = programs.find((program) => program.is === 'plain');
  const ours = programs.find((program) => program.is === 'ours');
  if (!plain || !ours) throw new Error('the table needs our program and the plain one');
  const size = `${variables.toLocaleString('en')} variables × ${String(modes)} mode${modes === 1 ? '' : 's'} in ${String(collections)} collection${collections === 1 ? '' : 's'}`;
  const ratios = (program: Program, take: (run: Run) => number): number => {
    const base = of(plain);
    return median(of(program).map((run, repeat) => take(run) / take(base[repeat] ?? run)));
  };
  const whole = (cost: Cost): number => cost.own_ms + cost.charged_ms;
  for (const [title, take] of [['First sync', (run: Run) => run.first], ['One edited row', (run: Run) => run.edit]] as const) {
    section(`${title}, ${size}; medians of ${String(REPEATS)} runs; ms, calls of Figma's API`);
    console.log(`  ${''.padEnd(34)}${['own', 'charged', 'together', '÷ plain', 'longest', ...KINDS.map(([kind]) => kind)].map((head) => head.padStart(10)).join('')}`);
    for (const program of programs) {
      const costs = of(program).map(take);
      const middle_of = (value: (cost: Cost) => number): number => median(costs.map(value));
      const counts = KINDS.map(([kind]) => cell(middle_of((cost) => cost.calls[kind] ?? 0)));
      const times = [cell(middle_of((cost) => cost.own_ms), 1), cell(middle_of((cost) => cost.charged_ms), 1), cell(middle_of(whole), 1)];
      const ratio = cell(ratios(program, (run) => whole(take(run))), 2);
      console.log(`  ${program.name.padEnd(34)}${times.join('')}${ratio}${cell(middle_of((cost) => cost.longest_ms), 1)}${counts.join('')}`);
    }
  }
  figure('first sync, Figma\'s costs charged, ÷ plain JavaScript', ratios(ours, (run) => whole(run.first)), 'x', budgeted ? FIRST_SYNC_RATIO_MAX : undefined);
  for (const [at, stage] of ['reading the sheet', 'planning and preview', 'writing'].entries()) {
    figure(`  longest slice while ${stage}`, median(of(ours).map((run) => run.stages_ms[at] ?? 0)), 'ms', SLICE_MS_MAX);
  }
  figure('own work for one edit ÷ plain JavaScript', ratios(ours, (run) => run.edit.own_ms), 'x', budgeted ? EDIT_RATIO_MAX : undefined);
  figure('  longest slice', median(of(ours).map((run) => run.edit.longest_ms)), 'ms', SLICE_MS_MAX);
  for (const program of programs) figure(`memory in use after the first sync: ${program.name}`, median(of(program).map((run) => run.used_bytes)), 'bytes');
}
