import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { oneOf } from '../kernel/one-of.ts'
import type { Notice } from '../notices/schema.ts'
import { type EnrolledHosts, endpointUrl } from './address.ts'
import { type FeedHead, gatherFeeds } from './feeds.ts'
import { messageId, messageOf } from './message.ts'
import type { Poster } from './post.ts'
import { type Fault, nextAttempt, secretsAt } from './schedule.ts'
import { DELIVERIES_KEPT_DAYS, DELIVERIES_WAITING_MAX, FEED_DELIVERIES_KEPT_DAYS } from './schema.ts'
import { type SigningKeys, signedHeaders } from './signing.ts'
import * as store from './store.ts'

export interface DeliveringOptions {
  /** Each organisation's rows in its own name. */
  app: Db
  /** Finds whose they are. */
  projector: Db
  clock: Clock
  poster: Poster
  hosts: EnrolledHosts
  slugOf(participant: Uuid): string
  /** Whoever is suspended or has left is told nothing. */
  isActive(participant: Uuid): boolean
  noticesOf(participant: Uuid): Promise<readonly Notice[]>
  /** The feeds of an organisation, as far as it may read them now. */
  headsOf(participant: Uuid): Promise<readonly FeedHead[]>
  /** Of an endpoint, by the numbers of the secrets that are in force. */
  keysOf(endpoint: Uuid, numbers: readonly number[]): SigningKeys
  /** From 0 to 1. */
  random(): number
  /** A receiver answered 410: its endpoint is over. */
  onGone(participant: Uuid, endpoint: Uuid): Promise<void>
  /** A receiver that had held up its own messages has answered. */
  onFree?(): void
}

export interface Delivering {
  /** Writes down what every organisation that is called is to be told; answers how many messages are new. */
  gather(): Promise<number>
  /** The same of feeds that grew, for those who are told of feeds. */
  gatherFeeds(): Promise<number>
  /** Posts what is due, some at a time; answers how many were tried. What is not answered within a second goes on beside. */
  post(): Promise<number>
  /** Waits for what is under way. */
  settled(): Promise<void>
}

const AT_ONCE = 16
const EACH_AT_ONCE = 2
/** By one statement; there is another where they are of few endpoints. */
const LOOKED_AT = 128
const PATIENCE_MS = 1_000
const DAY_MS = 86_400_000
/** Less than deliveries are kept: what was told and forgotten is too old to be told again. */
const GATHERED_DAYS = 7

/** A message is a row before it is posted, and an attempt is counted before it is made: a crash repeats, and loses nothing. */
export function createDelivering(options: DeliveringOptions): Delivering {
  const { app, projector, clock, headsOf, isActive, onFree } = options
  const flying = new Map<string, { endpoint: Uuid; done: Promise<void> }>()

  const start = (one: Named): Promise<void> => {
    const key = `${one.endpoint_id} ${one.message_id}`
    const done = attempt(options, one).finally(() => {
      flying.delete(key)
      onFree?.()
    })
    flying.set(key, { endpoint: one.endpoint_id, done })
    return done
  }
  const nextOf = createTurns((passed) => store.dueDeliveries(projector, clock(), { passed, limit: LOOKED_AT }))
  const busy = (): Uuid[] => [...new Set([...flying.values()].map(({ endpoint }) => endpoint))]

  return {
    gather: async () =>
      eachOf(await store.everCalled(projector), async ({ participant_id, live }) => {
        await forgetOld(options, participant_id)
        return live && isActive(participant_id) ? gatherFor(options, participant_id) : 0
      }),
    gatherFeeds: async () =>
      eachOf(await store.toldOfFeeds(projector), async ({ participant_id }) =>
        isActive(participant_id)
          ? gatherFeeds(app, participant_id, { heads: await headsOf(participant_id), now: clock() })
          : 0,
      ),
    async post() {
      const begun = (await nextOf(busy(), AT_ONCE - flying.size)).map(start)
      // A receiver that is slow holds up its own messages and nobody else's.
      await within(Promise.all(begun), PATIENCE_MS)
      return begun.length
    },
    settled: async () => {
      await Promise.allSettled([...flying.values()].map(({ done }) => done))
    },
  }
}

/**
 * Whose messages are next: of each endpoint its oldest, and nobody has a second turn while somebody else waits for the first. What waits for
 * an endpoint is passed over with it, so that it hides nobody's messages, however much it is.
 */
function createTurns(due: (passed: readonly Uuid[]) => Promise<Named[]>) {
  const had = new Set<Uuid>()
  /** Adds messages of whoever has had no turn; whether somebody of them may be left. */
  const take = async (next: Named[], passed: Set<Uuid>, places: number): Promise<boolean> => {
    const found = await due([...passed, ...had])
    for (const [endpoint, own] of Map.groupBy(found, ({ endpoint_id }) => endpoint_id)) {
      const left = places - next.length
      if (left === 0) return true
      next.push(...own.slice(0, Math.min(EACH_AT_ONCE, left)))
      had.add(endpoint)
      passed.add(endpoint)
    }
    return found.length === LOOKED_AT
  }
  return async (busy: readonly Uuid[], places: number): Promise<Named[]> => {
    const next: Named[] = []
    const passed = new Set(busy)
    let anew = had.size === 0
    while (next.length < places) {
      if (await take(next, passed, places)) continue
      // Everybody who waits has had a turn.
      had.clear()
      if (anew) break
      anew = true
    }
    return next
  }
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms)
  await Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}

/** How many messages are new. What is wrong with one organisation's rows keeps nothing from another. */
async function eachOf<T>(called: readonly T[], gathered: (one: T) => Promise<number>): Promise<number> {
  let made = 0
  const failed: unknown[] = []
  for (const one of called) {
    try {
      made += await gathered(one)
    } catch (error) {
      failed.push(error)
    }
  }
  if (failed.length > 0) throw oneOf(failed, 'not everybody could be told')
  return made
}

const forgetOld = ({ app, clock }: DeliveringOptions, participant: Uuid): Promise<void> =>
  asParticipant(app, participant, (tx) => {
    const now = clock().getTime()
    return store.forgetDeliveries(tx, participant, {
      before: new Date(now - DELIVERIES_KEPT_DAYS * DAY_MS),
      feedsBefore: new Date(now - FEED_DELIVERIES_KEPT_DAYS * DAY_MS),
    })
  })

async function gatherFor({ app, clock, noticesOf }: DeliveringOptions, participant: Uuid): Promise<number> {
  const notices = await noticesOf(participant)
  return asParticipant(app, participant, async (tx) => {
    const now = clock()
    let made = 0
    for (const { endpoint_id, kinds, made_at } of await store.liveEndpoints(tx, participant)) {
      const room = DELIVERIES_WAITING_MAX - (await waiting(tx, participant, endpoint_id))
      // What was so before somebody wanted to hear of it is found in the console.
      const since = new Date(Math.max(made_at.getTime(), now.getTime() - GATHERED_DAYS * DAY_MS))
      const wanted = notices.filter(({ kind, at }) => kinds.includes(kind) && at >= since)
      const rows = wanted.toReversed().slice(0, Math.max(0, room))
      made += await store.insertDeliveries(
        tx,
        rows.map((notice) => rowOf(notice, { participant, endpoint_id, now })),
      )
    }
    return made
  })
}

const waiting = (tx: Tx, participant_id: Uuid, endpoint_id: Uuid) =>
  store.waitingFor(tx, { participant_id, endpoint_id }, DELIVERIES_WAITING_MAX)

const rowOf = (
  notice: Notice,
  { participant, endpoint_id, now }: { participant: Uuid; endpoint_id: Uuid; now: Date },
): store.DeliveryRow => ({
  ...{ participant_id: participant, endpoint_id, message_id: messageId(endpoint_id, notice.id), kind: notice.kind },
  ...{ body: JSON.stringify(messageOf(notice)), made_at: now, attempts: 0, next_at: now },
  ...{ delivered_at: null, fault: null },
})

type Named = Pick<store.DeliveryRow, 'participant_id' | 'endpoint_id' | 'message_id'>

async function attempt(options: DeliveringOptions, named: Named): Promise<void> {
  const { app, clock, poster, keysOf, random, onGone } = options
  const now = clock()
  const begun = await asParticipant(app, named.participant_id, async (tx) => {
    const row = await store.dueDelivery(tx, named, now)
    if (row === undefined) return undefined
    const endpoint = await store.endpointOf(tx, named)
    const live = endpoint !== undefined && endpoint.ended_at === null
    const attempts = row.attempts + 1
    await store.moveDelivery(tx, named, {
      attempts,
      next_at: live ? (nextAttempt(attempts, now, random()) ?? null) : null,
    })
    return live ? { url: endpoint.url, body: row.body, numbers: secretsAt(endpoint, now) } : undefined
  })
  if (begun === undefined) return
  const seconds = Math.floor(now.getTime() / 1_000)
  const { url, body, numbers } = begun
  const headers = await signedHeaders({ id: named.message_id, seconds, body }, keysOf(named.endpoint_id, numbers))
  const fault = barOf(options, named.participant_id, url) ?? (await poster.post({ url, headers, body }))
  const settled = fault === undefined ? { next_at: null, delivered_at: clock(), fault: null } : { fault }
  await asParticipant(app, named.participant_id, (tx) =>
    store.moveDelivery(tx, named, fault === 'gone' ? { fault, next_at: null } : settled),
  )
  // Whoever answers 410 wants no more of it.
  if (fault === 'gone') await onGone(named.participant_id, named.endpoint_id)
}

/** What has changed since the endpoint was added: its organisation, or the hosts that the operator enrolled. */
function barOf({ hosts, slugOf, isActive }: DeliveringOptions, participant: Uuid, url: string): Fault | undefined {
  if (!isActive(participant)) return 'not-active'
  return 'url' in endpointUrl(url, { organisation: slugOf(participant), hosts }) ? undefined : 'not-enrolled'
}
