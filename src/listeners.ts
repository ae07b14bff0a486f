import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { accessRoutes, narrowByToken } from './access/routes.ts'
import { createAccess } from './access/service.ts'
import type { ConsoleListener, createConsoleListener } from './console.ts'
import { KID } from './core.ts'
import { poolState } from './db/connect.ts'
import { feedbackRoutes } from './feedback/routes.ts'
import type { FeedbackService } from './feedback/service.ts'
import { auditedAcks, auditedFeeds, auditedLookups } from './feeds/audited.ts'
import { createEventStreams } from './feeds/event-stream.ts'
import { feedRoutes } from './feeds/routes.ts'
import type { FeedService } from './feeds/service.ts'
import { governanceRoutes } from './governance/routes.ts'
import { explorerOf, governanceOf } from './governing.ts'
import { aboutRoutes } from './http/about.ts'
import { guardHandshakes, keepTime, secureServerOf } from './http/handshake-guard.ts'
import { createHandshakeRefusals, type HandshakeRefusal, type HandshakeRefusalSink } from './http/handshake-refusals.ts'
import { keepAnswers } from './http/idempotency.ts'
import { createIdempotencyKeys } from './http/idempotency-keys.ts'
import { createInstance, type Finished, type InstanceOptions, requireScopes } from './http/instance.ts'
import { LIMITS } from './http/limits.ts'
import type { Metrics } from './http/metrics.ts'
import { createMtls, type MtlsLimits } from './http/mtls.ts'
import { shedLoad } from './http/pressure.ts'
import { createRequestCounts, limitRequests, type RequestCounts } from './http/rate.ts'
import type { Rate } from './http/token-bucket.ts'
import { type TaxiiRoutesOptions, taxiiRoutes } from './interop/taxii/routes.ts'
import { systemClock } from './kernel/clock.ts'
import type { Log } from './kernel/log.ts'
import { evaluationRoutes } from './matching/routes.ts'
import type { EvaluationService } from './matching/service.ts'
import type { Notifying } from './notifying.ts'
import type { Overseeing } from './overseeing.ts'
import { oversightRoutes } from './oversight/routes.ts'
import { auditedPeople, auditedProgramme } from './participants/audited.ts'
import { createHashProfiles } from './participants/hash-profile.ts'
import { credentialRoutes, enrolmentRoutes, hashProfileRoutes } from './participants/routes.ts'
import { POLICY_KINDS } from './participants/schema.ts'
import type { Parts } from './parts.ts'
import type { HaltReason } from './provenance/anchor.ts'
import { createAuditor } from './provenance/auditor.ts'
import type { Ledgers } from './provenance/ledgers.ts'
import { auditRoutes, explorerRoutes, provenanceRoutes } from './provenance/routes.ts'
import { publishingRoutes } from './publishing/routes.ts'
import { reviewRoutes } from './review/routes.ts'
import type { ReviewService } from './review/service.ts'
import { conformanceRoutes, type SandboxPeer, sandboxRoutes } from './sandbox/routes.ts'
import { createConformance } from './sandbox/service.ts'
import { createAuditedSignals } from './signals/audited.ts'
import { signalRoutes, uploadRoutes } from './signals/routes.ts'
import { rulesOf } from './signals/rules.ts'
import type { SignalService } from './signals/service.ts'
import type { UploadJobs } from './signals/upload-jobs.ts'
import { createUploadStreams } from './signals/upload-streams.ts'
import { createLimitsInUse, type LimitSources, type LimitsInUse } from './usage/limits.ts'
import { usageRoutes } from './usage/routes.ts'
import type { RequestLog } from './usage/service.ts'
import { webhookRoutes } from './webhooks/routes.ts'

/** Between two looks at whether a minute is over. */
const TICK_MS = 1_000

export interface Serving {
  log: Log
  metrics: Metrics
  head: { line: string | undefined }
  feeds: FeedService
  taxii: Pick<TaxiiRoutesOptions, 'taxii' | 'cursorKey'>
  signals: SignalService
  uploads: UploadJobs
  evaluations: EvaluationService
  feedback: FeedbackService
  review: ReviewService
  ledgers: Ledgers
  notifying: Pick<Notifying, 'notices' | 'webhooks' | 'webhookKey'>
  overseeing: Omit<Overseeing, 'loops'>
  requestLog: RequestLog
  /** Why nothing is signed; undefined while all is well. */
  halted(): HaltReason | undefined
  /** Of a node that is a sandbox. */
  sandbox?: SandboxPeer | undefined
}

/** What people are served with besides: what is counted at the other listener. */
export interface ServingPeople extends Serving {
  /** How many connections are open under a pin. */
  connectionsUnder(spki: string): number
  limitsInUse: LimitsInUse
}

export interface Listeners {
  /** Mutual TLS: everything that a participant does. */
  partner: FastifyInstance
  /** Without client certificates: redeems one-time codes and nothing else. */
  enrol: FastifyInstance
  /** For people with a browser; absent unless the settings want it. */
  people: ConsoleListener | undefined
}

/** What no setting offers: the benchmarks raise limits and add routes to compare with. */
export interface Measuring {
  connections?: Partial<MtlsLimits>
  /** Of one credential. */
  requests?: Rate
  /** How late the event loop may be: on a machine that others burden too, lateness says nothing of the node. */
  loopDelayMs?: number
  /** Further routes of the partner listener, behind all of its hooks. */
  routes?: FastifyPluginAsync
}

export async function createListeners(
  parts: Parts,
  serving: Serving,
  { connections = {}, requests, loopDelayMs = LIMITS.event_loop_delay_ms, routes }: Measuring = {},
): Promise<Listeners> {
  const { authority, programme, pools, clock, keys, provenance, participants } = parts
  const { log, metrics, head, feeds, taxii, signals, uploads, evaluations, feedback, review, ledgers } = serving
  const { key, chain } = await parts.certificate()
  const material = { key, chain, clientRoots: [parts.rootCertificate], crls: [] }
  const onRefused = (row: HandshakeRefusal): void => {
    metrics.handshakeRefused(row.reason, row.count)
    log.warn({ ...row }, 'connections refused')
    parts.handshakes.add(row)
  }
  const mtls = await createMtls({
    ...{ material, trustDomain: programme.trust_domain, directory: authority, clock: systemClock },
    limits: connections,
    onRefused,
    onAccepted: ({ participant, credential }, network) => parts.sightings.seen({ participant, credential, network }),
  })
  const watch = (listener: string) => ({
    onFinished: ({ id, method, route, status, took, participant, code }: Finished) => {
      metrics.request(listener, { method, route, status, took })
      log.info({ listener, request_id: id, method, route, status, ms: took, participant, code }, 'request')
    },
    onFault: (error: unknown, requestId: string) =>
      log.error({ listener, request_id: requestId, error }, 'request failed'),
  })

  const counts = createRequestCounts(clock, requests)
  const streams = createEventStreams({ events: (...asked) => feeds.events(...asked) })
  const uploading = createUploadStreams()
  const keyed = answersOf(parts)
  const counting = { counts, streams, uploading, keyed, connections, under: mtls.openUnder }
  const limitsInUse = limitsOf(parts, serving, counting)
  const partner = createInstance({ https: mtls.https, ...keptBy(serving.requestLog, watch('partner')) })
  partner.register(mtls.plugin)
  const onIssued = metrics.accessToken
  const access = createAccess({ db: pools.app, clock, keys, authority, onIssued })
  const api: FastifyPluginAsync = async (app) => {
    // First, so that what is refused for its token or scope is counted too.
    limitRequests(app, clock, counts)
    narrowByToken(app, access)
    requireScopes(app)
    const waiting = () => poolState(pools.app).waiting
    await shedLoad(app, { loopDelayMs, queue: LIMITS.pool_queue, waiting })
    app.addHook('onSend', async (request, reply) => {
      // Who was not let in learns nothing of the log.
      const peer = request.peer as typeof request.peer | undefined
      if (peer !== undefined && head.line !== undefined) reply.header('provenance-checkpoint', head.line)
    })
    keepAnswers(app, { keys: keyed, onFault: watch('partner').onFault })
    await app.register(aboutRoutes, aboutOf(parts))
    await app.register(credentialRoutes, { participants })
    await app.register(accessRoutes, { access, onFault: watch('partner').onFault })
    const hashProfiles = createHashProfiles({ db: pools.app, keys, provenance, authority })
    await app.register(hashProfileRoutes, { hashProfiles })
    await app.register(evaluationRoutes, { evaluations })
    await app.register(signalRoutes, { signals, uploading })
    await app.register(uploadRoutes, { signals, uploads, uploading })
    app.addHook('preClose', async () => streams.close())
    await app.register(feedRoutes, { feeds, streams })
    await app.register(taxiiRoutes, { ...taxii, onFault: watch('partner').onFault })
    await app.register(feedbackRoutes, { feedback })
    await app.register(reviewRoutes, { review })
    const ledger = ledgers.get(parts.logId)
    if (ledger !== undefined) await app.register(explorerRoutes, { explorer: explorerOf(parts, ledger) })
    await app.register(conformanceRoutes, { conformance: createConformance({ db: pools.app, clock, provenance }) })
    if (serving.sandbox !== undefined) await app.register(sandboxRoutes, { peer: serving.sandbox })
    await app.register(webhookRoutes, { ...serving.notifying })
    await app.register(usageRoutes, { requestLog: serving.requestLog, limitsInUse })
    await app.register(governanceRoutes, { governance: governanceOf(parts) })
    await app.register(publishingRoutes, { publishing: serving.overseeing.publishing })
    await app.register(oversightRoutes, { oversight: serving.overseeing.reads })
    for (const [log, ledger] of ledgers) {
      await app.register(provenanceRoutes, { ledger, prefix: `/provenance/${log}` })
      await app.register(auditRoutes, { auditor: auditorOf(parts, ledgers, log), prefix: `/provenance/${log}` })
    }
    if (routes !== undefined) await app.register(routes)
  }
  // On the instance itself: requests for what does not exist are limited too.
  partner.register(Object.assign(api, { [Symbol.for('skip-override')]: true }))

  const handshakeTimeout = LIMITS.handshake_seconds * 1_000
  const https = { key, cert: chain, minVersion: 'TLSv1.3', handshakeTimeout } as const
  const enrol = createInstance({ https, ...watch('enrol') })
  guardStrangers(enrol, onRefused, LIMITS.enrol_connections)
  enrol.register(enrolmentRoutes, { participants })
  const shown = { ...serving, connectionsUnder: mtls.openUnder, limitsInUse }
  const people = await consoleOf(parts, shown, watch('console'))
  if (people !== undefined) guardStrangers(people.app, onRefused, LIMITS.console_connections)
  return { partner, enrol, people }
}

/** Loaded where there is one: a node without a console has no pages, nor anything that makes them. */
const consoleOf = async (
  ...[parts, ...serving]: Parameters<typeof createConsoleListener>
): Promise<ConsoleListener | undefined> =>
  parts.config.consolePort === undefined
    ? undefined
    : (await import('./console.ts')).createConsoleListener(parts, ...serving)

const answersOf = ({ pools, clock, keys }: Parts) =>
  createIdempotencyKeys({ db: pools.app, clock, keys, kid: KID.answers })

/** What was asked is told to the people of whoever asked, too. */
const keptBy = (requestLog: RequestLog, watch: Pick<InstanceOptions, 'onFinished' | 'onFault'>): typeof watch => ({
  ...watch,
  onFinished(finished) {
    watch.onFinished(finished)
    const { by, id, method, route, status, code, took, bytes } = finished
    if (by === undefined) return
    requestLog.add({ ...by, request_id: id, method, route, status, code, duration_ms: took, response_bytes: bytes })
  },
})

interface Counting extends Pick<LimitSources, 'streams' | 'uploading' | 'keyed'> {
  counts: RequestCounts
  under(spki: string): number
  connections: Partial<MtlsLimits>
}

const limitsOf = (
  { clock, authority }: Parts,
  { feeds, evaluations, uploads, notifying }: Serving,
  { counts, under, connections, ...counting }: Counting,
): LimitsInUse =>
  createLimitsInUse({
    ...{ clock, authority, counts, ...counting, evaluations, uploads, reveals: feeds },
    connections: { under, limit: connections.connectionsPerCredential ?? LIMITS.connections_per_credential },
    webhooks: notifying.webhooks,
  })

const aboutOf = ({ authority, origin }: Parts) => ({
  programme: () => authority.programme(),
  log: origin,
  policies: () =>
    POLICY_KINDS.flatMap((kind) => {
      const version = authority.policy(kind)?.version
      return version === undefined ? [] : [{ kind, version }]
    }),
})

function auditorOf(parts: Parts, ledgers: Ledgers, logId: number) {
  const { pools, clock, keys, provenance, authority } = parts
  const participants = () => authority.participants()
  const { categorySlug } = rulesOf(authority)
  const { state, values, ...changes } = createAuditedSignals({ categorySlug, participants })
  return createAuditor({
    ...{ db: pools.ledger, app: pools.app, keys, clock, logId, provenance, participants },
    present: logId === parts.logId,
    published: async () => (await ledgers.get(logId)?.checkpoint())?.size ?? 0n,
    audited: {
      ...changes,
      state: [
        auditedFeeds(participants),
        auditedLookups(participants),
        ...auditedProgramme,
        ...auditedPeople,
        state,
        values,
        auditedAcks(participants),
      ],
    },
  })
}

/** Nobody there has proved who they are: few connections at once, and few from one address. */
function guardStrangers(app: FastifyInstance, onRefused: HandshakeRefusalSink, connections: number): void {
  const server = secureServerOf(app)
  const refusals = createHandshakeRefusals(systemClock, onRefused)
  server.maxConnections = connections
  const rate = {
    perSecond: LIMITS.new_connections_per_address_per_second,
    burst: LIMITS.new_connections_per_address_burst,
  }
  guardHandshakes(server, { clock: systemClock, rate, refusals })
  keepTime(app, TICK_MS, () => refusals.tick())
  app.addHook('onClose', async () => refusals.flush())
}
