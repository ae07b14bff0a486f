import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { type Background, backgroundHere, type StartBackground } from './background.ts'
import { type Base, KID, logKid } from './core.ts'
import { atControl } from './db/as-participant.ts'
import { createGrowth } from './feeds/growth.ts'
import { createKnownKeys } from './feeds/known-keys.ts'
import { createSegmentFiles } from './feeds/segment-files.ts'
import { createFeedService, type FeedService } from './feeds/service.ts'
import { VERSION } from './http/about.ts'
import { LIMITS } from './http/limits.ts'
import { createMetrics, type Metrics } from './http/metrics.ts'
import { createOps } from './http/ops.ts'
import type { ShutdownParts } from './http/shutdown.ts'
import { createTokenBuckets } from './http/token-bucket.ts'
import { createTaxiiFeeds } from './interop/taxii/service.ts'
import { createPatternChecker } from './jobs/pattern-check.ts'
import { toBase64Url } from './kernel/bytes.ts'
import { newId } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import { createListeners, type Listeners, type Measuring } from './listeners.ts'
import { createNodeLoops } from './loops.ts'
import type { PatternChecker } from './matching/pattern.ts'
import { createEvaluationService, type EvaluationService } from './matching/service.ts'
import { createHitCounts } from './matching/unusual.ts'
import { createMetering } from './metering.ts'
import { createNotifying } from './notifying.ts'
import { tellRestored } from './operations/tell-restored.ts'
import { createOverseeing } from './overseeing.ts'
import { hashKeyId } from './participants/hash-profile.ts'
import { openParts, type Parts } from './parts.ts'
import { HALTS, type HaltReason, LogHalted } from './provenance/anchor.ts'
import { createAuditLog } from './provenance/auditor.ts'
import { createLedger, type Ledger } from './provenance/ledger.ts'
import { joinLedgers, type Ledgers } from './provenance/ledgers.ts'
import { createReviewing } from './reviewing.ts'
import { countersign } from './signals/countersignature.ts'
import { rulesOf } from './signals/rules.ts'
import { createSignalService, type SignalService } from './signals/service.ts'
import { createUploading } from './uploading.ts'
import { alarmsOf, countLookUps, logState, poolsOf, readiness } from './watching.ts'

export interface Addresses {
  partner: string
  enrol: string
  ops: string
  /** For people; absent where there is no console. */
  console?: string
}

export interface Node {
  readonly parts: Parts
  /** Begins to serve; answers where. */
  listen(): Promise<Addresses>
  /** Of the demonstration's identity provider; undefined without one. */
  issuer(): string | undefined
  /** In the order in which they end. */
  readonly shutdown: ShutdownParts
}

export interface NodeOptions {
  measuring?: Measuring
  /** Where the log's loops run; in this thread unless said otherwise. */
  startBackground?: StartBackground
  /** The clock of `base` is driven on and is not the time. The log says so of itself; no setting leads here. */
  driven?: boolean
}

/** How long the log may fail to be written or signed before the node stops taking what must be logged. */
const LOG_BEHIND_MS = 30_000

/** The node: its parts, services, loops and listeners, wired once. `base` is closed by its shutdown. */
export async function createNode(
  base: Base,
  log: Log,
  { measuring = {}, startBackground = backgroundHere, driven = false }: NodeOptions = {},
): Promise<Node> {
  const { config, clock, pools } = base
  const late: { background?: Background } = {}
  const halting = haltingOf(log)
  const halted = (): boolean => halting.reason() !== undefined
  const { healthy, following } = healthOf(late)
  const told = { healthy, following, halted: halting.reason, log }
  const parts = await openParts(base, { onWake: () => late.background?.wake(), ...told })
  const { authority } = parts
  const growth = createGrowth()
  const hits = createHitCounts()
  const segments = createSegmentFiles({
    ...{ dir: join(config.dataDir, 'segments'), maxBytes: LIMITS.segment_files_bytes },
    onError: (error) => log.warn({ error }, 'a segment was not kept as a file'),
  })
  const known = createKnownKeys({ db: pools.projector, logId: parts.logId })
  const rules = rulesOf(authority)
  const patterns = createPatternChecker()
  const metrics = createMetrics({
    ...{ log: () => logState(parts, ledger), pools: () => poolsOf(parts), alarms: () => watch.alarms.states() },
  })
  const signals = measuredSignals(signalsOf(parts, rules, patterns), metrics)
  const uploading = createUploading(parts, signals, log)
  const onLookUps = countLookUps({ metrics, hits, clock, sightings: parts.sightings })
  const kept = { growth, known, segments, values: signals.values }
  const feeds = feedsOf(parts, kept, { onPage: metrics.feedPage, onLookUps })
  const evaluations = evaluationsOf(parts)
  const { feedback, review } = createReviewing(parts, parts.receiptKid)
  const notifying = createNotifying(parts, { feedback, review, feeds }, log)
  const metering = createMetering(parts, log)
  const ledgers = ledgersOf(parts, feeds)
  const ledger = presentOf(ledgers, parts.logId)
  const head = await headOf(ledger, log)
  const overseeing = createOverseeing(parts, ledger, log, halted)
  const watched = { log, ledger, healthy, following, halted, evaluations, hits }
  const watch = await alarmsOf(parts, { ...watched, purgeFailing: () => overseeing.retention.run()?.failed === true })
  const loops = [
    ...Object.values(createNodeLoops(parts, { known, segments, halted }, log)),
    ...[...notifying.loops, ...overseeing.loops, watch.loop, uploading.loop, metering.loop],
  ]
  const sandbox = config.sandbox === 'on' ? (await import('./sandboxing.ts')).createSandbox(parts) : undefined
  const listeners = await createListeners(
    parts,
    {
      ...{ log, metrics, head, feeds, signals, uploads: uploading.uploads, evaluations, feedback, review },
      ...{ ledgers, notifying, overseeing, requestLog: metering.requestLog },
      ...{ taxii: taxiiOf(parts, feeds, metrics), halted: halting.reason, sandbox },
    },
    measuring,
  )
  const background = startBackground(
    parts,
    {
      onCarried: carriedTo(known, growth, notifying.grew),
      onHalted: halting.tell,
      onPublished: head.refresh,
    },
    log,
  )
  late.background = background
  const ops = opsOf(config, metrics, async () => readiness(parts, healthy() && !halted()))

  return {
    parts,
    listen: async () => {
      authority.start()
      await replayErasures(parts, log)
      // Look-ups that go to the database for every key would slow each other down, and this down: rather first. If it fails,
      // its loop does it again.
      await known.load().catch((error: unknown) => log.warn({ error }, 'the shared keys were not read yet'))
      // Before the loops: what makes entries of itself must know.
      await halting.check(parts)
      for (const loop of loops) loop.start()
      await background.start()
      if (!halted()) await recordStart(parts, driven)
      const addresses = await openDoors(config, { ...listeners, ops })
      sandbox?.open(addresses)
      return addresses
    },
    issuer: () => listeners.people?.issuer(),
    shutdown: shutdownOf(parts, {
      ...{ listeners, ops, base, loops: [...loops, background] },
      closed: [() => segments.close(), () => patterns.close(), () => watch.close(), () => sandbox?.close()],
    }),
  }
}

/** Whether the log's loops go round: what must be logged is taken, and look-ups are of what stands now. */
const healthOf = (late: { background?: Background }) => ({
  healthy: (): boolean => (late.background?.age() ?? 0) < LOG_BEHIND_MS,
  following: (): boolean => (late.background?.projectAge() ?? 0) < LIMITS.lookups_behind_seconds * 1_000,
})

interface Ending {
  listeners: Listeners
  ops: ReturnType<typeof createOps>
  base: Base
  loops: readonly Pick<Background, 'stop'>[]
  /** What runs beside the loops. */
  closed: ShutdownParts['loops']
}

/** What ends, in its order. */
function shutdownOf(
  { authority, handshakes, sightings }: Parts,
  { listeners, ops, base, loops, closed }: Ending,
): ShutdownParts {
  const { partner, enrol, people } = listeners
  return {
    drain: () => ops.drain(),
    listeners: [partner, enrol, ...(people === undefined ? [] : [people.app])],
    loops: [
      () => authority.stop(),
      ...loops.map((loop) => () => loop.stop()),
      // The listeners hand over the last minute when they close.
      () => handshakes.flush(),
      () => sightings.flush(),
      ...closed,
      async () => people?.close(),
    ],
    pools: [],
    last: [() => ops.close(), () => base.close()],
  }
}

/** A database that was put back holds what was erased since: it goes before anybody is answered. */
async function replayErasures({ erasures }: Parts, log: Log): Promise<void> {
  const count = await erasures.replay()
  if (count > 0) log.warn({ count }, 'erasures were carried out again: the database was an older one')
}

/** Why the log is halted, as this process last heard. */
function haltingOf(log: Log) {
  let reason: HaltReason | undefined
  return {
    reason: () => reason,
    tell(now: HaltReason | undefined): void {
      reason = now
      if (now !== undefined) log.error({ reason: now }, `the log is halted: ${HALTS[now]}`)
      else log.info({}, 'the log is no longer halted')
    },
    /** Before anybody is let in: the tree is served on, and whoever looks is told why nothing else is. */
    async check({ signer }: Parts): Promise<void> {
      await signer.check().catch((error: unknown) => {
        if (!(error instanceof LogHalted)) throw error
        this.tell(error.reason)
      })
    },
  }
}

async function openDoors(
  config: Base['config'],
  { partner, enrol, people, ops }: Listeners & { ops: ReturnType<typeof createOps> },
): Promise<Addresses> {
  await partner.listen({ host: config.partnerHost, port: config.partnerPort })
  await enrol.listen({ host: config.enrolHost, port: config.enrolPort })
  const port = await ops.listen()
  const visited = await people?.open()
  return {
    partner: `https://${config.publicHost}:${portOf(partner)}`,
    enrol: `https://${config.publicHost}:${portOf(enrol)}`,
    ops: `http://${config.opsHost}:${port}`,
    ...(visited !== undefined && { console: visited }),
  }
}

/** Every log that the node has had, each under its own key; witnesses are asked for the present one alone. */
function ledgersOf(
  { logs, logId, pools, keys, clock, provenance, policy, programme, erasures }: Parts,
  feeds: FeedService,
): Ledgers {
  const each = logs.map(({ log_id, origin }): [number, Ledger] => [
    log_id,
    createLedger({
      ...{ db: pools.ledger, keys, journal: provenance.journal, logId: log_id, origin, kid: logKid(log_id) },
      programme: programme.programme_id,
      auditing: createAuditLog({ app: pools.app, clock, provenance }),
      isRecipient: async (participant, event_id) =>
        (await feeds.received(participant, event_id)) || (await erasures.isAsked(participant, event_id)),
      ...{ shared: feeds.shared, itemProofsWaiting: LIMITS.item_proofs_waiting },
      ...{ closed: log_id !== logId, policy: log_id === logId ? policy : undefined },
    }),
  ])
  return joinLedgers(new Map(each))
}

function presentOf(ledgers: Ledgers, logId: number): Ledger {
  const ledger = ledgers.get(logId)
  if (ledger === undefined) throw new Error('the present log is not served')
  return ledger
}

type FeedParts = Parameters<typeof createFeedService>[0]

function feedsOf(
  { pools, clock, keys, provenance, authority, receiptKid }: Parts,
  kept: Pick<FeedParts, 'growth' | 'known' | 'segments' | 'values'>,
  told: Pick<FeedParts, 'onPage' | 'onLookUps'>,
): FeedService {
  return createFeedService({
    ...{ db: pools.app, ledger: pools.ledger, clock, provenance, directory: authority, ...kept, ...told },
    cursorKey: keys.mac(KID.cursor, Buffer.from('feed-cursor')),
    deltaKey: { kid: receiptKid, sign: (data) => keys.sign(KID.receipt, data) },
    timeoutMs: LIMITS.sql_lookup_ms,
  })
}

const opsOf = (
  { opsHost, opsPort }: Base['config'],
  metrics: Metrics,
  ready: Parameters<typeof createOps>[0]['ready'],
) => createOps({ host: opsHost, port: opsPort, livez: () => true, ready, metrics: () => metrics.text() })

/** What came into feeds is found at once by those who look up, or wait. */
const carriedTo =
  (
    known: FeedParts['known'],
    growth: FeedParts['growth'],
    tell: () => void,
  ): Parameters<StartBackground>[1]['onCarried'] =>
  ({ feeds, keys, from, to }) => {
    known.add(keys, from, to)
    growth.grew(feeds)
    if (feeds.length > 0) tell()
  }

/** The feeds as TAXII collections. */
const taxiiOf = ({ programme, authority, keys }: Parts, feeds: FeedService, metrics: Metrics) => ({
  taxii: createTaxiiFeeds({
    ...{ feeds, programme: programme.slug, suiteOf: (kid) => authority.hashProfile(kid)?.suite },
    onWithheld: (why) => metrics.withheld('taxii', why),
  }),
  cursorKey: keys.mac(KID.cursor, Buffer.from('taxii-cursor')),
})

function evaluationsOf({ pools, clock, keys, oprf, provenance, authority }: Parts): EvaluationService {
  const burst = LIMITS.oprf_elements_burst
  const take = createTokenBuckets(clock, { perSecond: burst / 60, burst })
  return createEvaluationService({
    ...{ db: pools.app, ledger: pools.ledger, clock, keys, pool: oprf, provenance, authority },
    bursts: { take, left: take.left, limit: burst },
    keyId: hashKeyId,
  })
}

function signalsOf(parts: Parts, rules: ReturnType<typeof rulesOf>, patterns: PatternChecker): SignalService {
  const { pools, clock, provenance, programme, authority, keys } = parts
  const { slug, node_origin } = programme
  return createSignalService({
    ...{ db: pools.app, clock, keys, provenance, rules, patterns, timeoutMs: LIMITS.sql_submit_ms },
    categoryId: rules.categoryId,
    categorySlug: rules.categorySlug,
    verifyContext: ({ participant, uri }) => ({
      ...{ iss: uri, aud: node_origin, prg: slug, now: clock() },
      findKey: (kid) => authority.signingKey(participant, kid),
    }),
    countersign: (input) =>
      countersign(input, { kid: parts.receiptKid, iss: node_origin, sign: (data) => keys.sign(KID.receipt, data) }),
  })
}

/** Counts what becomes of submissions and their items. */
function measuredSignals(signals: SignalService, metrics: Metrics): SignalService {
  return {
    ...signals,
    submit: async (by, submission, upload) => {
      const result = await signals.submit(by, submission, upload).catch((error: unknown) => {
        metrics.submission('refused')
        throw error
      })
      metrics.submission(result.submission === null ? 'refused' : 'stored')
      metrics.signals('accepted', result.accepted)
      for (const { code } of result.results) if (code !== undefined) metrics.signals(code)
      return result
    },
  }
}

/** The newest head, as it was last read. */
async function headOf(ledger: Ledger, log: Log) {
  const head = {
    line: await headLine(ledger),
    refresh(): void {
      headLine(ledger).then(
        (line) => {
          head.line = line
        },
        (error: unknown) => log.error({ error }, 'the new head could not be read'),
      )
    },
  }
  return head
}

/** What `Provenance-Checkpoint` says on every answer: clients hold it against the head that they keep. */
async function headLine(ledger: Ledger): Promise<string | undefined> {
  const latest = await ledger.checkpoint()
  return latest === undefined ? undefined : `${latest.size} ${toBase64Url(latest.root)}`
}

async function recordStart(parts: Parts, driven: boolean): Promise<void> {
  const { provenance, pools, programme, clock } = parts
  const at = clock()
  await atControl(pools.admin, (tx) =>
    provenance.record(tx, {
      ...{ kind: 'node.started', event_id: newId(at), participant_id: programme.programme_id, at },
      fields: { version: VERSION, ...(driven && { clock: 'driven' }) },
    }),
  )
  await tellRestored(parts)
  provenance.wake()
}

const portOf = ({ server }: FastifyInstance): number => (server.address() as AddressInfo).port
