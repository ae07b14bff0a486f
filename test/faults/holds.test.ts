import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditLog } from '../../src/audit/audit.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import type { World } from '../feeds/world.ts'
import { forge, LOG_KEY, sourceOf } from '../provenance/forge.ts'
import { DAY } from '../signals/factory.ts'
import { auditedWorld, type Given } from './audited.ts'
import { fieldIn, type Plain, plainOf, put, relog } from './relog.ts'

let world: Awaited<ReturnType<typeof auditedWorld<void>>>
let honest: Given
let plain: Plain[]

beforeAll(async () => {
  world = await auditedWorld(holdAndRelease)
  honest = await world.given()
  plain = plainOf(honest.records)
}, 120_000)
afterAll(() => world.w.end())

/** Two persons hold all that a source shares, let one signal go, then the others: at once, and again after a while. */
async function holdAndRelease(w: World): Promise<void> {
  const [apple] = [await w.admit('apple'), await w.admit('banana')]
  const audience = w.authority.audiencesOf(apple.participant).find(({ kind }) => kind === 'programme')?.audience_id
  const since = `${new Date(w.now().getTime() - DAY).toISOString().slice(0, 19)}Z`
  const items = Array.from({ length: 3 }, () => w.item({ audience: audience as Uuid }))
  await w.submit(apple, items)
  await w.project()
  for (const _ of ['at once', 'after a while']) {
    await w.decide('source.hold', { participant: 'apple', since })
    await w.decide('signal.release', { participant: 'apple', signal: items[0]?.signal ?? newId(w.now()) })
    await w.decide('source.release', { participant: 'apple' })
    await w.project()
    w.pass(DAY)
  }
  w.pass(31 * DAY)
  await w.expire(apple.participant, 'apple')
  await w.project()
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

/** Every check from 5 on that did not pass. */
async function failing({ entries, records, snapshot }: Given): Promise<string[]> {
  const { findings } = await auditLog({
    ...{ hash: sha256, source: sourceOf(forge(entries)), pinned: { key: LOG_KEY.vkey, verify: verifyEd25519 } },
    ...{ now: world.w.now(), kept: [] },
    records: { records: () => each(records), snapshot: () => each(snapshot) },
  })
  return findings.flatMap(({ check, result, says }) =>
    check < 5 || result === 'PASS' ? [] : [`${check} ${result}: ${says}`],
  )
}

const ofKind = (kind: string): Plain[] => plain.filter((entry) => fieldIn(entry, 'type') === kind)
/** The last of its kind otherwise. */
const changed = (kind: string, change: (entry: Plain) => Plain): Given => {
  const at = plain.findLastIndex((entry) => fieldIn(entry, 'type') === kind)
  expect(at, kind).toBeGreaterThanOrEqual(0)
  return relog(plain.with(at, change(plain[at] as Plain)), honest)
}
/** Before the signals ran out. */
const earlier = (entry: Plain): Plain =>
  put(entry, 'time', new Date(Date.parse(String(fieldIn(entry, 'time'))) - 7 * DAY).toISOString())
const firstRelease = (action: string): unknown =>
  fieldIn(ofKind('approval.executed').find((entry) => fieldIn(entry, 'action') === action) as Plain, 'request')

describe('an audit of signals that two persons held and let go', () => {
  test('passes, though an entry of the release may follow the one that says that it was carried out', async () => {
    expect(ofKind('signal.held')).toHaveLength(6)
    expect(ofKind('signal.released')).toHaveLength(6)
    expect(await failing(honest)).toEqual([])
  })
  test.for<[check: number, what: string, forged: () => Given, says: RegExp]>([
    [
      12,
      'one person lets go',
      () => changed('signal.released', (entry) => put(entry, 'req', undefined)),
      /names no req/,
    ],
    [
      12,
      'nobody says who let go',
      () => changed('signal.released', (entry) => put(put(entry, 'req', undefined), 'actor', undefined)),
      /signal.released takes two persons/,
    ],
    [
      12,
      'its source lets go what two persons hold',
      () => changed('signal.released', (entry) => put(put(entry, 'req', undefined), 'actor', 'apple')),
      /signal.released takes two persons/,
    ],
    [
      12,
      'one person held by a request for something else',
      () => changed('signal.held', (entry) => put(entry, 'req', firstRelease('source.release'))),
      /signal.held was not what was asked for: source.release/,
    ],
    [
      12,
      'somebody lets go by a request for something else',
      () => changed('signal.released', (entry) => put(entry, 'req', firstRelease('source.hold'))),
      /signal.released was not what was asked for: source.hold/,
    ],
    [
      12,
      'somebody lets go by a request that was carried out long ago',
      () => changed('signal.released', (entry) => put(entry, 'req', firstRelease('source.release'))),
      /the request was executed before/,
    ],
    [
      12,
      'many are let go by a request for one',
      () => changed('signal.released', (entry) => put(entry, 'req', firstRelease('signal.release'))),
      /was asked for once, and done before/,
    ],
    [10, 'a signal ends before its time', () => changed('signal.expired', earlier), /before its time/],
  ])('fails check %i where %s', async ([check, , forged, says]) => {
    const found = (await failing(forged())).find((one) => one.startsWith(`${check} `))
    expect(found).toMatch(/FAIL/)
    expect(found).toMatch(says)
  })
})
