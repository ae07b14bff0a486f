import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { rotateAccessKeys } from './access/service.ts'
import type { Anomalies } from './anomalies/service.ts'
import { createSightings, type Sightings } from './anomalies/sightings.ts'
import { issueClientCertificate } from './ca/ca.ts'
import { openProgrammeCa } from './ca/files.ts'
import type { NodeCertificate } from './ca/node-certificate.ts'
import { nodeCertificate } from './ca/node-certificate.ts'
import type { Config } from './config.ts'
import {
  type Base,
  type Core,
  type CoreOptions,
  ensureEpochKeys,
  KID,
  laterThan,
  logKid,
  openCore,
  outsideOf,
} from './core.ts'
import { fileErasures } from './erasure/list-file.ts'
import { createErasures, type Erasures } from './erasure/service.ts'
import { createFeedEraser } from './feeds/erase.ts'
import { anomaliesOf } from './governing.ts'
import { fromBase64Url, toBase64Url } from './kernel/bytes.ts'
import { Refusal } from './kernel/errors.ts'
import { silentLog } from './kernel/log.ts'
import { sha256 } from './kernel/sha256.ts'
import type { KeyService } from './keys/service.ts'
import { openSodiumGroup } from './keys/sodium-group.ts'
import { oversightActs } from './oversight-acts.ts'
import { createHandshakeAudit, type HandshakeAudit } from './participants/handshake-audit.ts'
import { hashKeyId } from './participants/hash-profile.ts'
import type { PublishedKey } from './participants/publication.ts'
import { createSettling } from './participants/request.ts'
import type { NextLog } from './participants/rotation.ts'
import { type KeyHolder, type NodeKeys, OPRF_SUITE } from './participants/schema.ts'
import { createParticipantService, type ParticipantService } from './participants/service.ts'
import { thumbprint } from './participants/signing-key.ts'
import { createRecordEraser } from './provenance/erase.ts'
import { formatVkey } from './provenance/note.ts'
import { hostOf } from './provenance/origin.ts'
import { passedLast } from './sandbox/passed.ts'
import { createSignalEraser } from './signals/erase.ts'
import { createHolds } from './signals/hold.ts'
import { rulesOf } from './signals/rules.ts'
import { ensureValueKeys } from './signals/value-rewrap.ts'
import { forgetValues } from './signals/values.ts'

/** What a node with a programme has; the administrator's commands work on the same parts without a listener. */
export interface Parts extends Core {
  participants: ParticipantService
  handshakes: HandshakeAudit
  sightings: Sightings
  /** The node's TLS key and certificate, renewed if it is time. */
  certificate(): Promise<NodeCertificate>
  rootCertificate: string
  /** The present log, and what the next one would be named. */
  nextLog(): Promise<NextLog>
  erasures: Erasures
  anomalies: Anomalies
  /** How countersignatures name the node's key. */
  receiptKid: string
}

export async function openParts(base: Base, options: CoreOptions): Promise<Parts> {
  const core = await openCore(base, options)
  const { config, clock, keys, pools, provenance, authority, programme, logId, origin } = core
  const { log = silentLog } = options
  await ensureEpochKeys(keys, clock())
  await rotateAccessKeys(keys, clock())
  await ensureValueKeys(keys, clock())
  await keys.create(KID.network, 'symmetric')
  await keys.create(KID.webhook, 'symmetric')
  await keys.create(KID.webhookSign, 'ed25519')
  await keys.create(KID.answers, 'symmetric')
  const ca = openProgrammeCa(join(config.dataDir, 'ca'))
  const rootCertificate = ca.rootCertificate()
  const certificate = (): Promise<NodeCertificate> =>
    nodeCertificate(join(config.dataDir, 'tls'), { ca, hosts: hostsOf(config), clock: () => new Date() })
  const { spki } = await certificate()
  const receiptKey = receiptKeyOf(keys)
  const nodeKeys: NodeKeys = {
    log_vkey: formatVkey(sha256, origin, keys.publicKey(logKid(logId))),
    receipt_keys: [receiptKey],
  }
  const nextLog = nextLogOf(core)
  const erasures = erasuresOf(core)
  const handshakes = createHandshakeAudit(pools.admin)
  const sightings = createSightings({ admin: pools.admin, clock, mac: (data) => keys.mac(KID.network, data) })
  const anomalies = anomaliesOf(core, handshakes, sightings)
  const participants = createParticipantService({
    ...{ admin: pools.admin, app: pools.app, clock, recorder: provenance, programme, authority },
    onStale: (error) => log.warn({ name: 'authority', error }, 'what was changed is not read yet'),
    nonceKey: keys.mac(KID.nonce, Buffer.from('signing-key-nonce')),
    randomBytes: (n) => randomBytes(n),
    nodeSpki: () => spki,
    rootCertificate: () => rootCertificate,
    nodeKeys: () => nodeKeys,
    // Certificates end in real time, whatever clock the services go by.
    issue: (request) => issueClientCertificate(ca, { ...request, now: new Date() }),
    nextLog,
    ...{ scanReaders: erasures.scan, eraseSignals: erasures.erase },
    releaseSignal: createHolds(provenance).release,
    conformant: passedLast(pools.app),
    forgetValues,
    oversight: oversightActs({ recorder: provenance, attempted: anomalies.attempted }),
    makeHashKey: (kid, suite, holder) => makeHashKey(keys, { kid, suite, holder }),
  })
  return {
    ...{ handshakes, sightings, anomalies },
    ...{ ...core, participants, erasures, certificate, rootCertificate },
    nextLog,
    receiptKid: receiptKey.kid,
  }
}

/** Each feature takes its own away; the list of what was erased stands beside the anchor. */
function erasuresOf({ config, pools, clock, keys, provenance, authority, programme, logId }: Core): Erasures {
  return createErasures({
    ...{ app: pools.app, admin: pools.admin, clock, recorder: provenance, directory: authority },
    records: createRecordEraser({ keys, logId }),
    signals: createSignalEraser({ categorySlug: rulesOf(authority).categorySlug }),
    feeds: createFeedEraser(authority),
    listed: fileErasures(join(outsideOf(config), 'erasures')),
    requests: createSettling({ recorder: provenance, programme }),
    participants: () => authority.participants(),
  })
}

/** Named by its thumbprint, so that a successor has another name. */
function receiptKeyOf(keys: KeyService): NodeKeys['receipt_keys'][number] {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(keys.publicKey(KID.receipt)) } as const
  return { kid: thumbprint(jwk), alg: 'Ed25519', jwk }
}

interface NewHashKey {
  kid: string
  suite: string
  holder: KeyHolder | undefined
}

/** With a holder the node makes its part after the other one is fixed; neither ever knows the whole. */
async function makeHashKey(keys: KeyService, { kid, suite, holder }: NewHashKey): Promise<PublishedKey | undefined> {
  const id = hashKeyId(kid)
  await keys.create(id, suite === OPRF_SUITE ? 'oprf' : 'symmetric')
  if (suite !== OPRF_SUITE) return undefined
  const own = await keys.oprfPublicKey(id)
  const first = { index: 1, public_key: toBase64Url(own) }
  if (holder === undefined) return { public_key: own, shares: [first] }
  const group = await openSodiumGroup()
  const theirs = fromBase64Url(holder.public_key)
  if (theirs === undefined || !group.isElement(theirs))
    throw new Refusal('element-invalid', { errors: [{ pointer: '/holder/public_key', code: 'element-invalid' }] })
  return { public_key: group.add(own, theirs), shares: [first, { index: 2, ...holder }] }
}

/** No number is used again: where the database was set back to before a rotation, the next one's has an anchor of another history. */
const nextLogOf =
  ({ config, origin, logId }: Pick<Core, 'config' | 'origin' | 'logId'>) =>
  async (): Promise<NextLog> => {
    const newest = (await laterThan(config, logId)).at(-1)?.logId ?? logId
    return { origin, next: `${hostOf(origin)}/${newest + 1}` }
  }

/** Loopback always, so that the node's own commands reach it wherever it is published. */
const hostsOf = ({ publicHost }: Config): string[] => [...new Set([publicHost, '127.0.0.1', 'localhost'])]
