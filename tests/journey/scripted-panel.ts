/**
 * The panel's part in a sync, played by a script: what a designer and the UI program would say to the sandbox.
 *
 * Owns the order of messages of a first run and of later changes. Must not know how a host delivers them. It exists
 * for tests and the demo's preparation where no browser is needed; the UI program has its own tests in Chromium.
 */

import type { PanelMessage, ScriptedPanel } from '../figma-host/panel.ts';
import type { Frame, SheetRef } from './relay-client.ts';

/** The OFREP bulk reply that lets a user in. */
export const FLAG_ON = JSON.stringify({ flags: [{ key: 'realtime-sync', value: true, reason: 'STATIC', variant: 'on' }] });
/** The OFREP bulk reply that leaves a user out. */
export const FLAG_OFF = JSON.stringify({ flags: [{ key: 'realtime-sync', value: false, reason: 'SPLIT', variant: 'off' }] });
/** Longest wait for a first run of a real token set, in milliseconds. */
const FIRST_RUN_MS_MAX = 120_000;

/** Opens the panel and hands over the flag evaluation; resolves with the sandbox's greeting and decision. */
export async function openPanel(ui: ScriptedPanel, flags: string | null = FLAG_ON, entropy = '00112233445566778899aabbccddeeff'.repeat(2)): Promise<{ hello: PanelMessage; decision: unknown }> {
  await ui.opened();
  ui.send({ type: 'ready', entropy });
  const hello = await ui.next('hello');
  ui.send({ type: 'flags_evaluated', body: flags, now_unix_ms: Date.now() });
  const { realtime_sync } = await ui.next('flags');
  return { hello, decision: realtime_sync };
}

/** Hands over one frame of the relay; frames without cells say nothing to the sandbox. */
export function handOver(ui: ScriptedPanel, sheet: SheetRef, frame: Frame): void {
  if (frame.type === 'snapshot') ui.send({ type: 'snapshot', sheet, position: frame.position, info: frame.sheet }, frame.cells);
  if (frame.type === 'changes') ui.send({ type: 'changes', sheet, position: frame.position, rows: frame.rows }, frame.cells);
}

/** Connects a sheet, takes the inferred columns as they are, and approves the preview. */
export async function firstRun(
  ui: ScriptedPanel,
  sheet: SheetRef,
  snapshot: Frame,
): Promise<{ inferred: PanelMessage; preview: PanelMessage; report: PanelMessage }> {
  ui.send({ type: 'connect', sheet });
  handOver(ui, sheet, snapshot);
  const inferred = await ui.next('inferred');
  ui.send({ type: 'confirm_columns', columns: inferred['columns'], header_row: inferred['header_row'] });
  const preview = await ui.next('preview', FIRST_RUN_MS_MAX);
  ui.send({ type: 'approve', plan: preview['plan'], include_removals: false });
  const report = await ui.next('applied', FIRST_RUN_MS_MAX);
  return { inferred, preview, report };
}
