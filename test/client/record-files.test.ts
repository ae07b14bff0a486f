import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { exportReports, exportSnapshot } from '../../src/client/record-files.ts'
import { entriesOf, forge } from '../provenance/forge.ts'
import { idOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { closeServers, identityOf, serve } from './server.ts'

let pki: TestPki
const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))

beforeAll(async () => {
  pki = await testPki()
})
afterEach(closeServers)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const PAGES = [
  { page: { size: '2', waiting: [idOf(1)] } },
  { of: 'participant plum', state: { kind: 'platform' }, event: idOf(1) },
  { page: { size: '3', waiting: [] } },
]
const linesOf = (lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

/** A node that publishes one entry more each time it is asked for its checkpoint. */
async function exported(lines: readonly object[], { grows = true } = {}): Promise<string[]> {
  let size = 1
  const asked: string[] = []
  const server = await serve(pki, ({ path }, response) => {
    const what = path.split('/').at(-1) ?? ''
    const { note } = forge(entriesOf(size))
    asked.push(what === 'checkpoint' ? `checkpoint ${size}` : what)
    if (what === 'checkpoint' && grows) size += 1
    response.end(what === 'checkpoint' ? note : what === 'snapshot' ? linesOf(lines) : 'a receipt')
  })
  const client = createClient({ origin: server.origin, ...identityOf(await pki.participant('owl')) })
  await exportSnapshot(client, folder, 1_000).finally(() => client.close())
  return asked
}

test('a snapshot is fetched only when a published checkpoint covers what had its index, and what waited for it', async () => {
  expect(await exported([...PAGES, { end: 1 }])).toEqual([
    ...['snapshot', idOf(1), 'checkpoint 1', 'checkpoint 2', 'checkpoint 3'],
  ])
  expect(readFileSync(join(folder, 'snapshot.ndjson'), 'utf8')).toBe(linesOf([...PAGES, { end: 1 }]))
})
test('a checkpoint that does not come is not waited for without end', async () => {
  const asked = await exported([...PAGES, { end: 1 }], { grows: false })
  expect(new Set(asked.slice(2))).toEqual(new Set(['checkpoint 1']))
})
test('a snapshot that was broken off is none', async () => {
  await expect(exported(PAGES)).rejects.toThrow('broken off')
})

test('a report that is named by anything but a digest is not written', async () => {
  const digest = '../../plum'
  const node = { reports: async () => ({ reports: [{ digest }] as never }), report: async () => ({}) as never }
  await expect(exportReports(node, folder)).rejects.toMatchObject({ name: 'VerificationFailed' })
})
