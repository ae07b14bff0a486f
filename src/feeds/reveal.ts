import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { dayOf, nextDay } from '../kernel/day.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, timeAfter, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { SIGNAL_TYPE } from '../signals/schema.ts'
import type { HeldValue, SealedValues } from '../signals/values.ts'
import { bySource, type Disclosed, type Reader } from './answer.ts'
import { readAsOf } from './as-of.ts'
import { type FeedDirectory, refusePaused } from './directory.ts'
import * as store from './reveal-store.ts'
import { REVEALS_PER_DAY, type RevealAsked, type RevealResult } from './schema.ts'
import { sealedSignals } from './sealed-store.ts'

/** Who reveals: a program by its credential, or a person in the console. */
export interface Revealer extends Reader {
  credential?: Uuid
  person?: Uuid
}

export interface Reveals {
  /**
   * The raw link that a source sealed beside a live signal that the reader may see; `not-found` for every other signal,
   * `value-absent` where nothing is sealed, or no longer the same, `quota-exceeded` beyond the day's. Entry and read are
   * committed before it is opened.
   */
  reveal(by: Revealer, asked: RevealAsked & { signal: Uuid }): Promise<Disclosed>
  /** Whether a source sealed a value beside a signal that the reader may see; nothing of it is given out. */
  revealable(by: Reader, of: { signal: Uuid; source: string }): Promise<boolean>
  /** By an organisation's programs, of the present day. */
  revealsUsedBy(participant: Uuid): Promise<RevealUse>
}

export interface RevealUse {
  used: number
  limit: number
  resets_at: Date
}

export interface RevealOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  directory: FeedDirectory & { participantBySlug(slug: string): { participant_id: Uuid; status: string } | undefined }
  values: Pick<SealedValues, 'held' | 'open'>
  /** Of each statement. */
  timeoutMs: number
}

const LINKS = [SIGNAL_TYPE.url, SIGNAL_TYPE.domain] as const

/** A live link that the reader may see. */
interface SeenLink {
  origin: Uuid
  signal_id: Uuid
  revision: number
  type: RevealResult['type']
  feed_id: Uuid
  log_idx: bigint
}

interface Asked extends RevealAsked {
  signal: Uuid
}

export function createReveals(options: RevealOptions): Reveals {
  const { db, provenance, values, timeoutMs } = options
  const seen = (by: Reader, asked: Pick<Asked, 'signal' | 'source'>) =>
    asParticipant(db, by.participant, (tx) => linkIn(options, tx, { by, asked }), { timeoutMs })
  return {
    async reveal(by, asked) {
      provenance.admitLookUp()
      const { link } = await seen(by, asked)
      const held = await heldBeside(options, link)
      if (held === undefined) throw new Refusal('value-absent')
      const { event, read, result } = await asParticipant(
        db,
        by.participant,
        (tx) => record(options, tx, { by, asked, held }),
        { timeoutMs },
      )
      provenance.wake()
      const now = await heldBeside(options, link)
      // Taken back or replaced while it was written down.
      if (now?.last_event !== held.last_event) throw new Refusal('value-absent')
      // Not before: what cannot be written down is not opened.
      return { body: JSON.stringify({ ...result, value: values.open(now), event } satisfies RevealResult), read }
    },
    async revealable(by, of) {
      const found = await seen(by, of).catch(undefinedIfAbsent)
      return found !== undefined && (await heldBeside(options, found.link)) !== undefined
    },
    async revealsUsedBy(participant) {
      const now = options.clock()
      const asked = { participant_id: participant, day: dayOf(now), who: participant }
      const used = await asParticipant(db, participant, (tx) => store.revealsOn(tx, asked), { timeoutMs })
      return { used, limit: REVEALS_PER_DAY, resets_at: nextDay(now) }
    },
  }
}

/** Of a source that takes part; what was given for other readers is not there for these. */
async function heldBeside({ directory, values }: RevealOptions, link: SeenLink): Promise<HeldValue | undefined> {
  const source = directory.participantBySlug(directory.slugOf(link.origin))
  if (source === undefined || source.status === 'left') return undefined
  const held = await values.held(link.origin, link.signal_id)
  return held !== undefined && directory.feedOf(held.audience_id) === link.feed_id ? held : undefined
}

function undefinedIfAbsent(error: unknown): undefined {
  if (error instanceof Refusal && (error.code === 'not-found' || error.code === 'feed-paused')) return undefined
  throw error
}

/** The one live link of the id that the reader may see, as of a place of the log. */
async function linkIn(
  { provenance, directory, clock }: RevealOptions,
  tx: Tx,
  { by, asked }: { by: Reader; asked: Pick<Asked, 'signal' | 'source'> },
): Promise<{ link: SeenLink; as_of: bigint }> {
  const { as_of, placed } = await readAsOf(async () => {
    // In this order: the rows are at least as far as the index says.
    const at = await provenance.projected(tx)
    return { as_of: at, placed: await linksSeen({ directory }, tx, { by, signal: asked.signal, now: clock() }) }
  })
  const named = placed.filter(({ origin }) => asked.source === undefined || directory.slugOf(origin) === asked.source)
  const [link, ...others] = named
  if (link === undefined) throw new Refusal('not-found')
  if (others.length > 0) {
    const detail = 'several sources have a signal of this id; name one'
    throw new Refusal('validation-failed', { errors: [{ pointer: '/source', code: 'validation-failed', detail }] })
  }
  refusePaused(directory, link.feed_id)
  return { link, as_of }
}

async function linksSeen(
  { directory }: Pick<RevealOptions, 'directory'>,
  tx: Tx,
  { by, signal, now }: { by: Reader; signal: Uuid; now: Date },
): Promise<SeenLink[]> {
  const found: SeenLink[] = (await store.linksOf(tx, signal, { types: LINKS, now })).map(({ type, ...row }) => ({
    ...row,
    type: type === SIGNAL_TYPE.url ? 'url' : 'domain',
  }))
  const sealed = directory.feedsOf(by.participant).filter((feed) => directory.isSealed(feed.feed_id))
  for (const { feed_id } of sealed) {
    const rows = await sealedSignals(tx, feed_id, signal, now)
    found.push(...rows.flatMap((row) => linkOf(row, feed_id)))
  }
  return found
}

/** Of a sealed audience the event itself says what it is. */
function linkOf(
  { body, origin, signal_id, revision, log_idx }: Awaited<ReturnType<typeof sealedSignals>>[number],
  feed_id: Uuid,
): SeenLink[] {
  const { item } = JSON.parse(body === '' ? '{}' : body) as { item?: string }
  const { type } = JSON.parse(item ?? '{}') as { type?: string }
  return type === 'url' || type === 'domain' ? [{ origin, signal_id, revision, log_idx, feed_id, type }] : []
}

/** Looks again, in the transaction that debits and writes down: what ended meanwhile is not there. */
async function record(
  options: RevealOptions,
  tx: Tx,
  { by, asked, held }: { by: Revealer; asked: Asked; held: HeldValue },
): Promise<{ event: Uuid; read: string; result: Omit<RevealResult, 'value' | 'event'> }> {
  const { provenance, directory, clock } = options
  const { purpose, signal } = asked
  const { link, as_of } = await linkIn(options, tx, { by, asked })
  if (link.origin !== held.participant_id || directory.feedOf(held.audience_id) !== link.feed_id)
    throw new Refusal('value-absent')
  const at = timeAfter([held.last_event], clock())
  await debit(tx, by, at)
  const [event, source] = [newId(at), directory.slugOf(link.origin)]
  const { revision, type } = link
  const result = { source, signal, revision, type, sealed_at: held.sealed_at.toISOString() }
  await provenance.record(tx, {
    ...{ kind: 'value.revealed', event_id: event, participant_id: by.participant, at, actor: by.slug },
    ...{ subject: source, after: held.last_event },
    fields: { signal, revision, purpose, reader: by.slug, cred: by.credential, person: by.person },
  })
  const prepared = provenance.prepareRead({
    ...{ route: by.route, as_of: { log: String(as_of) }, n: 1, purpose },
    // Of the answer without the value: a digest of a link could be tried.
    body: toBase64Url(sha256(Buffer.from(JSON.stringify({ ...result, event })))),
    sources: bySource([link], directory.slugOf),
  })
  const [read = ''] = await provenance.insertReads(tx, by.participant, [prepared])
  return { event, read, result }
}

async function debit(tx: Tx, { participant, person }: Revealer, at: Date): Promise<void> {
  const of = { participant_id: participant, day: dayOf(at), who: person ?? participant }
  if (await store.debitReveal(tx, { ...of, quota: REVEALS_PER_DAY })) return
  throw new Refusal('quota-exceeded', {
    detail: 'it begins anew at midnight UTC',
    extra: { limit: REVEALS_PER_DAY },
    retryAfter: Math.ceil((nextDay(at).getTime() - at.getTime()) / 1_000),
  })
}
