import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { type Background, backgroundHere, type StartBackground } from './background.ts'
import { atControl } from './db/as-participant.ts'
import { poolState } from './db/connect.ts'
import { createGrowth } from './feeds/growth.ts'
import { createKnownKeys } from './feeds/known-keys.ts'
import { createSegmentFiles } from './feeds/segment-files.ts'
import { createFeedService, type FeedService } from './feeds/service.ts'
import { LIMITS } from './http/limits.ts'
import { createMetrics, type Metrics } from './http/metrics.ts'
import { createOps } from './http/ops.ts'
import type { ShutdownParts } from './http/shutdown.ts'
import { createTokenBuckets } from './http/token-bucket.ts'
import { createPatternChecker } from './jobs/pattern-check.ts'
import { toBase64Url } from './kernel/bytes.ts'
import { newId, type Uuid } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import { createListeners, type Listeners, type Measuring } from './listeners.ts'
import { createNodeLoops } from './loops.ts'
import type { PatternChecker } from './matching/pattern.ts'
import { createEvaluationService, type EvaluationService } from './matching/service.ts'
import { createHitCounts, HIGH_USE, type HitCounts } from './matching/unusual.ts'
import { createNodeAlarms, type NodeAlarmOptions, type NodeAlarms } from './operations/node-alarms.ts'
import { tellRestored } from './operations/tell-restored.ts'
import { hashKeyId } from './participants/hash-profile.ts'
import { anchorOf, type Base, KID, logKid, openParts, type Parts } from './parts.ts'
import { HALTS, type HaltReason, LogHalted } from './provenance/anchor.ts'
import { createAuditLog } from './provenance/auditor.ts'
import { createLedger, type Ledger } from './provenance/ledger.ts'
import { joinLedgers, type Ledgers } from './provenance/ledgers.ts'
import { createReviewing } from './reviewing.ts'
import { countersign } from './signals/countersignature.ts'
import { rulesOf } from './signals/rules.ts'
import { createSignalService, type SignalService } from './signals/service.ts'

export interface Addresses {
  partner: string
  enrol: string
  ops: string
}

export interface Node {
  readonly parts: Parts
  /** Begins to serve; answers where. */
  listen(): Promise<Addresses>
  /** In the order in which they end. */
  readonly shutdown: ShutdownParts
}

export interface NodeOptions {
  measuring?: Measuring
  /** Where the log's loops run; in this thread unless said otherwise. */
  startBackground?: StartBackground
}

/** How long the log may fail to be written or signed before the node stops taking what must be logged. */
const LOG_BEHIND_MS = 30_000

/** The node: its parts, services, loops and listeners, wired once. `base` is closed by its shutdown. */
export async function createNode(
  base: Base,
  log: Log,
  { measuring = {}, startBackground = backgroundHere }: NodeOptions = {},
): Promise<Node> {
  const { config, clock, keys, pools } = base
  const late: { background?: Background } = {}
  const halting = haltingOf(log)
  const healthy = (): boolean => (late.background?.age() ?? 0) < LOG_BEHIND_MS
  const parts = await openParts(base, { onWake: () => late.background?.wake(), healthy, halted: halting.reason, log })
  const { provenance, authority } = parts
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
  const feeds = createFeedService({
    ...{ db: pools.app, clock, provenance, directory: authority, growth, known, segments },
    cursorKey: keys.mac(KID.cursor, Buffer.from('feed-cursor')),
    deltaKey: { kid: parts.receiptKid, sign: (data) => keys.sign(KID.receipt, data) },
    onPage: metrics.feedPage,
    onLookup: (...looked) => countLookUp({ metrics, hits, clock }, ...looked),
    timeoutMs: LIMITS.sql_lookup_ms,
  })
  const evaluations = evaluationsOf(parts)
  const { feedback, review } = createReviewing(parts, parts.receiptKid)
  const ledgers = ledgersOf(parts, feeds)
  const ledger = presentOf(ledgers, parts.logId)
  const head = await headOf(ledger, log)
  const halted = () => halting.reason() !== undefined
  const watch = await alarmsOf(parts, { log, ledger, healthy, halted, evaluations, hits })
  const loops = [...Object.values(createNodeLoops(parts, { known, segments }, log)), watch.loop]
  const listeners = await createListeners(
    parts,
    { log, metrics, head, feeds, signals, evaluations, feedback, review, ledgers },
    measuring,
  )
  const background = startBackground(
    parts,
    {
      onCarried: ({ feeds, keys, from, to }) => {
        known.add(keys, from, to)
        growth.grew(feeds)
      },
      onHalted: halting.tell,
      onPublished: head.refresh,
    },
    log,
  )
  late.background = background
  const ops = createOps({
    ...{ host: config.opsHost, port: config.opsPort },
    livez: () => true,
    ready: async () => readiness(parts, healthy() && halting.reason() === undefined),
    metrics: () => metrics.text(),
  })

  return {
    parts,
    listen: async () => {
      authority.start()
      await replayErasures(parts, log)
      // Look-ups that go to the database for every key would slow each other down, and this down: rather first. If it fails,
      // its loop does it again.
      await known.load().catch((error: unknown) => log.warn({ error }, 'the shared keys were not read yet'))
      for (const loop of loops) loop.start()
      await halting.check(parts)
      await background.start()
      if (halting.reason() === undefined) await recordStart(parts)
      return openDoors(config, { ...listeners, ops })
    },
    shutdown: {
      drain: () => ops.drain(),
      listeners: [listeners.partner, listeners.enrol],
      loops: [
        () => authority.stop(),
        ...[...loops, background].map((loop) => () => loop.stop()),
        // The listeners hand over the last minute when they close.
        () => parts.handshakes.flush(),
        () => segments.close(),
        () => patterns.close(),
        () => watch.close(),
      ],
      pools: [],
      last: [() => ops.close(), () => base.close()],
    },
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
  { partner, enrol, ops }: Listeners & { ops: ReturnType<typeof createOps> },
): Promise<Addresses> {
  await partner.listen({ host: config.partnerHost, port: config.partnerPort })
  await enrol.listen({ host: config.enrolHost, port: config.enrolPort })
  const port = await ops.listen()
  return {
    partner: `https://${config.publicHost}:${portOf(partner)}`,
    enrol: `https://${config.publicHost}:${portOf(enrol)}`,
    ops: `http://${config.opsHost}:${port}`,
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

function evaluationsOf({ pools, clock, keys, oprf, provenance, authority }: Parts): EvaluationService {
  const burst = LIMITS.oprf_elements_burst
  return createEvaluationService({
    ...{ db: pools.app, ledger: pools.ledger, clock, keys, pool: oprf, provenance, authority },
    mayAsk: createTokenBuckets(clock, { perSecond: burst / 60, burst }),
    keyId: hashKeyId,
  })
}

function signalsOf(parts: Parts, rules: ReturnType<typeof rulesOf>, patterns: PatternChecker): SignalService {
  const { pools, clock, provenance, programme, authority, keys } = parts
  const { slug, node_origin } = programme
  return createSignalService({
    ...{ db: pools.app, clock, provenance, rules, patterns, timeoutMs: LIMITS.sql_submit_ms },
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

async function recordStart(parts: Parts): Promise<void> {
  const { provenance, pools, programme, clock } = parts
  const at = clock()
  await atControl(pools.admin, (tx) =>
    provenance.record(tx, {
      ...{ kind: 'node.started', event_id: newId(at), participant_id: programme.programme_id, at },
      fields: { version: process.env['npm_package_version'] ?? '0.1.0' },
    }),
  )
  await tellRestored(parts)
  provenance.wake()
}

async function logState({ provenance, pools, clock }: Parts, ledger: Ledger) {
  const state = await provenance.state(pools.integrator)
  const latest = await ledger.checkpoint()
  const checkpointAge = latest === undefined ? 0 : (clock().getTime() - latest.at.getTime()) / 1_000
  return { ...state, signed: latest?.size ?? 0n, checkpointAge, ...(await publicationState(ledger, clock())) }
}

async function publicationState(ledger: Ledger, now: Date) {
  const states = await ledger.witnesses()
  const answering = states.filter((one) => one.cosigned_at !== undefined && one.missing_since === undefined).length
  return { unpublished: await ledger.unpublished(now), witnesses: { wanted: states.length, answering } }
}

function countLookUp(
  { metrics, hits, clock }: { metrics: Metrics; hits: HitCounts } & Pick<Parts, 'clock'>,
  ...[keys, matches, by]: [keys: number, matches: number, by?: Uuid]
): void {
  metrics.lookup(keys, matches)
  if (by !== undefined) hits.looked(by, keys, matches, clock())
}

interface Watched extends Pick<NodeAlarmOptions, 'log' | 'healthy' | 'halted'> {
  ledger: Ledger
  evaluations: Pick<EvaluationService, 'used'>
  hits: HitCounts
}

async function alarmsOf(parts: Parts, { ledger, evaluations, hits, ...watched }: Watched): Promise<NodeAlarms> {
  const { config, clock, programme, logId, rootCertificate } = parts
  const { chain } = await parts.certificate()
  return createNodeAlarms({
    ...{ settings: config, clock, node: programme.node_origin, ...watched },
    published: () => publicationState(ledger, clock()),
    readAnchor: () => anchorOf(config, logId).read(),
    unusual: {
      evaluations: async () => (await evaluations.used()).some(({ part }) => part >= HIGH_USE),
      lookUps: () => hits.guessing(clock()).length > 0,
    },
    certificates: `${chain}\n${rootCertificate}`,
  })
}

const poolsOf = ({ pools }: Parts) =>
  Object.fromEntries(Object.entries(pools).map(([name, db]) => [name, poolState(db)]))

async function readiness({ pools, authority }: Parts, log: boolean) {
  const database = await pools.app
    .selectFrom('authority_epoch')
    .select('epoch')
    .executeTakeFirst()
    .then(
      () => true,
      () => false,
    )
  const checks = { database, log, authority: authority.age() < LIMITS.authority_age_seconds * 1_000 }
  return { ok: Object.values(checks).every((check) => check), checks }
}

const portOf = ({ server }: FastifyInstance): number => (server.address() as AddressInfo).port
