import { randomBytes } from 'node:crypto'
import { rotateAccessKeys } from './access/service.ts'
import { type Core, ensureEpochKeys, evidenceKept } from './core.ts'
import { exploreAll } from './exploring.ts'
import { createBuckets } from './feeds/buckets.ts'
import { sweepSegments } from './feeds/erase.ts'
import type { KnownKeys } from './feeds/known-keys.ts'
import { type Carried, createProjector } from './feeds/project.ts'
import { createSealer } from './feeds/segment.ts'
import type { SegmentFiles } from './feeds/segment-files.ts'
import { createLoop, type Found, type Loop } from './jobs/loop.ts'
import type { Uuid } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import { createEvaluationFlush } from './matching/flush.ts'
import type { Parts } from './parts.ts'
import { type HaltReason, LogHalted } from './provenance/anchor.ts'
import { createFlusher } from './provenance/flush.ts'
import { createIntegrator, ENTRIES_AT_ONCE as INTEGRATED_AT_ONCE } from './provenance/integrate.ts'
import { createOutages } from './provenance/outage.ts'
import { createPublisher } from './provenance/publish.ts'
import { createKeyRetirement } from './provenance/retire-keys.ts'
import { bulkOf, followAll, forgetOf, releaseOf } from './review-loops.ts'
import { createExpiry } from './signals/expire.ts'
import { rulesOf } from './signals/rules.ts'
import { createValueRewrap, ensureValueKeys } from './signals/value-rewrap.ts'

const HOUR_MS = 3_600_000
/** How late an act may be that was set for a time. */
const SCHEDULED_MS = 5_000
/** Files of segments that an erasure has replaced are gone by then. */
const SWEEP_MS = 60_000
/** Reading every key anew is work: another process that carries entries on must not make it endless. */
const KNOWN_REST_MS = 30_000

/** A round costs about as much for one entry as for fifty: with a rest, single submissions share rounds. */
export const INTEGRATE_REST_MS = 50
export const PROJECT_REST_MS = 100
/** Whoever reviews does so in minutes. */
const FOLLOW_REST_MS = 300
/** Nobody waits for an entry to be found: many share a round. */
const EXPLORE_REST_MS = 500
/** An entry tells of all that a participant had evaluated since the one before. */
const EVALUATIONS_REST_MS = 5_000

/** Somebody looks at how far it is. */
const BULK_IDLE_MS = 500

/** All buckets of an audience are made anew when it has grown, not more often than this. */
const BUCKETS_REST_MS = 30_000

/** Told of what the log's loops did, after it is committed. */
export interface LogEvents {
  onCarried(carried: Carried): void
  /** There is a newer checkpoint to give out. */
  onPublished(): void
  /** Nothing is signed until a person has acted; undefined once it is again. */
  onHalted(reason: HaltReason | undefined): void
}

const loopOf =
  (log: Log) =>
  (name: string, idleMs: number, round: () => Promise<Found>, restMs = 0): Loop =>
    createLoop({ round, idleMs, restMs, onError: (error) => log.error({ name, error }, 'a loop failed') })

const found = (n: number, most: number): Found => (n >= most ? 'full' : n > 0)

/** Log after log: one that was closed does not grow, and the next follows once all of it is carried on. */
function projectAll({ pools, clock, logs, provenance, authority }: Core, onCarried: LogEvents['onCarried']) {
  const { categoryId } = rulesOf(authority)
  const directory = authority
  const projectors = logs.map(({ log_id: logId }) =>
    createProjector({ db: pools.projector, clock, logId, provenance, directory, categoryId, onCarried }),
  )
  return async (): Promise<Found> => {
    const [projector] = projectors
    const n = (await projector?.round()) ?? 0
    if (n > 0 || projectors.length === 1) return projector?.full() === true ? 'full' : n > 0
    projectors.shift()
    return true
  }
}

/** Whether the log is halted, as its signer finds it; told when that changes. */
export function haltOf(
  { signer, halts, clock }: Pick<Core, 'signer' | 'halts' | 'clock'>,
  onHalted: LogEvents['onHalted'],
) {
  let reason: HaltReason | undefined
  let known = false
  let contradicted: LogHalted | undefined
  const tell = (now: HaltReason | undefined): void => {
    if (now !== reason) onHalted(now)
    reason = now
  }
  const unlessContradicted = (): void => {
    if (contradicted !== undefined) throw contradicted
  }
  const watch = async (work: () => Promise<void>): Promise<void> => {
    try {
      unlessContradicted()
      await work()
      // It may have been found while the work was under way, which knew nothing of it.
      unlessContradicted()
      known = true
      tell(undefined)
    } catch (error) {
      known = false
      if (error instanceof LogHalted) tell(error.reason)
      throw error
    }
  }
  return {
    stands: () => reason !== undefined,
    /** Another history under our key was found; no look at the database undoes that, nor does a restart. */
    contradict(halt: LogHalted): void {
      contradicted = halt
      known = false
      tell(halt.reason)
      halts.keep(halt, clock())
    },
    watch,
    /** Nothing is indexed before the database was held against what was signed, nor after it failed to be. */
    checked: async (): Promise<void> => {
      if (!known) await watch(() => signer.check())
    },
  }
}

/** What was gathered in memory of requests, to entries. */
function flushesOf({ pools, clock, provenance, authority }: Core, log: Log) {
  const named = {
    refresh: () => authority.refresh(),
    slugOf: (participant: Uuid) => authority.slugOf(participant),
  }
  return {
    flusher: createFlusher({
      ...{ journal: provenance.journal, ...named },
      onLost: (participant, count) =>
        log.error({ participant, count }, 'the key is lost that said of whom these reads are'),
    }),
    evaluations: createEvaluationFlush({
      ...{ db: pools.app, ledger: pools.ledger, clock, recorder: provenance },
      ...named,
    }),
  }
}

/** From a committed change to the feed, each step its own loop; a commit wakes the first, and each the next. */
export function createLogLoops(core: Core, { onCarried, onPublished, onHalted }: LogEvents, log: Log) {
  const { pools, clock, provenance, authority, signer, config, logId } = core
  const loop = loopOf(log)
  const integrator = createIntegrator({ db: pools.integrator, logId, salt: provenance.salt })
  const sealer = createSealer({ db: pools.projector, provenance, directory: authority })
  const buckets = createBuckets({
    ...{ db: pools.projector, clock, directory: authority, random: (n: number) => randomBytes(n) },
    restMs: BUCKETS_REST_MS,
  })
  const { categorySlug } = rulesOf(authority)
  const expire = createExpiry({ db: pools.app, clock, provenance, categorySlug })

  const { flusher, evaluations } = flushesOf(core, log)
  const flushReads = async (): Promise<number> => {
    const n = await flusher.round()
    if (n > 0) provenance.wake()
    return n
  }

  const halt = haltOf(core, onHalted)
  /** What makes entries of itself waits while nothing is signed. */
  const unlessHalted = (work: () => Promise<number>) => async () => !halt.stands() && (await work()) > 0

  const publish = publishLoop(core, log, { onPublished, onContradiction: halt.contradict })
  const sign = loop(
    'sign',
    1_000,
    async () => {
      await halt.watch(async () => {
        if (await signer.round()) publish.wake()
      })
      return false
    },
    config.checkpointSeconds * 1_000,
  )
  const project = loop('project', 500, projectAll(core, onCarried), PROJECT_REST_MS)
  const follow = loop('follow', 500, followAll(core), FOLLOW_REST_MS)
  const explore = loop('explore', 1_000, exploreAll(core), EXPLORE_REST_MS)
  const integrate = loop(
    'integrate',
    250,
    async () => {
      await halt.checked()
      const n = await integrator.round()
      if (n > 0) {
        for (const one of [project, follow, explore, sign]) one.wake()
      }
      return found(n, INTEGRATED_AT_ONCE)
    },
    INTEGRATE_REST_MS,
  )
  return {
    integrate,
    sign,
    publish,
    project,
    follow,
    explore,
    ...reviewLoops(core, loop, unlessHalted),
    seal: loop('seal', 2_000, async () => (await sealer.round()) > 0),
    buckets: loop('buckets', 2_000, async () => (await buckets.round()) > 0),
    flush: loop('flush', 1_000, unlessHalted(flushReads), 1_000),
    evaluations: loop(
      'evaluations',
      EVALUATIONS_REST_MS,
      unlessHalted(async () => {
        const n = await evaluations.round()
        if (n > 0) provenance.wake()
        return n
      }),
      EVALUATIONS_REST_MS,
    ),
    expire: loop(
      'expire',
      60_000,
      unlessHalted(() => expireSignals(core, expire)),
    ),
  }
}

/** What becomes of cases by time alone. */
function reviewLoops(
  core: Core,
  loop: ReturnType<typeof loopOf>,
  unlessHalted: (work: () => Promise<number>) => () => Promise<boolean>,
) {
  const [releases, bulk, forgetting] = [releaseOf(core), bulkOf(core), forgetOf(core)]
  return {
    release: loop(
      'release',
      1_000,
      unlessHalted(() => releases.round()),
    ),
    bulk: loop(
      'bulk',
      BULK_IDLE_MS,
      unlessHalted(() => bulk.round()),
    ),
    forget: loop(
      'forget',
      HOUR_MS,
      unlessHalted(() => forgetting.round()),
    ),
  }
}

interface PublishEvents {
  onPublished(): void
  onContradiction(halt: LogHalted): void
}

/** From a signed checkpoint to the one that is given out; one that is withheld too long ages the loop as a failure would. */
function publishLoop(core: Core, log: Log, { onPublished, onContradiction }: PublishEvents): Loop {
  const { pools, clock, config, logId, origin, provenance, programme, policy, vkey, halts } = core
  const outages = createOutages({
    ...{ db: pools.signer, admin: pools.admin, ledger: pools.ledger, clock, recorder: provenance },
    ...{ programme: programme.programme_id, logId, origin, policy: policy?.text },
    onRecorded: () => provenance.wake(),
  })
  const publisher = createPublisher({
    ...{ db: pools.signer, ledger: pools.ledger, clock, logId, key: vkey, outages },
    ...{ policy: policy?.policy, degrade: config.witnessDegrade },
    contradicted: () => halts.kept()?.reason === 'contradicted',
    onLate: () => loop.wake(),
    onMissing: (witness, reason) => log.warn({ names: [witness], reason }, 'a witness is missing'),
    onContradiction: ({ reason, evidence }, witness) => {
      onContradiction(new LogHalted(reason, `the witness ${witness} holds another history`))
      if (evidence !== undefined) evidenceKept({ config, log })(evidence, witness)
    },
  })
  const loop = loopOf(log)('publish', 1_000, async () => {
    if (await publisher.round()) onPublished()
    return false
  })
  return {
    ...loop,
    age: () => Math.max(loop.age(), publisher.behind()),
    async stop() {
      await loop.stop()
      await publisher.close()
    },
  }
}

/** What belongs to the thread that answers requests. */
export const createNodeLoops = (
  parts: Parts,
  { known, segments, halted }: { known: KnownKeys; segments: SegmentFiles; halted(): boolean },
  log: Log,
) => {
  const { participants, keys, clock, handshakes, sightings, pools, provenance, authority, programme } = parts
  const loop = loopOf(log)
  const retirement = createKeyRetirement({
    ...{ admin: pools.admin, clock, keys, recorder: provenance, programme: programme.programme_id },
    participants: () => authority.participants(),
  })
  const rewrap = createValueRewrap({
    ...{ db: pools.app, admin: pools.admin, clock, keys, recorder: provenance, programme: programme.programme_id },
    participants: () => authority.participants(),
  })
  return {
    known: loop('known', 1_000, () => known.load(), KNOWN_REST_MS),
    audit: loop(
      'audit',
      5_000,
      async () => {
        // What keeps one from being written down does not keep the other.
        const flushed = await Promise.allSettled([handshakes.flush(), sightings.flush()])
        for (const one of flushed) if (one.status === 'rejected') throw one.reason
        return flushed.some((one) => one.status === 'fulfilled' && one.value > 0)
      },
      1_000,
    ),
    keys: loop('keys', HOUR_MS, async () => {
      await ensureEpochKeys(keys, clock())
      await rotateAccessKeys(keys, clock())
      await ensureValueKeys(keys, clock())
      if (halted()) return false
      // What keeps one from going on does not keep the other.
      const rounds = await Promise.allSettled([retirement.round(), rewrap.round()])
      if (rounds.some((one) => one.status === 'fulfilled' && one.value > 0)) provenance.wake()
      for (const one of rounds) if (one.status === 'rejected') throw one.reason
      return false
    }),
    scheduled: loop('scheduled', SCHEDULED_MS, async () => {
      if (halted()) return false
      const done = await participants.executeDue((id, { code }) =>
        log.warn({ names: [id], code }, 'a scheduled act was refused'),
      )
      if (done > 0) provenance.wake()
      return done > 0
    }),
    segments: loop('segments', SWEEP_MS, async () => {
      await sweepSegments(pools.projector, segments)
      return false
    }),
  }
}

async function expireSignals(
  { authority, provenance }: Core,
  expire: ReturnType<typeof createExpiry>,
): Promise<number> {
  let n = 0
  for (const { participant_id, slug } of authority.participants()) n += await expire(participant_id, slug)
  if (n > 0) provenance.wake()
  return n
}
