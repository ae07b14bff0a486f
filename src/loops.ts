import type { KnownKeys } from './feeds/known-keys.ts'
import { type Carried, createProjector, ENTRIES_AT_ONCE as PROJECTED_AT_ONCE } from './feeds/project.ts'
import { createSealer } from './feeds/segment.ts'
import { createLoop, type Found, type Loop } from './jobs/loop.ts'
import type { Log } from './kernel/log.ts'
import { type Core, ensureEpochKeys, KID, LOG_ID, type Parts } from './parts.ts'
import { createIntegrator, ENTRIES_AT_ONCE as INTEGRATED_AT_ONCE } from './provenance/integrate.ts'
import { createSigner } from './provenance/sign.ts'
import { createExpiry } from './signals/expire.ts'
import { rulesOf } from './signals/rules.ts'

/** An unchanged log is signed again, so that the age of its checkpoint says that it lives. */
const REFRESH_MS = 3_600_000
const HOUR_MS = 3_600_000
/** Reading every key anew is work: another process that carries entries on must not make it endless. */
const KNOWN_REST_MS = 30_000

/** A round costs about as much for one entry as for fifty: with a rest, single submissions share rounds. */
const INTEGRATE_REST_MS = 50
const PROJECT_REST_MS = 100

/** Told of what the log's loops did, after it is committed. */
export interface LogEvents {
  onCarried(carried: Carried): void
  onSigned(): void
}

const loopOf =
  (log: Log) =>
  (name: string, idleMs: number, round: () => Promise<Found>, restMs = 0): Loop =>
    createLoop({ round, idleMs, restMs, onError: (error) => log.error({ name, error }, 'a loop failed') })

const found = (n: number, most: number): Found => (n >= most ? 'full' : n > 0)

/** From a committed change to the feed, each step its own loop; a commit wakes the first, and each the next. */
export function createLogLoops(core: Core, { onCarried, onSigned }: LogEvents, log: Log) {
  const { pools, clock, keys, origin, provenance, authority, config } = core
  const loop = loopOf(log)
  const at = { logId: LOG_ID, provenance, directory: authority }
  const integrator = createIntegrator({ db: pools.integrator, logId: LOG_ID, salt: provenance.salt })
  const signer = createSigner({
    db: pools.signer,
    clock,
    keys,
    logId: LOG_ID,
    origin,
    kid: KID.log,
    refreshMs: REFRESH_MS,
  })
  const projector = createProjector({ db: pools.projector, clock, ...at, onCarried })
  const sealer = createSealer({ db: pools.projector, provenance, directory: authority })
  const { categorySlug } = rulesOf(authority)
  const expire = createExpiry({ db: pools.app, clock, provenance, categorySlug })

  const sign = loop(
    'sign',
    1_000,
    async () => {
      if (await signer.round()) onSigned()
      return false
    },
    config.checkpointSeconds * 1_000,
  )
  const project = loop('project', 500, async () => found(await projector.round(), PROJECTED_AT_ONCE), PROJECT_REST_MS)
  const integrate = loop(
    'integrate',
    250,
    async () => {
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
    project,
    seal: loop('seal', 2_000, async () => (await sealer.round()) > 0),
    flush: loop('flush', 1_000, async () => (await flushReads(core)) > 0, 1_000),
    expire: loop('expire', 60_000, async () => (await expireSignals(core, expire)) > 0),
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

async function flushReads({ provenance, authority }: Core): Promise<number> {
  let n = 0
  const pending = await provenance.journal.pending()
  if (pending.length > 0) await authority.refresh()
  for (const participant of pending) n += await provenance.journal.flush(participant, authority.slugOf(participant))
  if (n > 0) provenance.wake()
  return n
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
