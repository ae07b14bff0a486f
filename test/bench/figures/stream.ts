import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:https'
import { collect } from '../../../src/client/transport.ts'
import { type CopyReference, createCopyReference, type Range } from '../copy.ts'
import { linesOf } from '../items.ts'
import { createMeter, type Meter, type Row, rowOf, type Spec } from '../measure.ts'
import { openWire, requestOf, served, shed } from '../wire.ts'
import type { Member, World } from '../world.ts'

/** Participants that stream at the same time, one stream each. */
const SOURCES = 4
const ITEMS_MAX = 1_000
const POLL_MS = 10
const AGAIN_MS = 1_000
/** Of the signals: two warm-up rounds, then nine that count. */
const SHARES = [0.01, 0.09, ...Array.from({ length: 9 }, () => 0.1)] as const
const WARMUPS = 2

export const STREAM: Omit<Spec, 'rounds' | 'warmups' | 'measured'> = {
  name: 'submit.stream',
  what: `${SOURCES} NDJSON streams over mTLS, signed, stored, logged, until the last row shows in the feed`,
  unit: 'signals/s',
  target: 0.35,
}

export interface Loading {
  world: World
  /** Signals in all. */
  signals: number
  /** Whether COPY of the same rows follows each round. */
  compared: boolean
  onRound(text: string): void
  /** Told after each round, off the clock, how many signals there are and how fast the last ones came. */
  onLoaded(signals: number, value: number, ratio: number | null): Promise<void>
}

/** Loads the signals through the stream API, round by round; answers the figure. */
export async function load({ world, signals, compared, onRound, onLoaded }: Loading): Promise<Row> {
  const copy = compared ? await createCopyReference(world.db) : undefined
  const [one, other, idle] = [createMeter(world), createMeter(world), createMeter(world)]
  const values: number[] = []
  const references: number[] = []
  let loaded = 0
  for (const [round, share] of SHARES.entries()) {
    const counts = round >= WARMUPS
    const n = Math.round(signals * share)
    const { rate, range } = await streamRound(world, { from: loaded, n }, counts ? one : idle)
    loaded += n
    const beside = copy === undefined ? undefined : await copyRound(world, copy, { range, n }, counts ? other : idle)
    const ratio = beside === undefined ? '' : `, COPY ${Math.round(beside)}, ratio ${(rate / beside).toFixed(3)}`
    const refused = shed.count === 0 ? '' : `, ${shed.count} times busy`
    shed.count = 0
    onRound(
      `submit.stream ${counts ? `round ${round - 1}` : 'warm-up'}: ${n} at ${Math.round(rate)} signals/s${ratio}${refused}`,
    )
    if (counts) values.push(rate)
    if (counts && beside !== undefined) references.push(beside)
    await onLoaded(loaded, rate, beside === undefined ? null : rate / beside)
  }
  await copy?.drop()
  const reference = { what: 'COPY of the same rows into identical tables, every table of the path', run: async () => 0 }
  return rowOf({ ...STREAM, reference }, { values, references, measured: one.used, reference: other.used })
}

async function streamRound(
  world: World,
  { from, n }: { from: number; n: number },
  { timed, used }: Meter,
): Promise<{ rate: number; range: Range }> {
  const shares = await prepare(world, { from, n })
  await world.db.query('checkpoint')
  const before = await heads(world)
  const { seconds } = await timed(async () => {
    const accepted = await Promise.all(
      shares.map(({ member, lines }) => send(world.node().addresses.partner, member, lines)),
    )
    const total = accepted.reduce((sum, own) => sum + own, 0)
    if (total !== n) throw new Error(`${total} of ${n} signals were accepted`)
    await visible(world, before.feed + BigInt(n))
  })
  used.done += n
  const now = await heads(world)
  const range = { log: { from: before.log, to: now.log }, feed: { from: before.feed, to: now.feed } }
  return { rate: n / seconds, range }
}

async function copyRound(
  world: World,
  copy: CopyReference,
  { range, n }: { range: Range; n: number },
  { timed, used }: Meter,
): Promise<number> {
  const rows = await copy.take(range)
  await world.db.query('checkpoint')
  const { seconds } = await timed(() => copy.put(rows))
  used.done += n
  return n / seconds
}

/** Signed submissions of each source, as bytes: signing is the source's work. */
async function prepare({ members, audience }: World, { from, n }: { from: number; n: number }) {
  const each = Math.ceil(n / SOURCES)
  const shares: { member: Member; lines: Buffer[] }[] = []
  for (const [i, member] of members.slice(0, SOURCES).entries()) {
    const lines: Buffer[] = []
    const end = Math.min(n, (i + 1) * each)
    for (let at = i * each; at < end; at += ITEMS_MAX)
      lines.push(await linesOf(member, { from: from + at, n: Math.min(ITEMS_MAX, end - at), audience }))
    shares.push({ member, lines })
  }
  return shares
}

/** Everything that a source has, in as many requests as it takes; answers how many items were accepted. */
async function send(origin: string, member: Member, chunks: readonly Buffer[]): Promise<number> {
  let accepted = 0
  for (let at = 0; at < chunks.length; ) {
    const answer = await sendOnce(origin, member, chunks.slice(at))
    accepted += answer.accepted
    at += answer.submissions
    // As the node asks: it could not go on, which counts as time.
    if (at === chunks.length) return accepted
    shed.count += 1
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
  return accepted
}

interface Answered {
  /** Submissions that are stored, before the first that is not. */
  submissions: number
  accepted: number
}

function sendOnce(origin: string, { tls }: Member, chunks: readonly Buffer[]): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const out = request(new URL('/v1/submissions/stream', origin), {
      ...tls,
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/x-ndjson', 'upload-id': randomUUID() },
    })
    out.on('error', reject)
    out.on('response', (message) => {
      collect(message)
        .then((body) => answeredIn(message.statusCode, body.toString()))
        .then(resolve, reject)
    })
    const write = async (): Promise<void> => {
      for (const chunk of chunks) if (!out.write(chunk)) await once(out, 'drain')
      out.end()
    }
    write().catch(reject)
  })
}

function answeredIn(status: number | undefined, text: string): Answered {
  if (status === 503) return { submissions: 0, accepted: 0 }
  if (status !== 200) throw new Error(text.slice(0, 500))
  const fault = /.*"code":"(?!busy)[^"]+".*/.exec(text)
  if (fault !== null) throw new Error(`a signal was refused: ${fault[0]}`)
  const [good = ''] = text.split('"code":"busy"')
  const stored = [...good.matchAll(/"accepted":(\d+)/g)].map(([, count]) => Number(count))
  return { submissions: stored.length, accepted: stored.reduce((sum, one) => sum + one, 0) }
}

/** Waits until a reader is shown everything before `next`. */
async function visible({ members, node, feed }: World, next: bigint): Promise<void> {
  const wire = openWire(node().addresses.partner, members.at(-1)?.tls ?? { ca: '' })
  try {
    for (;;) {
      const { body } = await served(wire, requestOf('GET', '/v1/feeds'), 200)
      if (lastIn(body, feed) >= next - 1n) return
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  } finally {
    wire.close()
  }
}

/** The last sequence number that a reader is shown; 0 where there is none. */
function lastIn(body: Buffer, feed: string): bigint {
  const { feeds } = JSON.parse(body.toString()) as { feeds: { feed: string; last_seq: string }[] }
  return BigInt(feeds.find((one) => one.feed === feed)?.last_seq ?? 0)
}

/** Where log and feed stand. */
async function heads({ db, feed }: World): Promise<{ log: bigint; feed: bigint }> {
  const { rows } = await db.query<{ log: string; feed: string }>(
    'select (select size from log_head) as log, next_seq as feed from feed_head where feed_id = $1',
    [feed],
  )
  return { log: BigInt(rows[0]?.log ?? 0), feed: BigInt(rows[0]?.feed ?? 0) }
}
