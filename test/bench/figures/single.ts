import { submissionOf } from '../items.ts'
import type { Run, Spec } from '../measure.ts'
import { requestOf, served, type Wire } from '../wire.ts'
import type { World } from '../world.ts'
import { wiresOf } from './lookup.ts'

const CLIENTS = 64

/** Submissions of one signal each, answered after COMMIT; the clock stops when each has its index in the log. */
export function submitSingle({ world, count, from }: { world: World; count: number; from: number }): Spec {
  const wires = wiresOf(world, CLIENTS)
  const each = Math.ceil(count / CLIENTS)
  let next = from
  const side =
    (path: string): Run =>
    async (timed) => {
      const requests = await prepare(world, { path, each, from: next })
      next += each * CLIENTS
      await world.db.query('checkpoint')
      const { seconds } = await timed(async () => {
        await Promise.all(wires.map((wire, client) => sendAll(wire, requests[client] ?? [])))
        await until(world, 'select count(*) = 0 as done from prov_outbox')
      })
      await until(world, "select next_idx >= (select size from log_head) as done from projector where name = 'feeds'")
      return (each * CLIENTS) / seconds
    }
  return {
    name: 'submit.single',
    what: `durable submissions of one signal with the log, until each has its index; ${CLIENTS} clients of 8 participants`,
    unit: 'submissions/s',
    target: 0.75,
    rounds: 5,
    // Hot code is compiled only after some thousand requests.
    warmups: 2,
    measured: side('/v1/submissions'),
    reference: {
      what: 'the same without the log: no record, no entry, and so no feed either',
      run: side('/bench/unlogged/v1/submissions'),
    },
  }
}

/** Each client's requests, signed off the clock. */
async function prepare(
  { members, audience }: World,
  { path, each, from }: { path: string; each: number; from: number },
): Promise<string[][]> {
  const requests: string[][] = []
  for (const [client, member] of members.slice(0, CLIENTS).entries()) {
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

async function until({ db }: World, query: string): Promise<void> {
  for (;;) {
    const { rows } = await db.query<{ done: boolean }>(query)
    if (rows[0]?.done === true) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
