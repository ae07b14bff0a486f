import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditLog } from '../../../../src/audit/audit.ts'
import { OBSERVER } from '../../../../src/cli/demo/past/cast.ts'
import { makePast } from '../../../../src/cli/demo/past/make.ts'
import { planPast } from '../../../../src/cli/demo/past/plan.ts'
import type { Summary } from '../../../../src/cli/demo/past/summary.ts'
import { openHome } from '../../../../src/client/home.ts'
import { exportLog } from '../../../../src/client/log-export.ts'
import { folderLog, nodeLog } from '../../../../src/client/log-source.ts'
import { exportRecords, exportSnapshot, folderRecords } from '../../../../src/client/record-files.ts'
import { openVkey } from '../../../../src/client/verify.ts'
import { loadConfig } from '../../../../src/config.ts'
import { sha256 } from '../../../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../../../src/provenance/ed25519.ts'
import { freshDatabase, type TestDatabase } from '../../../support/database.ts'

const DAYS = 10
const plan = planPast({ seed: '1', days: DAYS, signals: 60 })
const now = new Date()

let t: TestDatabase
let dir: string
let summary: Summary
beforeAll(async () => {
  t = await freshDatabase()
  dir = mkdtempSync(join(tmpdir(), 'aldis-past-'))
  const config = loadConfig({
    ...{ DATABASE_URL: t.url('owner'), DATA_DIR: join(dir, 'node'), CONFIG_DIR: 'config', LOG_LEVEL: 'error' },
    ...{ PARTNER_PORT: '0', ENROL_PORT: '0', OPS_PORT: '0', LOG_ORIGIN: 'node.example.org/provenance/1' },
    REVIEW_GRACE_SECONDS: '3600',
  })
  summary = await makePast({ config, dir, plan, now, whileRunning: exported })
}, 240_000)
afterAll(async () => {
  await t.drop()
  rmSync(dir, { recursive: true, force: true })
})

/** The whole log with its records, as the observer is given it. */
async function exported(): Promise<void> {
  const home = openHome(join(dir, OBSERVER))
  const client = home.connect()
  const to = join(dir, 'log')
  try {
    await exportSnapshot(client, to)
    const head = await home.advance(client)
    const { size } = await exportLog({ source: nodeLog(client), vkey: home.pinned().vkey, head, dir: to })
    await exportRecords(client, { dir: to, size })
  } finally {
    client.close()
  }
}

test('a short past has cases in every state, and disputes that were answered and that were not', () => {
  const { open, held, awaiting_second, decided, closed, leased } = summary.cases
  for (const n of [open, held, awaiting_second, decided, closed, summary.cases.void, leased])
    expect(n).toBeGreaterThan(0)
  expect(Object.keys(summary.disputes)).toEqual(expect.arrayContaining(['confirmed', 'rejected', 'amended', 'open']))
  expect(summary.signals).toBe(plan.planned.length)
})

test('what it made passes an audit of the whole log, and its log says whose clock it was', async () => {
  const log = join(dir, 'log')
  const { vkey } = openHome(join(dir, OBSERVER)).pinned()
  const { findings } = await auditLog({
    ...{ hash: sha256, source: folderLog(log), pinned: { key: openVkey(vkey), verify: verifyEd25519 } },
    ...{ now: new Date(), kept: [], records: folderRecords(log) },
  })
  expect(findings.filter(({ result }) => result === 'FAIL')).toEqual([])
  expect(findings.filter(({ result }) => result === 'PASS').length).toBeGreaterThan(8)
  expect(openedIn(join(dir, 'log')).filter(([name]) => name === 'clock')).toEqual([['clock', 'driven']])
})

test('its times are those of the days that it tells of, and end with the present', async () => {
  const at = openedIn(join(dir, 'log')).flatMap(([name, value]) => (name === 'time' ? [Date.parse(String(value))] : []))
  expect(at.length).toBeGreaterThan(100)
  expect(Math.max(...at)).toBeLessThanOrEqual(Date.now())
  expect(Math.min(...at)).toBeGreaterThanOrEqual(now.getTime() - DAYS * 86_400_000)
  expect(now.getTime() - Math.min(...at)).toBeGreaterThan((DAYS - 1) * 86_400_000)
})

/** What the exported records of entries disclose, by name. */
function openedIn(folder: string): [name: string, value: unknown][] {
  const records = join(folder, 'records')
  const lines = readdirSync(records).flatMap((name) => readFileSync(join(records, name), 'utf8').trimEnd().split('\n'))
  return lines.flatMap((line) => {
    const { disclosures = [] } = JSON.parse(line) as { disclosures?: string[] }
    return disclosures.map((text): [string, unknown] => {
      const [, name, value] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, string, unknown]
      return [name, value]
    })
  })
}
