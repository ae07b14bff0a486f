import { setTimeout as delay } from 'node:timers/promises'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { keyOf, submissionOf } from '../items.ts'
import { quantile, type Spec, type Timed } from '../measure.ts'
import { openWire, requestOf, served, type Wire } from '../wire.ts'
import type { World } from '../world.ts'

/** Open cases of one organisation, of every ten signals one. */
const CASES = 10_000
const AT_ONCE = 1_000
const PAGE = 100
/** Pages that are timed in a round, half of them from the beginning. */
const PAGES = 60
const ANALYSTS = 20
const DECISIONS = 10
/** Milliseconds from one decision of an analyst to the next: several times what people reach. */
const PACE_MS = 1_000

interface Asked {
  world: World
  signals: number
  /** Number of the first signal that has a case. */
  from: number
}

/** The cases are opened once, by whichever figure comes first. */
export function createQueues() {
  let opened: Promise<void> | undefined
  const open = (asked: Asked): Promise<void> => {
    opened ??= openCases(asked)
    return opened
  }
  return {
    queue: (asked: Asked): Spec => queueSpec(asked, () => open(asked)),
    decide: (asked: Asked): Spec => decideSpec(asked, () => open(asked)),
  }
}

/** Never so few that the analysts run out of them. */
const casesOf = ({ signals }: Asked): number => Math.min(CASES, Math.max(2_000, Math.ceil(signals / 10)))

/** What the console's queue stands on; the page itself adds its markup. */
function queueSpec(asked: Asked, open: () => Promise<void>): Spec {
  const wire = wireOf(asked.world)
  return {
    name: 'console.queue',
    what: `p95 of a page of ${PAGE} of ${casesOf(asked).toLocaleString('en')} open cases, the first and one in the middle in turn, journal committed before each answer`,
    unit: 'ms',
    ...{ target: 150, less: true, rounds: 5, warmups: 2 },
    measured: async (timed) => {
      await open()
      const deep = await cursorAt(wire, Math.floor(casesOf(asked) / PAGE / 2))
      const took: number[] = []
      await timed(async () => {
        for (let i = 0; i < PAGES; i++) took.push(await pageOf(wire, i % 2 === 0 ? undefined : deep))
      })
      return quantile(took, 0.95)
    },
  }
}

function decideSpec(asked: Asked, open: () => Promise<void>): Spec {
  const { members, node } = asked.world
  // Credentials of one organisation, an analyst on each connection.
  const own = members.filter(({ slug }) => slug === members[1]?.slug)
  const wires = Array.from({ length: ANALYSTS }, (_, i) =>
    openWire(node().addresses.partner, (own[i % own.length] ?? ({} as (typeof own)[number])).tls),
  )
  return {
    name: 'console.decide',
    what: `p95 of a decision until it is committed, ${ANALYSTS} analysts of one organisation, each of whom claims the next case and decides it once a second`,
    unit: 'ms',
    ...{ target: 100, less: true, rounds: 5, warmups: 2 },
    measured: async (timed: Timed) => {
      await open()
      const took: number[] = []
      await timed(() =>
        Promise.all(
          wires.map(async (wire, i) => {
            await delay((PACE_MS * i) / ANALYSTS)
            await decideSome(wire, `analyst-${i}`, took)
          }),
        ),
      )
      return quantile(took, 0.95)
    },
  }
}

async function decideSome(wire: Wire, operator: string, took: number[]): Promise<void> {
  const from = performance.now()
  for (let i = 0; i < DECISIONS; i++) {
    await delay(Math.max(0, from + i * PACE_MS - performance.now()))
    const next = await posted<{ claimed: { case: Uuid; token: Uuid; version: number } | null }>(
      wire,
      '/v1/cases/next',
      {
        operator,
      },
    )
    if (next.claimed === null) throw new Error('the queue ran dry')
    const { case: id, token, version } = next.claimed
    const decision = { operator, decision: newId(new Date()), token, version, verdict: 'outdated', reason: 'inactive' }
    const began = performance.now()
    await posted(wire, `/v1/cases/${id}/decisions`, decision)
    took.push(performance.now() - began)
  }
}

/** Signals of the first organisation, and a hit of the second on each. */
async function openCases(asked: Asked): Promise<void> {
  const { world, from } = asked
  const [source, recipient] = world.members
  if (source === undefined || recipient === undefined) throw new Error('two participants')
  const [sending, reporting] = [source, recipient].map(({ tls }) => openWire(world.node().addresses.partner, tls))
  if (sending === undefined || reporting === undefined) throw new Error('two connections')
  for (let done = 0; done < casesOf(asked); done += AT_ONCE) {
    const n = Math.min(AT_ONCE, casesOf(asked) - done)
    const submission = await submissionOf(source, { from: from + done, n, audience: world.audience })
    await served(sending, requestOf('POST', '/v1/submissions', JSON.stringify(submission)), 201)
    await projected(world)
    const last_at = `${new Date().toISOString().slice(0, 19)}Z`
    const hits = submission.items.map(({ item }, i) => {
      const { signal } = JSON.parse(item) as { signal: Uuid }
      return { source: source.slug, signal, key: keyOf(from + done + i).key, count: 1, last_at }
    })
    const { results } = await posted<{ results: { case?: Uuid }[] }>(reporting, '/v1/hits', { hits })
    if (results.some((one) => one.case === undefined)) throw new Error('a hit opened no case')
  }
}

const wireOf = ({ members, node }: World): Wire =>
  openWire(node().addresses.partner, (members[1] ?? ({} as World['members'][number])).tls)

async function posted<T>(wire: Wire, path: string, body: object): Promise<T> {
  const answer = await served(wire, requestOf('POST', path, JSON.stringify(body)), 200)
  return JSON.parse(answer.body.toString()) as T
}

const pathOf = (cursor: string | undefined): string =>
  `/v1/cases?limit=${PAGE}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`

/** Milliseconds that a page takes. */
async function pageOf(wire: Wire, cursor: string | undefined): Promise<number> {
  const began = performance.now()
  await served(wire, requestOf('GET', pathOf(cursor)), 200)
  return performance.now() - began
}

async function cursorAt(wire: Wire, pages: number): Promise<string> {
  let cursor: string | undefined
  for (let i = 0; i < pages; i++) {
    const { body } = await served(wire, requestOf('GET', pathOf(cursor)), 200)
    cursor = (JSON.parse(body.toString()) as { next: string | null }).next ?? undefined
  }
  if (cursor === undefined) throw new Error('there are fewer pages than that')
  return cursor
}

async function projected({ db }: World): Promise<void> {
  for (;;) {
    const { rows } = await db.query<{ done: boolean }>(
      `select (select count(*) = 0 from prov_outbox)
        and (select next_idx >= (select size from log_head) from projector where name = 'feeds') as done`,
    )
    if (rows[0]?.done === true) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
