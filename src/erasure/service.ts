import { asParticipant, atControl, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { FeedDirectory } from '../feeds/directory.ts'
import type { Answer, FeedEraser } from '../feeds/erase.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, timeOf, type Uuid } from '../kernel/ids.ts'
import { ALL, type Page, type PageAsked, pageOf } from '../kernel/page.ts'
import type { DecidedErasure, ScannedReaders } from '../participants/erasure.ts'
import type { Settling } from '../participants/request.ts'
import { ERASURE_TARGETS_MAX } from '../participants/schema.ts'
import type { EventPlace, GivenOut, RecordEraser } from '../provenance/erase.ts'
import type { Recorder } from '../provenance/service.ts'
import type { HeldRevision, HeldSignals, SignalEraser } from '../signals/erase.ts'
import type { ErasureList } from './list-file.ts'
import * as store from './store.ts'

/** An erasure, and who of those that the log names has answered it. */
export interface ListedErasure {
  event: Uuid
  source: string
  at: Date
  basis: string
  approval: Uuid
  signals: number
  notified: number
  acknowledged: string[]
  cannot_remove: string[]
  missing: string[]
  /** Who is in no audience any more that carries the tombstone: to be asked by other means. */
  unreachable: string[]
}

export interface Erasures {
  /**
   * Takes values, salts and keys of a source's signals away and records it. `log-behind` while feeds have not followed: what
   * is on its way would come into them afterwards.
   */
  erase(tx: Tx, decided: DecidedErasure): Promise<{ event: Uuid; notified: number }>
  /** Who has obtained the signals so far, in short transactions of its own; refused as the erasure would be. */
  scan(of: Sought): Promise<ScannedReaders>
  /**
   * Carries out what the list names and this database does not know, since it is an older one, unless its request was taken back
   * or rejected; answers how many. Only before loops and listeners begin.
   */
  replay(): Promise<number>
  /** The newest first. */
  list(): Promise<ListedErasure[]>
  page(asked: PageAsked): Promise<Page<ListedErasure>>
  /** Whether the event is an erasure of something that the participant had obtained. */
  isAsked(participant: Uuid, event: Uuid): Promise<boolean>
}

export interface ErasureOptions {
  /** Logs in as `aldis_app`. */
  app: Db
  /** Logs in as `aldis_admin`. */
  admin: Db
  clock: Clock
  recorder: Recorder
  records: RecordEraser
  signals: SignalEraser
  feeds: FeedEraser
  listed: ErasureList
  requests: Settling
  directory: Pick<FeedDirectory, 'feedsOf'>
  participants(): readonly { participant_id: Uuid; slug: string; status: string }[]
}

export const createErasures = (options: ErasureOptions): Erasures => ({
  erase: (tx, decided) => carryOut(options, tx, { ...decided, quiet: false }),
  scan: (of) => scan(options, of),
  replay: () => replay(options),
  list: async () => (await atControl(options.admin, (tx) => listed(options, tx, ALL))).rows,
  page: (asked) => atControl(options.admin, (tx) => listed(options, tx, asked)),
  isAsked: (participant, event) =>
    asParticipant(options.app, participant, (tx) => store.isAsked(tx, participant, event)),
})

type Sought = Pick<DecidedErasure, 'participant' | 'slug' | 'signals'>
/** `quiet`: nothing is on its way into feeds, for no loop runs. */
type Order = DecidedErasure & { quiet: boolean }

/** A read is journaled under the time at which it is made and seen once it is committed, and clocks of processes differ. */
const IN_FLIGHT_MS = 60_000
/** Twice: what comes during the first scan is looked at by the second, so that little is left for the erasure itself. */
const scan = async (options: ErasureOptions, of: Sought): Promise<ScannedReaders> =>
  scanOnce(options, of, await scanOnce(options, of))

/** Each reader in a transaction of its own; of `before` on what was journaled since. */
async function scanOnce(options: ErasureOptions, of: Sought, before?: ScannedReaders): Promise<ScannedReaders> {
  const { admin, clock, records } = options
  const at = clock()
  const holders = [...(before?.holders ?? [])]
  const { given } = await atControl(admin, (tx) => givenOut(options, tx, { ...of, at, quiet: false }))
  for (const reader of readersBut(options, of.slug, holders))
    holders.push(...(await atControl(admin, (tx) => records.holders(tx, [reader], given, before?.upto))))
  return { holders, upto: new Date(at.getTime() - IN_FLIGHT_MS) }
}

/** Everybody but the source and those that are known to hold something of it. */
const readersBut = ({ participants }: ErasureOptions, source: string, known: readonly Uuid[]): Uuid[] =>
  participants().flatMap(({ slug, participant_id: one }) => (slug === source || known.includes(one) ? [] : one))

/** What is to go, locked, with where it stands and what readers may have been given of it. */
async function givenOut(options: ErasureOptions, tx: Tx, order: Sought & Pick<Order, 'at' | 'quiet'>) {
  const { records, signals, feeds } = options
  const { participant, slug } = order
  const held = await signals.hold(tx, participant, order.signals)
  const places = await placesOf(records, tx, { held, order })
  const found = await feeds.find(tx, participant, soughtIn(held, places))
  const entries = new Map([...found].map(([feed, events]) => [feed, events.map(({ seq }) => seq)]))
  const since = new Date(Math.min(...held.revisions.map(({ submission_id }) => timeOf(submission_id))))
  const given: GivenOut = { slug, signals: new Set(order.signals), entries, since }
  return { held, places, found, given }
}

async function carryOut(options: ErasureOptions, tx: Tx, order: Order): Promise<{ event: Uuid; notified: number }> {
  const { records, signals, feeds, recorder } = options
  const { participant, slug, at, basis, request, after, scanned } = order
  const { held, places, found, given } = await givenOut(options, tx, order)
  const targets = await records.blank(tx, { participant, places: submissionsIn(held, places), at })
  // One alone has to go whatever it takes.
  if (targets.length > ERASURE_TARGETS_MAX && held.signals.length > 1 && !order.quiet)
    throw new Refusal('validation-failed', {
      detail: 'these signals were shared in too many submissions to be taken by one entry: erase fewer of them at once',
      extra: { limit: ERASURE_TARGETS_MAX },
    })
  const event = newId(at)
  await signals.erase(tx, { participant, event, held })
  await feeds.erase(tx, { source: participant, found, signals: held.signals })
  // As late as can be: whoever reads it between this and COMMIT is not asked.
  const known = scanned?.holders ?? []
  const late = await records.holders(tx, readersBut(options, slug, known), given, scanned?.upto)
  const holders = [...known, ...late]
  await recorder.record(tx, {
    ...{ kind: 'erasure', event_id: event, participant_id: participant, at, subject: slug },
    fields: { targets, ...signals.fields(held), basis, approval: request, notified: holders.length },
    ...(after !== undefined && { after }),
  })
  const notified = holders.length
  await store.insertErasure(tx, {
    participant_id: participant,
    event_id: event,
    request_id: request,
    at,
    basis,
    notified,
  })
  for (const holder of holders) await store.insertNotice(tx, holder, event)
  // Before it is committed: what a crash leaves on the list and not in the database is carried out at the next start.
  options.listed.note({ v: 1, request, participant: slug, signals: [...order.signals], basis })
  return { event, notified }
}

type Places = ReadonlyMap<Uuid, readonly EventPlace[]>

/** Where in the logs everything stands that was ever said of the signals. */
async function placesOf(
  records: RecordEraser,
  tx: Tx,
  { held, order }: { held: HeldSignals; order: Pick<Order, 'at' | 'quiet'> },
): Promise<Places> {
  const { signals, revisions } = held
  const newest = signals.flatMap(({ last_event, value_event }) => [
    last_event,
    ...(value_event === null ? [] : [value_event]),
  ])
  if (newest.some((event) => timeOf(event) > order.at.getTime()))
    throw new Refusal('state-conflict', { detail: 'the clock is behind the newest change of a signal; try again' })
  const events = new Set([...revisions.flatMap(saidBy), ...signals.map(({ last_event }) => last_event)])
  const places = await records.places(tx, [...events])
  const carried = [...events].every((event) => places.get(event)?.some((one) => one.carried) === true)
  if (!carried && !order.quiet)
    throw new Refusal('log-behind', { retryAfter: 5, detail: 'the signals are not in the feeds yet; try again' })
  return places
}

/** Of the events of the signals those that hold their revisions. */
const submissionsIn = ({ revisions }: HeldSignals, places: Places): Places => {
  const submissions = new Set(revisions.map(({ submission_id }) => submission_id))
  return new Map([...places].filter(([event]) => submissions.has(event)))
}

/** The events with which a revision went into feeds: a hold's end says it again. */
const saidBy = ({ submission_id, releases }: Pick<HeldRevision, 'submission_id' | 'releases'>): Uuid[] => [
  submission_id,
  ...releases,
]

const soughtIn = ({ revisions }: Pick<HeldSignals, 'revisions'>, places: Places) =>
  revisions.map(({ signal_id, revision, audience, ...said }) => ({
    ...{ signal_id, revision, audience },
    places: saidBy(said).flatMap((event) => (places.get(event) ?? []).map(({ place }) => place)),
  }))

async function replay(options: ErasureOptions): Promise<number> {
  const orders = options.listed.all()
  const noted = new Set(orders.map(({ request }) => request))
  const known = await atControl(options.admin, (tx) => knownOf(options, tx, noted))
  await atControl(options.admin, (tx) => blankReleases(options, tx))
  let done = 0
  for (const { request, participant, signals, basis } of orders) {
    if (known.has(request)) continue
    const source = options.participants().find(({ slug }) => slug === participant)
    if (source === undefined) continue
    const at = options.clock()
    const decided = { participant: source.participant_id, slug: participant, basis, request, at, quiet: true }
    done += await atControl(options.admin, async (tx) => {
      // Listed by a transaction that failed, and decided otherwise since.
      if (await options.requests.isOff(tx, request)) return 0
      const left = await options.signals.unerased(tx, decided.participant, signals)
      if (left.length === 0) return 0
      const { event } = await carryOut(options, tx, { ...decided, signals: left })
      await options.requests.settle(tx, request, { at, after: event })
      return 1
    })
  }
  return done
}

/** Erased items that the release before this one left at the ends of holds: they go, and the erasure's own entry told of them. */
async function blankReleases({ participants, signals, records, feeds }: ErasureOptions, tx: Tx): Promise<void> {
  for (const { participant_id: source } of participants()) {
    const revisions = await signals.erasedReleases(tx, source)
    const places = await records.places(
      tx,
      revisions.flatMap(({ releases }) => releases),
    )
    const found = await feeds.find(tx, source, soughtIn({ revisions }, places))
    if (found.size > 0) await feeds.erase(tx, { source, found, signals: [] })
  }
}

/** The requests that this database has carried out; what of them the list lacks comes onto it. */
async function knownOf(
  { participants, signals, listed: list }: ErasureOptions,
  tx: Tx,
  noted: ReadonlySet<Uuid>,
): Promise<Set<Uuid>> {
  const known = new Set<Uuid>()
  for (const { participant_id, slug } of participants()) {
    for (const { request_id: request, event_id, basis } of await store.erasuresOf(tx, participant_id, ALL)) {
      known.add(request)
      if (noted.has(request)) continue
      const erased = await signals.erasedBy(tx, participant_id, event_id)
      list.note({ v: 1, request, participant: slug, signals: erased.map(({ signal_id }) => signal_id), basis })
    }
  }
  return known
}

async function listed(options: ErasureOptions, tx: Tx, { after, limit }: PageAsked): Promise<Page<ListedErasure>> {
  const notices = new Map<string, Holder[]>()
  for (const { participant_id: holder, slug, status } of options.participants())
    for (const event of await store.noticesOf(tx, holder))
      notices.set(event, [...(notices.get(event) ?? []), { holder, slug, gone: status === 'left' }])
  const found: { row: store.ErasureRow; source: string }[] = []
  for (const { participant_id, slug } of options.participants())
    for (const row of await store.erasuresOf(tx, participant_id, { after, limit: limit + 1 }))
      found.push({ row, source: slug })
  found.sort((a, b) => (a.row.event_id < b.row.event_id ? 1 : -1))
  const { rows, next } = pageOf(found, limit, ({ row }) => row.event_id)
  const all: ListedErasure[] = []
  for (const { row, source } of rows)
    all.push(await told(options, tx, { row, source, asked: notices.get(row.event_id) ?? [] }))
  return { rows: all, next }
}

interface Holder {
  holder: Uuid
  slug: string
  /** Whether it takes part no more. */
  gone: boolean
}

interface Asked {
  row: store.ErasureRow
  source: string
  asked: readonly Holder[]
}

async function told(options: ErasureOptions, tx: Tx, { row, source, asked }: Asked): Promise<ListedErasure> {
  const { records, signals, feeds, directory } = options
  const { event_id, participant_id, request_id, at, basis, notified } = row
  const erased = await signals.erasedBy(tx, participant_id, event_id)
  const audiences = [...new Set(erased.flatMap((one) => one.audiences))]
  const place = (await records.places(tx, [event_id])).get(event_id)?.at(-1)?.place
  const tombstones = place === undefined ? new Map() : await feeds.tombstones(tx, audiences, place)
  const answers: Record<Answer, string[]> = { acknowledged: [], cannot_remove: [], missing: [], unreachable: [] }
  for (const { holder, slug, gone } of asked) {
    const mine = gone ? [] : directory.feedsOf(holder)
    const reads = (feed: Uuid, seq: bigint | undefined): boolean =>
      mine.some(
        ({ feed_id, until_seq }) => feed_id === feed && (until_seq === null || (seq !== undefined && seq <= until_seq)),
      )
    const answer = place === undefined && !gone ? 'missing' : await feeds.answerOf(tx, holder, { tombstones, reads })
    answers[answer].push(slug)
  }
  return { event: event_id, source, at, basis, approval: request_id, signals: erased.length, notified, ...answers }
}
