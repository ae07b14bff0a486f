import { join } from 'node:path'
import { keepEvidence } from './client/evidence-file.ts'
import type { Config } from './config.ts'
import type { Db } from './db/connect.ts'
import { joinDatabase, type OpenDatabase, openDatabase } from './db/open.ts'
import { LOGIN_ROLES, type LoginRole } from './db/roles.ts'
import type { Clock } from './kernel/clock.ts'
import { Refusal, StartRefused } from './kernel/errors.ts'
import type { Uuid } from './kernel/ids.ts'
import { type Log, silentLog } from './kernel/log.ts'
import { sha256 } from './kernel/sha256.ts'
import { fileKeys } from './keys/file.ts'
import { createOprfPool, type OprfPool } from './keys/oprf-pool.ts'
import type { KeyService } from './keys/service.ts'
import { type Authority, createAuthority } from './participants/authority.ts'
import { loadProgramme } from './participants/bootstrap.ts'
import { decidedRotations } from './participants/rotation.ts'
import type { Anchor, HaltReason, LaterLog } from './provenance/anchor.ts'
import { anchoredAfter, fileAnchor } from './provenance/anchor-file.ts'
import type { Checkpoint } from './provenance/checkpoint.ts'
import type { Evidence } from './provenance/evidence.ts'
import { fileHalts, type Halts } from './provenance/halts.ts'
import { askHeld } from './provenance/held.ts'
import { formatVkey, parseVkey, type VerifierKey } from './provenance/note.ts'
import { logIdOf } from './provenance/origin.ts'
import { type NodePolicy, readPolicy } from './provenance/policy-file.ts'
import { epochKey, epochOf } from './provenance/record.ts'
import { rotateLog } from './provenance/rotate.ts'
import { createProvenanceService, logsOf, originOf, type ProvenanceService, signedTree } from './provenance/service.ts'
import { createSigner, type Signer } from './provenance/sign.ts'
import { recompute, treesOf } from './provenance/standing.ts'

/** The ids of the node's keys; each log has one of its own. */
export const logKid = (logId: number): string => `log-${logId}`
export const KID = {
  ...{ receipt: 'receipt', cursor: 'cursor', nonce: 'nonce', network: 'network' },
  ...{ webhook: 'webhook', webhookSign: 'webhook-sign' },
  answers: 'answers',
} as const

export type Pools = Readonly<Record<'app' | 'ledger' | 'integrator' | 'signer' | 'projector' | 'admin', Db>>

/** What the node and the administrator's commands both stand on. */
export interface Base {
  config: Config
  clock: Clock
  keys: KeyService
  /** Threads that evaluate under OPRF keys. */
  oprf: OprfPool
  database: Pick<OpenDatabase, 'url' | 'close'>
  pools: Pools
  close(): Promise<void>
}

export interface BaseOptions {
  config: Config
  clock: Clock
  log: Log
  /** Connections of the loops and the administrator, each. */
  small?: number
}

/** Database and keys; neither programme nor log need be there yet. */
export async function openBase({ config, clock, log, small = 2 }: BaseOptions): Promise<Base> {
  const database = await openDatabase(config, { clock, logger: log })
  return baseOn(database, { config, clock, size: (role) => (role === 'aldis_app' ? config.databasePool : small) })
}

/** The base of another thread, on the database that this process has opened; few connections of each role. */
export function joinBase(url: string, { config, clock }: Pick<Base, 'config' | 'clock'>): Base {
  return baseOn(
    { ...joinDatabase(url, { embedded: config.databaseUrl === undefined }), close: async () => {} },
    { config, clock, size: () => 2 },
  )
}

function baseOn(
  database: Pick<OpenDatabase, 'pool' | 'url' | 'close'>,
  { config, clock, size }: Pick<Base, 'config' | 'clock'> & { size(role: LoginRole): number },
): Base {
  const pools = Object.fromEntries(
    LOGIN_ROLES.map((role) => [role.slice('aldis_'.length), database.pool(role, size(role))]),
  ) as Pools
  const oprf = createOprfPool()
  return {
    ...{ config, clock, database, pools },
    keys: fileKeys(join(config.dataDir, 'keys'), oprf),
    oprf,
    close: async () => {
      await oprf.close()
      await Promise.all(Object.values(pools).map((db) => db.destroy()))
      await database.close()
    },
  }
}

/** An unchanged log is signed again, so that the age of its checkpoint says that it lives. */
const REFRESH_MS = 3_600_000

/** The logs of the node; a rotation that was decided and not carried out is carried out first. */
async function openLogs({ config, clock, keys, pools: { admin, ledger } }: Base, programme: Uuid) {
  for (const { log, next, ...decided } of await decidedRotations(admin)) {
    const to = { logId: logIdOf(next), origin: next, kid: logKid(logIdOf(next)) }
    if ((await originOf(ledger, to.logId)) !== undefined) continue
    const from = { logId: logIdOf(log), origin: log, kid: logKid(logIdOf(log)) }
    const now = clock()
    await ensureEpochKeys(keys, now)
    const using = { admin, ledger, keys, anchor: anchorOf(config, to.logId) }
    await rotateLog(using, { ...decided, from, to, now, programme })
  }
  return logsOf(ledger)
}

/** Makes the newest signed tree the anchor of a log that has lost its own; refused where there is one. */
export async function adoptAnchor({ config, pools }: Base): Promise<Checkpoint> {
  const present = (await logsOf(pools.ledger)).at(-1)
  if (present === undefined) throw new StartRefused('there is no log yet: run aldis init')
  const { log_id, origin } = present
  const anchor = anchorOf(config, log_id)
  if ((await anchor.read()) !== undefined)
    throw new Refusal('state-conflict', { detail: 'the log has an anchor; where it contradicts the database, rotate' })
  const tree = { origin, ...(await signedTree(pools.signer, log_id)) }
  await anchor.swap(undefined, tree)
  return tree
}

/** What is remembered outside the database. */
export const outsideOf = ({ anchorDir, dataDir }: Config): string => anchorDir ?? join(dataDir, 'anchor')

const besideOf = (config: Config, logId: number): string => join(outsideOf(config), String(logId))

/** Where the log's newest tree is remembered outside the database. */
export const anchorOf = (config: Config, logId: number): Anchor => fileAnchor(besideOf(config, logId))

/** The logs after this one that are remembered there. */
export const laterThan = (config: Config, logId: number): Promise<LaterLog[]> => anchoredAfter(outsideOf(config), logId)

/** Where it is remembered why the log was halted. */
const haltsOf = (config: Config, logId: number): Halts => fileHalts(besideOf(config, logId))

/** Writes down what a witness holds against the log, for whoever inquires; a halt does not wait for a disk to have room for it. */
export const evidenceKept =
  ({ config, log }: { config: Config; log: Log }) =>
  (evidence: Evidence, witness: string): void => {
    const found = 'a witness holds a checkpoint under our key that contradicts the log'
    try {
      const dir = keepEvidence(join(config.dataDir, 'evidence'), evidence)
      log.error({ names: [witness], dir }, found)
    } catch (error) {
      log.error({ names: [witness], error }, `${found}, and it could not be written down`)
    }
  }

/** Each month's records are sealed under a key of its own, whose destruction erases them. */
export async function ensureEpochKeys(keys: KeyService, now: Date): Promise<void> {
  const epoch = epochOf(now)
  for (const one of [epoch, epoch + 1]) await keys.create(epochKey(one), 'symmetric')
}

/** What requests and loops both stand on. */
export interface Core extends Base {
  provenance: ProvenanceService
  authority: Authority
  programme: NonNullable<Awaited<ReturnType<typeof loadProgramme>>>
  /** The present log, and all that the node has had, in order. */
  logId: number
  origin: string
  logs: readonly { log_id: number; origin: string }[]
  signer: Signer
  halts: Halts
  /** The log's own key, as it is verified with. */
  vkey: VerifierKey
  /** Whose cosignatures a checkpoint is published with; undefined: nobody's. */
  policy: NodePolicy | undefined
}

/**
 * Lifts the halt of a log whose database was restored, once it is recomputed from its first entry and held against anchor
 * and witnesses; answers why it was halted. A contradiction is not lifted: two histories under one key stay two.
 */
export async function resumeLog({
  pools,
  logId,
  halts,
  signer,
}: Pick<Core, 'logId' | 'halts' | 'signer'> & { pools: Pick<Pools, 'signer'> }): Promise<HaltReason> {
  const refused = (detail: string): Refusal => new Refusal('state-conflict', { detail })
  const halt = halts.kept()
  if (halt === undefined) throw refused('no halt is kept of this log')
  if (halt.reason === 'contradicted')
    throw refused('a restore does not undo two histories under one key: open the next log with aldis log rotate')
  const tree = (await treesOf(pools.signer)).find(({ log_id }) => log_id === logId)
  if (tree === undefined) throw new Error(`there is no log ${logId}`)
  await recompute(pools.signer, tree)
  await signer.recheck()
  halts.lift()
  return halt.reason
}

export interface CoreOptions {
  onWake(): void
  healthy(): boolean
  following?(): boolean
  halted?(): HaltReason | undefined
  /** Of what witnesses show, and do not show, before the first signature. */
  log?: Log
}

/** The core over an initialised database; `StartRefused` says to run `aldis init` where there is none. */
export async function openCore(base: Base, options: CoreOptions): Promise<Core> {
  const { config, clock, keys, pools } = base
  const { log = silentLog, ...asked } = options
  const programme = await loadProgramme(pools.admin)
  const logs = programme === undefined ? [] : await openLogs(base, programme.programme_id)
  const present = logs.at(-1)
  if (programme === undefined || present === undefined)
    throw new StartRefused('there is no programme yet: run aldis init (npm run aldis -- init --help)')
  const { log_id: logId, origin } = present
  const kid = logKid(logId)
  if (!keys.has(kid)) throw new StartRefused('the log key is missing from DATA_DIR: is it the folder of this database?')
  const provenance = createProvenanceService({
    ...{ db: pools.app, ledger: pools.ledger, clock, keys, logId, origin },
    ...asked,
  })
  const authority = createAuthority({ db: pools.app, clock })
  await authority.refresh()
  const vkey = parseVkey(sha256, formatVkey(sha256, origin, keys.publicKey(kid)))
  if (vkey === undefined) throw new StartRefused('the log is named by what is no name of a key')
  const policy = config.witnessPolicy === undefined ? undefined : readPolicy(config.witnessPolicy, vkey)
  const halts = haltsOf(config, logId)
  const signer = createSigner({
    ...{ db: pools.signer, clock, keys, anchor: anchorOf(config, logId), halts },
    later: () => laterThan(config, logId),
    askHeld: () =>
      askHeld({
        ...{ db: pools.signer, ledger: pools.ledger, logId, key: vkey, policy: policy?.policy },
        onUnshown: (witness, reason) => log.warn({ names: [witness], reason }, 'a witness shows nothing of the log'),
        onEvidence: evidenceKept({ config, log }),
      }),
    ...{ logId, origin, kid, refreshMs: REFRESH_MS },
  })
  return { ...base, provenance, authority, programme, logId, origin, logs, signer, halts, vkey, policy }
}
