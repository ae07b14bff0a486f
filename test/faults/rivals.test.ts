import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { equal } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { genesisLink, nextLink } from '../../src/provenance/chain.ts'
import { aLog, type LogWorld, ORIGIN, rowsOf, type Slug } from '../provenance/world.ts'
import { aHistory, faultsOf, readFound } from './history.ts'
import { rounds, seededRandom } from './random.ts'

const CHILD = fileURLToPath(new URL('./integrator-child.ts', import.meta.url))
const SLUGS: readonly [Slug, ...Slug[]] = ['apple', 'plum', 'fig', 'kiwi']
/** Statements of a round from its first write on: six that index, three that clear, three that move the fence, one more. */
const GAPS = 13
const LONGEST_MS = 20_000

const random = seededRandom('rivals.test.ts')
const workers = new Set<ChildProcess>()
let log: LogWorld
beforeAll(async () => {
  log = await aLog()
})
afterAll(async () => {
  for (const worker of workers) await killed(worker)
  await log.end()
})

function aWorker(...gap: string[]): ChildProcess {
  const args = [CHILD, log.t.url('aldis_integrator'), ...gap]
  const worker = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  workers.add(worker)
  return worker
}

/** Waits for the end of a worker that ends itself, or ends it. */
async function killed(worker: ChildProcess, by?: 'itself'): Promise<void> {
  if (worker.exitCode === null && worker.signalCode === null) {
    const ended = once(worker, 'exit')
    if (by === undefined) worker.kill('SIGKILL')
    await ended
  }
  workers.delete(worker)
  expect(worker.signalCode).toBe('SIGKILL')
}

/** Every organisation's chain, recomputed from the entries. */
async function chainFaults(): Promise<string[]> {
  const { entries, chains } = await rowsOf(log)
  const heads = new Map<string, { seq: bigint; link: Uint8Array }>()
  const faults: string[] = []
  for (const { c, chains: links } of entries) {
    for (const { party, seq, link } of links) {
      const before = heads.get(party) ?? { seq: 0n, link: genesisLink(sha256, ORIGIN, party) }
      const follows = seq === before.seq + 1n && equal(link, nextLink(sha256, before.link, seq, c))
      if (!follows) faults.push(`${party} ${seq}`)
      heads.set(party, { seq, link })
    }
  }
  const ends = chains.filter(({ party, seq, link }) => {
    const head = heads.get(party)
    return head === undefined || head.seq !== seq || !equal(head.link, link)
  })
  return [...faults, ...ends.map(({ party }) => party)]
}

test('rival workers, killed with -9 in every gap between two statements, index each record once, in one tree', {
  timeout: 300_000,
}, async () => {
  const written: string[] = []
  let done = false
  const write = async (): Promise<void> => {
    while (!done) {
      log.pass(1)
      const some = Array.from({ length: 1 + random.below(8) }, () => log.record(random.pick(SLUGS)))
      written.push(...(await Promise.all(some)))
      await delay(random.below(4))
    }
  }
  const writing = write()
  let rival = aWorker()
  const first = random.below(GAPS)
  for (const round of rounds(GAPS, LONGEST_MS)) {
    // In steps of five, which come through all of them.
    await killed(aWorker(String((first + 5 * round) % GAPS)), 'itself')
    if (random.chance(0.2)) {
      await killed(rival)
      rival = aWorker()
    }
    // What stands behind the fence now is signed, and has to stay.
    await log.signer.round()
  }
  done = true
  await writing
  await killed(rival)
  const last = log.integrator()
  for (let n = await last.round(); n > 0; n = await last.round());
  await log.signer.round()

  const found = { ...(await readFound(log.t.owner)), feed: [] }
  expect(faultsOf(aHistory(), found), `ALDIS_FAULT_SEED=${random.seed}`).toEqual([])
  expect(found.leaves.map(({ event }) => event).toSorted()).toEqual(written.toSorted())
  expect(found.checkpoints.length).toBeGreaterThan(1)
  expect(await chainFaults()).toEqual([])
  const { head, fence, events } = await rowsOf(log)
  expect([head.size, fence.size]).toEqual([BigInt(written.length), BigInt(written.length)])
  expect(events.map(({ idx }) => idx)).toEqual(written.map((_, i) => BigInt(i)))
})
