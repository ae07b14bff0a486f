import type { Uuid } from '../../../src/kernel/ids.ts'
import { submissionOf } from '../items.ts'
import type { Run, Spec } from '../measure.ts'
import { requestOf, served, type Wire } from '../wire.ts'
import type { Reach, World } from '../world.ts'
import { wiresOf } from './lookup.ts'

const CLIENTS = 64
const WRITERS = 16
/** The reference: see `unlogged`. */
export const UNLOGGED = '/bench/unlogged/v1/submissions'

export interface Single {
  world: World
  count: number
  from: number
}

export const submitSingle = (of: Single): Spec => singleBy(CLIENTS, 'submit.single', of)

/** Fewer, of whom hardly two share a transaction. */
export const submitWriters = (of: Single): Spec => singleBy(WRITERS, 'submit.writers', of)

/** Submissions of one signal each, answered after COMMIT; the clock stops when each has its index in the log. */
function singleBy(clients: number, name: string, { world, count, from }: Single): Spec {
  const wires = wiresOf(world, clients)
  const each = Math.ceil(count / clients)
  let next = from
  const side =
    (path: string, { audience, feed }: Reach): Run =>
    async (timed) => {
      const requests = await prepare(world, { path, each, from: next, audience, clients })
      next += each * clients
      const carried = await carriedBy(world, feed)
      await world.db.query('checkpoint')
      const { seconds } = await timed(async () => {
        await Promise.all(wires.map((wire, client) => sendAll(wire, requests[client] ?? [])))
        await until(world, 'select count(*) = 0 as done from prov_outbox')
      })
      await carried(each * clients)
      return (each * clients) / seconds
    }
  return {
    name,
    what: `durable submissions of one signal with the log, until each has its index; ${clients} clients of 8 participants`,
    unit: 'submissions/s',
    target: 0.75,
    rounds: 5,
    // Hot code is compiled only after some thousand requests.
    warmups: 2,
    measured: side('/v1/submissions', world),
    reference: {
      what: 'the same, into a feed as well, without the log: no record, no entry, no proof',
      run: side(UNLOGGED, world.beside),
    },
  }
}

interface Prepared {
  path: string
  audience: Uuid
  clients: number
  /** Of each client. */
  each: number
  from: number
}

/** Each client's requests, signed off the clock. */
async function prepare({ members }: World, { path, audience, clients, each, from }: Prepared): Promise<string[][]> {
  const requests: string[][] = []
  for (const [client, member] of members.slice(0, clients).entries()) {
    const own: string[] = []
    for (let i = 0; i < each; i++) {
      const submission = await submissionOf(member, { from: from + client * each + i, n: 1, audience })
      own.push(requestOf('POST', path, JSON.stringify(submission)))
    }
    requests.push(own)
  }
  return requests
}

async function sendAll(wire: Wire, requests: readonly string[]): Promise<void> {
  for (const request of requests) await served(wire, request, 201)
}

/** Waits until so many more signals than now are in a feed. */
export async function carriedBy(world: World, feed: Uuid): Promise<(signals: number) => Promise<void>> {
  const head = `from feed_head where feed_id = '${feed}'`
  const { rows } = await world.db.query<{ next: string }>(`select next_seq as next ${head}`)
  const next = Number(rows[0]?.next)
  return (signals) => until(world, `select next_seq >= ${next + signals} as done ${head}`)
}

export async function until({ db }: World, query: string): Promise<void> {
  for (;;) {
    const { rows } = await db.query<{ done: boolean }>(query)
    if (rows[0]?.done === true) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
