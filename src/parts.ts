import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { issueClientCertificate } from './ca/ca.ts'
import { openProgrammeCa } from './ca/files.ts'
import type { NodeCertificate } from './ca/node-certificate.ts'
import { nodeCertificate } from './ca/node-certificate.ts'
import type { Config } from './config.ts'
import type { Db } from './db/connect.ts'
import { joinDatabase, type OpenDatabase, openDatabase } from './db/open.ts'
import { LOGIN_ROLES, type LoginRole } from './db/roles.ts'
import { toBase64Url } from './kernel/bytes.ts'
import type { Clock } from './kernel/clock.ts'
import { StartRefused } from './kernel/errors.ts'
import type { Log } from './kernel/log.ts'
import { sha256 } from './kernel/sha256.ts'
import { fileKeys } from './keys/file.ts'
import type { KeyService } from './keys/service.ts'
import { type Authority, createAuthority } from './participants/authority.ts'
import { loadProgramme } from './participants/bootstrap.ts'
import { createHandshakeAudit, type HandshakeAudit } from './participants/handshake-audit.ts'
import { hashKeyId } from './participants/hash-profile.ts'
import type { NodeKeys } from './participants/schema.ts'
import { createParticipantService, type ParticipantService } from './participants/service.ts'
import { thumbprint } from './participants/signing-key.ts'
import { formatVkey } from './provenance/note.ts'
import { epochKey, epochOf } from './provenance/record.ts'
import { createProvenanceService, originOf, type ProvenanceService } from './provenance/service.ts'

/** The one log of a node, and the ids of the node's keys. */
export const LOG_ID = 1
export const KID = { log: 'log-1', receipt: 'receipt', cursor: 'cursor', nonce: 'nonce' } as const

export type Pools = Readonly<Record<'app' | 'ledger' | 'integrator' | 'signer' | 'projector' | 'admin', Db>>

/** What the node and the administrator's commands both stand on. */
export interface Base {
  config: Config
  clock: Clock
  keys: KeyService
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
  return baseOn({ ...joinDatabase(url), close: async () => {} }, { config, clock, size: () => 2 })
}

function baseOn(
  database: Pick<OpenDatabase, 'pool' | 'url' | 'close'>,
  { config, clock, size }: Pick<Base, 'config' | 'clock'> & { size(role: LoginRole): number },
): Base {
  const pools = Object.fromEntries(
    LOGIN_ROLES.map((role) => [role.slice('aldis_'.length), database.pool(role, size(role))]),
  ) as Pools
  return {
    ...{ config, clock, database, pools },
    keys: fileKeys(join(config.dataDir, 'keys')),
    close: async () => {
      await Promise.all(Object.values(pools).map((db) => db.destroy()))
      await database.close()
    },
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
  origin: string
}

/** What a node with a programme has; the administrator's commands work on the same parts without a listener. */
export interface Parts extends Core {
  participants: ParticipantService
  handshakes: HandshakeAudit
  /** The node's TLS key and certificate, renewed if it is time. */
  certificate(): Promise<NodeCertificate>
  rootCertificate: string
  /** How countersignatures name the node's key. */
  receiptKid: string
}

export interface PartsOptions {
  onWake(): void
  healthy(): boolean
}

/** The core over an initialised database; `StartRefused` says to run `aldis init` where there is none. */
export async function openCore(base: Base, { onWake, healthy }: PartsOptions): Promise<Core> {
  const { clock, keys, pools } = base
  const programme = await loadProgramme(pools.admin)
  const origin = await originOf(pools.ledger, LOG_ID)
  if (programme === undefined || origin === undefined)
    throw new StartRefused('there is no programme yet: run aldis init (npm run aldis -- init --help)')
  if (!keys.has(KID.log))
    throw new StartRefused('the log key is missing from DATA_DIR: is it the folder of this database?')
  const provenance = createProvenanceService({
    ...{ db: pools.app, ledger: pools.ledger, clock, keys, logId: LOG_ID, origin },
    ...{ onWake, healthy },
  })
  const authority = createAuthority({ db: pools.app, clock })
  await authority.refresh()
  return { ...base, provenance, authority, programme, origin }
}

export async function openParts(base: Base, options: PartsOptions): Promise<Parts> {
  const core = await openCore(base, options)
  const { config, clock, keys, pools, provenance, authority, programme, origin } = core
  await ensureEpochKeys(keys, clock())
  const ca = openProgrammeCa(join(config.dataDir, 'ca'))
  const rootCertificate = ca.rootCertificate()
  const certificate = (): Promise<NodeCertificate> =>
    nodeCertificate(join(config.dataDir, 'tls'), { ca, hosts: hostsOf(config), clock: () => new Date() })
  const { spki } = await certificate()
  const receiptKey = receiptKeyOf(keys)
  const nodeKeys: NodeKeys = {
    log_vkey: formatVkey(sha256, origin, keys.publicKey(KID.log)),
    receipt_keys: [receiptKey],
  }
  const participants = createParticipantService({
    ...{ admin: pools.admin, app: pools.app, clock, recorder: provenance, programme, authority },
    nonceKey: keys.mac(KID.nonce, Buffer.from('signing-key-nonce')),
    randomBytes: (n) => randomBytes(n),
    nodeSpki: () => spki,
    rootCertificate: () => rootCertificate,
    nodeKeys: () => nodeKeys,
    // Certificates end in real time, whatever clock the services go by.
    issue: (request) => issueClientCertificate(ca, { ...request, now: new Date() }),
    makeHashKey: (kid, suite) => makeHashKey(keys, kid, suite),
  })
  return {
    handshakes: createHandshakeAudit(pools.admin),
    ...{ ...core, participants, certificate, rootCertificate },
    receiptKid: receiptKey.kid,
  }
}

/** Named by its thumbprint, so that a successor has another name. */
function receiptKeyOf(keys: KeyService): NodeKeys['receipt_keys'][number] {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(keys.publicKey(KID.receipt)) } as const
  return { kid: thumbprint(jwk), alg: 'Ed25519', jwk }
}

async function makeHashKey(keys: KeyService, kid: string, suite: string): Promise<void> {
  if (suite !== 'hmac-sha256') throw new StartRefused(`the suite ${suite} is not served by this version`)
  await keys.create(hashKeyId(kid), 'symmetric')
}

/** Loopback always, so that the node's own commands reach it wherever it is published. */
const hostsOf = ({ publicHost }: Config): string[] => [...new Set([publicHost, '127.0.0.1', 'localhost'])]
