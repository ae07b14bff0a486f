import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AldisError } from '../../src/client/errors.ts'
import { checkReceipt, openVkey, readName } from '../../src/client/verify.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { errorOf, failureOf, lookUpsThread } from '../../src/look-ups.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'

/** As built for production. */
const LOOK_UPS = join(import.meta.dirname, '../../dist/src/look-ups.js')

let n: TestNode
let apple: Member
let banana: Member
let link: SignalItem

beforeAll(async () => {
  n = await aTestNode({ startLookUps: lookUpsThread })
  apple = await n.member('apple')
  banana = await n.member('banana')
  link = await share(apple)
})
afterAll(() => n.end())

async function share(source: Member): Promise<SignalItem> {
  const item = await source.item({ type: 'url', raw: `https://${source.slug}.example/a` }, await source.everybody())
  await source.client.submit(await source.sign([item]))
  await settled(n.t)
  return item
}

const ask = ({ client }: Member, ...keys: string[]) =>
  client.lookUp({ queries: [{ type: 'url', profile: 'url/1', keys }], purpose: 'enforcement' })
const keyOf = ({ value }: SignalItem): string => (value as { sha256: string }).sha256

describe('the thread of look-ups', { timeout: 60_000 }, () => {
  test('answers what is shared, and what is not, each with its place in the journal', async () => {
    const none = 'f'.repeat(64)
    const [found, nothing] = await Promise.all([ask(banana, keyOf(link)), ask(banana, none)])
    expect(found.matches).toMatchObject([{ key: keyOf(link), event: { signal: link.signal, source: 'apple' } }])
    expect(nothing.matches).toEqual([])
    const key = openVkey(await banana.client.logKey())
    for (const { read } of [found, nothing]) {
      const { id = '', place = '' } = readName(read) ?? {}
      const receipt = await banana.client.receipt(id, { read: place }, 20_000)
      expect(checkReceipt(receipt ?? '', key)).toMatchObject({ passed: true })
    }
  })

  test('knows a source that was admitted after it began', async () => {
    const cherry = await n.member('cherry')
    const own = await share(cherry)
    expect((await ask(banana, keyOf(own))).matches).toMatchObject([{ event: { source: 'cherry' } }])
  })

  test('hands a refusal over as it is: where the database keeps it waiting, busy', async () => {
    const release = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const holding = n.t.owner.transaction().execute(async (tx) => {
      await sql`lock table read_journal in access exclusive mode`.execute(tx)
      locked.resolve()
      await release.promise
    })
    await locked.promise
    const refused = await ask(banana, keyOf(link)).catch((error: unknown) => error)
    release.resolve()
    await holding
    expect(refused).toBeInstanceOf(AldisError)
    expect(refused).toMatchObject({ status: 503, code: 'busy', retryAfter: 1 })
    expect((await ask(banana, keyOf(link))).matches.length).toBe(1)
  })

  test('ends the process if it fails', () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'aldis-look-ups-'))
    const core = { config: { dataDir, databasePool: 2 }, database: { url: 'no address' }, logId: 1, origin: 'o' }
    const program = join(dataDir, 'program.mjs')
    const begun = `
      import { lookUpsThread } from ${JSON.stringify(LOOK_UPS)}
      lookUpsThread(${JSON.stringify(core)})
      setTimeout(() => process.exit(0), 30_000)`
    writeFileSync(program, begun)
    const { status, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
    rmSync(dataDir, { recursive: true, force: true })
    expect([status, stderr]).toEqual([1, expect.stringContaining('Invalid URL')])
  })
})

describe('an error that another thread is told of', () => {
  test('is the same refusal, with what it was caused by', () => {
    const cause = Object.assign(new Error('a value'), { code: '57014' })
    const refusal = new Refusal('page-limit', { detail: 'fewer', extra: { limit: 3 }, retryAfter: 2, cause })
    const told = errorOf(structuredClone(failureOf(refusal)))
    expect(told).toBeInstanceOf(Refusal)
    expect(told).toMatchObject({ code: 'page-limit', detail: 'fewer', extra: { limit: 3 }, retryAfter: 2, errors: [] })
    expect(told.cause).toMatchObject({ code: '57014', message: '' })
  })
  test('otherwise keeps its name, code and place, and no message', () => {
    const told = errorOf(structuredClone(failureOf(Object.assign(new RangeError('a value'), { code: 'X' }))))
    expect(told).toMatchObject({ name: 'RangeError', code: 'X', message: '' })
    expect(told).not.toBeInstanceOf(Refusal)
  })
})
