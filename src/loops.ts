import { join } from 'node:path'
import { keepEvidence } from './client/evidence-file.ts'
import type { KnownKeys } from './feeds/known-keys.ts'
import { type Carried, createProjector, ENTRIES_AT_ONCE as PROJECTED_AT_ONCE } from './feeds/project.ts'
import { createSealer } from './feeds/segment.ts'
import { createLoop, type Found, type Loop } from './jobs/loop.ts'
import type { Log } from './kernel/log.ts'
import { type Core, ensureEpochKeys, type Parts } from './parts.ts'
import { type HaltReason, LogHalted } from './provenance/anchor.ts'
import { createFlusher } from './provenance/flush.ts'
import { createIntegrator, ENTRIES_AT_ONCE as INTEGRATED_AT_ONCE } from './provenance/integrate.ts'
import { createOutages } from './provenance/outage.ts'
import { createPublisher } from './provenance/publish.ts'
import type { Signer } from './provenance/sign.ts'
import { createExpiry } from './signals/expire.ts'
import { rulesOf } from './signals/rules.ts'

const HOUR_MS = 3_600_000
/** Reading every key anew is work: another process that carries entries on must not make it endless. */
const KNOWN_REST_MS = 30_000

/** A round costs about as much for one entry as for fifty: with a rest, single submissions share rounds. */
const INTEGRATE_REST_MS = 50
const PROJECT_REST_MS = 100

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
  const projectors = logs.map(({ log_id }) =>
    createProjector({ db: pools.projector, clock, logId: log_id, provenance, directory: authority, onCarried }),
  )
  return async (): Promise<Found> => {
    const n = (await projectors[0]?.round()) ?? 0
    if (n > 0 || projectors.length === 1) return found(n, PROJECTED_AT_ONCE)
    projectors.shift()
    return true
  }
}

/** Whether the log is halted, as its signer finds it; told when that changes. */
function haltOf(signer: Pick<Signer, 'check'>, onHalted: LogEvents['onHalted']) {
  let reason: HaltReason | undefined
  let known = false
  let contradicted = false
  const tell = (now: HaltReason | undefined): void => {
    if (now !== reason) onHalted(now)
    reason = now
  }
  const watch = async (work: () => Promise<void>): Promise<void> => {
    try {
      if (contradicted) throw new LogHalted('contradicted', 'a witness holds another history')
      await work()
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
    /** Another history under our key was found; no look at the database undoes that. */
    contradict(): void {
      contradicted = true
      known = false
      tell('contradicted')
    },
    watch,
    /** Nothing is indexed before the database was held against what was signed, nor after it failed to be. */
    checked: async (): Promise<void> => {
      if (!known) await watch(() => signer.check())
    },
  }
}

/** From a committed change to the feed, each step its own loop; a commit wakes the first, and each the next. */
export function createLogLoops(core: Core, { onCarried, onPublished, onHalted }: LogEvents, log: Log) {
  const { pools, clock, provenance, authority, signer, config, logId } = core
  const loop = loopOf(log)
  const integrator = createIntegrator({ db: pools.integrator, logId, salt: provenance.salt })
  const sealer = createSealer({ db: pools.projector, provenance, directory: authority })
  const { categorySlug } = rulesOf(authority)
  const expire = createExpiry({ db: pools.app, clock, provenance, categorySlug })

  const flusher = createFlusher({
    journal: provenance.journal,
    refresh: () => authority.refresh(),
    slugOf: (participant) => authority.slugOf(participant),
  })
  const flushReads = async (): Promise<number> => {
    const n = await flusher.round()
    if (n > 0) provenance.wake()
    return n
  }

  const halt = haltOf(signer, onHalted)
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
  const integrate = loop(
    'integrate',
    250,
    async () => {
      await halt.checked()
      const n = await integrator.round()
      if (n > 0) {
        project.wake()
        sign.wake()
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
    seal: loop('seal', 2_000, async () => (await sealer.round()) > 0),
    flush: loop('flush', 1_000, unlessHalted(flushReads), 1_000),
    expire: loop(
      'expire',
      60_000,
      unlessHalted(() => expireSignals(core, expire)),
    ),
  }
}

interface PublishEvents {
  onPublished(): void
  onContradiction(): void
}

/** From a signed checkpoint to the one that is given out; one that is withheld too long ages the loop as a failure would. */
function publishLoop(core: Core, log: Log, { onPublished, onContradiction }: PublishEvents): Loop {
  const { pools, clock, config, logId, origin, provenance, programme, policy, vkey } = core
  const outages = createOutages({
    ...{ db: pools.signer, admin: pools.admin, ledger: pools.ledger, clock, recorder: provenance },
    ...{ programme: programme.programme_id, logId, origin, policy: policy?.text },
    onRecorded: () => provenance.wake(),
  })
  const publisher = createPublisher({
    ...{ db: pools.signer, ledger: pools.ledger, clock, logId, key: vkey, outages },
    ...{ policy: policy?.policy, degrade: config.witnessDegrade },
    onLate: () => loop.wake(),
    onMissing: (witness, reason) => log.warn({ names: [witness], reason }, 'a witness is missing'),
    onContradiction: (evidence, witness) => {
      const dir = keepEvidence(join(config.dataDir, 'evidence'), evidence)
      log.error({ names: [witness], dir }, 'a witness holds a checkpoint under our key that contradicts the log')
      onContradiction()
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
export const createNodeLoops = ({ keys, clock, handshakes }: Parts, known: KnownKeys, log: Log) => {
  const loop = loopOf(log)
  return {
    known: loop('known', 1_000, () => known.load(), KNOWN_REST_MS),
    audit: loop('audit', 5_000, async () => (await handshakes.flush()) > 0, 1_000),
    keys: loop('keys', HOUR_MS, async () => {
      await ensureEpochKeys(keys, clock())
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
