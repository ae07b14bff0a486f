import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import { fileKeys } from '../../src/keys/file.ts'
import { openedFields, openRecord } from '../../src/provenance/record.ts'
import { aWorld, type World } from '../participants/world.ts'
import { rounds, seededRandom } from './random.ts'

const CHILD = fileURLToPath(new URL('./scheduled-child.ts', import.meta.url))
const HOUR = 3_600_000
const ROUNDS = 8
const LONGEST_MS = 6_000

const random = seededRandom('scheduled.test.ts')
let w: World
beforeAll(async () => {
  w = await aWorld()
  await w.admit('ash')
})
afterAll(() => w.end())

/** Set for an hour from now, and approved. */
async function set(per_day: number): Promise<Uuid> {
  const effective_at = `${new Date(w.now().getTime() + HOUR).toISOString().slice(0, 19)}Z`
  const payload = { participant: 'ash', purpose: 'lookup', per_day, effective_at }
  const { request_id } = await w.service.propose('quota.change', payload, w.ada)
  await w.service.approve(request_id, w.ben, w.now())
  return request_id
}

/** A process that carries out what is due: how many statements it made, or `killed`. */
async function ranTo(gap?: number): Promise<number | 'killed'> {
  const args = [CHILD, w.t.url('owner'), w.folder, w.now().toISOString(), ...(gap === undefined ? [] : [String(gap)])]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  expect([code, signal]).toEqual(gap === undefined ? [0, null] : [null, 'SIGKILL'])
  return gap === undefined ? Number(said) : 'killed'
}

const LEFT = ['approval.executed', 'quota.changed']

/** Of each request, the kinds of entries that its being carried out left. */
async function carriedOut(): Promise<Map<unknown, string[]>> {
  const keys = fileKeys(join(w.folder, 'keys'))
  const rows = await w.t.owner
    .selectFrom('prov_record')
    .select(['event_id', 'kind', 'c', 'body', 'epoch'])
    .where('kind', 'in', LEFT)
    .execute()
  const found = new Map<unknown, string[]>()
  for (const { event_id, kind, ...row } of rows) {
    const request = openedFields(openRecord(row, event_id, keys)).get('req')
    found.set(request, [...(found.get(request) ?? []), kind].sort())
  }
  return found
}

test('an act that is set for a time is carried out once, in whatever gap processes are killed with -9', {
  timeout: 300_000,
}, async () => {
  const due = async (): Promise<Uuid> => {
    const id = await set(1_000 + acts.length)
    w.pass(HOUR)
    return id
  }
  const acts: Uuid[] = []
  acts.push(await due())
  const gaps = Number(await ranTo())
  expect(gaps).toBeGreaterThan(5)
  const first = random.below(gaps)
  for (const round of rounds(ROUNDS, LONGEST_MS)) {
    acts.push(await due())
    // In steps that are prime to most numbers, so that they come through all of them.
    await ranTo((first + 5 * round) % gaps)
    // Done as a whole, or not at all: what is left is due still, and done by the next one.
    const found = await carriedOut()
    for (const id of acts) expect([undefined, LEFT]).toContainEqual(found.get(id))
  }
  // Two that begin again at once, of which one waits for the other; with one act at least, wherever the last kill was.
  acts.push(await due())
  await Promise.all([1, 2].map(() => w.service.executeDue(() => {})))
  const found = await carriedOut()
  expect(
    acts.map((id) => found.get(id)),
    `ALDIS_FAULT_SEED=${random.seed}`,
  ).toEqual(acts.map(() => LEFT))
  expect(await w.service.executeDue(() => {})).toBe(0)
})
