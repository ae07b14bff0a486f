import type { Growth } from './feeds/growth.ts'
import type { KnownKeys } from './feeds/known-keys.ts'
import { createProjector } from './feeds/project.ts'
import { createSealer } from './feeds/segment.ts'
import { createLoop, type Loop } from './jobs/loop.ts'
import type { Log } from './kernel/log.ts'
import { ensureEpochKeys, KID, LOG_ID, type Parts } from './parts.ts'
import { createIntegrator } from './provenance/integrate.ts'
import { createSigner } from './provenance/sign.ts'
import type { SignalService } from './signals/service.ts'

/** An unchanged log is signed again, so that the age of its checkpoint says that it lives. */
const REFRESH_MS = 3_600_000
const HOUR_MS = 3_600_000
/** Reading every key anew is work: another process that carries entries on must not make it endless. */
const KNOWN_REST_MS = 30_000

export interface LoopWiring {
  log: Log
  signals: SignalService
  growth: Growth
  known: KnownKeys
  onSigned(): Promise<void>
}

/** From a committed change to the feed, each step its own loop; a commit wakes the first, and each the next. */
export function createLoops(parts: Parts, { log, signals, growth, known, onSigned }: LoopWiring) {
  const { pools, clock, keys, origin, provenance, authority, config } = parts
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
  const projector = createProjector({
    ...{ db: pools.projector, clock, ...at },
    onCarried: ({ feeds, keys, from, to }) => {
      known.add(keys, from, to)
      growth.grew(feeds)
    },
  })
  const sealer = createSealer({ db: pools.projector, provenance, directory: authority })
  const loop = (name: string, idleMs: number, round: () => Promise<boolean>, restMs = 0): Loop =>
    createLoop({ round, idleMs, restMs, onError: (error) => log.error({ name, error }, 'a loop failed') })

  const sign = loop(
    'sign',
    1_000,
    async () => {
      if (await signer.round()) await onSigned()
      return false
    },
    config.checkpointSeconds * 1_000,
  )
  const project = loop('project', 500, async () => (await projector.round()) > 0)
  const integrate = loop('integrate', 250, async () => {
    const n = await integrator.round()
    if (n > 0) {
      project.wake()
      sign.wake()
    }
    return n > 0
  })
  return {
    integrate,
    sign,
    project,
    seal: loop('seal', 2_000, async () => (await sealer.round()) > 0),
    known: loop('known', 1_000, () => known.load(), KNOWN_REST_MS),
    flush: loop('flush', 1_000, async () => (await flushReads(parts)) > 0, 1_000),
    expire: loop('expire', 60_000, async () => (await expireSignals(parts, signals)) > 0),
    audit: loop('audit', 5_000, async () => (await parts.handshakes.flush()) > 0, 1_000),
    keys: loop('keys', HOUR_MS, async () => {
      await ensureEpochKeys(keys, clock())
      return false
    }),
  }
}

async function flushReads({ provenance, authority }: Parts): Promise<number> {
  let n = 0
  for (const participant of await provenance.journal.pending()) {
    n += await provenance.journal.flush(participant, authority.slugOf(participant))
  }
  if (n > 0) provenance.wake()
  return n
}

async function expireSignals({ authority, provenance }: Parts, signals: SignalService): Promise<number> {
  let n = 0
  for (const { participant_id, slug } of authority.participants()) n += await signals.expire(participant_id, slug)
  if (n > 0) provenance.wake()
  return n
}
