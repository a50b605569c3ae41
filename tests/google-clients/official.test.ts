/**
 * Google's official Node clients against fake Google: `@googleapis/sheets` and `@googleapis/drive`, pointed at it by
 * `rootUrl` alone.
 */

import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';

import { drive_v3, auth as driveAuth } from '@googleapis/drive';
import { sheets_v4 } from '@googleapis/sheets';

import { FakeGoogle } from './server.ts';

let google: FakeGoogle;
let sheets: sheets_v4.Sheets;
let drive: drive_v3.Drive;

before(async () => {
  google = await FakeGoogle.start();
  const auth = new driveAuth.OAuth2();
  auth.setCredentials({ access_token: await google.token('ana@example.com', 'spreadsheets', 'drive.file') });
  const rootUrl = `${google.origin}/`;
  sheets = new sheets_v4.Sheets({ auth, rootUrl });
  drive = new drive_v3.Drive({ auth, rootUrl });
});

after(() => google.stop());

const create = async (title: string): Promise<string> => {
  const { data } = await sheets.spreadsheets.create({ requestBody: { properties: { title }, sheets: [{ properties: { title: 'My tokens' } }] } });
  assert.ok(data.spreadsheetId);
  return data.spreadsheetId;
};

test('writes and reads values and cells', async () => {
  const spreadsheetId = await create('Tokens');
  await sheets.spreadsheets.values.update({
    spreadsheetId,
    range: "'My tokens'!A1",
    valueInputOption: 'USER_ENTERED',
    requestBody: { values: [['name', 'light'], ['blue', '#00f'], ['half', '50%'], ['copy', '=B3']] },
  });
  const { data: values } = await sheets.spreadsheets.values.batchGet({ spreadsheetId, ranges: ["'My tokens'!A2:B", 'A1'], valueRenderOption: 'UNFORMATTED_VALUE' });
  assert.deepEqual(values.valueRanges?.map(({ values }) => values), [[['blue', '#00f'], ['half', 0.5], ['copy', 0.5]], [['name']]]);
  const { data } = await sheets.spreadsheets.get({
    spreadsheetId,
    ranges: ["'My tokens'"],
    fields: 'properties.locale,sheets(properties(sheetId,title),data(rowData(values(userEnteredValue.formulaValue,effectiveValue,formattedValue,effectiveFormat.numberFormat.type))))',
  });
  const cell = data.sheets?.[0]?.data?.[0]?.rowData?.[3]?.values?.[1];
  assert.deepEqual(cell, {
    userEnteredValue: { formulaValue: '=B3' },
    effectiveValue: { numberValue: 0.5 },
    formattedValue: '50%',
    effectiveFormat: { numberFormat: { type: 'PERCENT' } },
  });
  await sheets.spreadsheets.batchUpdate({ spreadsheetId, requestBody: { requests: [{ deleteDimension: { range: { sheetId: data.sheets?.[0]?.properties?.sheetId ?? 0, dimension: 'ROWS', startIndex: 0, endIndex: 2 } } }] } });
  const { data: left } = await sheets.spreadsheets.values.get({ spreadsheetId, range: 'A1:B2', valueRenderOption: 'FORMULA' });
  assert.deepEqual(left.values, [['half', 0.5], ['copy', '=B1']]);
  await sheets.spreadsheets.values.append({ spreadsheetId, range: 'A1', valueInputOption: 'RAW', requestBody: { values: [['=B1']] } });
  await sheets.spreadsheets.values.clear({ spreadsheetId, range: 'A1:B1' });
  const { data: after } = await sheets.spreadsheets.values.get({ spreadsheetId, range: 'A1:B3' });
  assert.deepEqual(after.values, [[], ['copy'], ['=B1']]);
});

test('lists files, watches one and stops', async () => {
  const spreadsheetId = await create('Watched');
  const { data: list } = await drive.files.list({ q: "mimeType = 'application/vnd.google-apps.spreadsheet' and trashed = false", orderBy: 'modifiedTime desc', pageSize: 50, fields: 'files(id,name,modifiedTime)' });
  assert.equal(list.files?.find(({ id }) => id === spreadsheetId)?.name, 'Watched');
  const notices: IncomingHttpHeaders[] = [];
  let arrived = (): void => { /* nobody waits yet */ };
  const receiver = createServer((request, reply) => {
    notices.push(request.headers);
    reply.end();
    arrived();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const next = async (): Promise<IncomingHttpHeaders> => {
    while (notices.length === 0) await new Promise<void>((resolve) => { arrived = resolve; });
    return notices.shift() ?? {};
  };
  const address = `http://localhost:${String((receiver.address() as AddressInfo).port)}/`;
  const { data: channel } = await drive.files.watch({ fileId: spreadsheetId, requestBody: { id: 'one', type: 'web_hook', address, token: 'known' } });
  assert.equal((await next())['x-goog-resource-state'], 'sync');
  await sheets.spreadsheets.values.update({ spreadsheetId, range: 'A1', valueInputOption: 'RAW', requestBody: { values: [['x']] } });
  const notice = await next();
  assert.equal(notice['x-goog-resource-state'], 'update');
  assert.equal(notice['x-goog-channel-token'], 'known');
  const stop: drive_v3.Schema$Channel = { id: channel.id ?? null, resourceId: channel.resourceId ?? null };
  await drive.channels.stop({ requestBody: stop });
  receiver.close();
});

test('gives the errors that the clients know', async () => {
  const status = async (asked: Promise<unknown>): Promise<number | undefined> => {
    try {
      await asked;
      return undefined;
    } catch (error) {
      return (error as { status?: number }).status;
    }
  };
  assert.equal(await status(sheets.spreadsheets.get({ spreadsheetId: 'unknown' })), 404);
  assert.equal(await status(drive.files.get({ fileId: 'unknown' })), 404);
  await google.control('faults', { path: '/v4/', kind: 'status', status: 429, count: 100 });
  assert.equal(await status(sheets.spreadsheets.create({ requestBody: {} }, { retry: false })), 429);
  await fetch(`${google.origin}/control/faults`, { method: 'DELETE' });
});
