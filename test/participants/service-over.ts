import { randomBytes } from 'node:crypto'
import type { Db } from '../../src/db/connect.ts'
import { toHex, utf8 } from '../../src/kernel/bytes.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import type { KeyService } from '../../src/keys/service.ts'
import { oversightActs } from '../../src/oversight-acts.ts'
import type { Authority } from '../../src/participants/authority.ts'
import { pinOfRequest } from '../../src/participants/certificate-request.ts'
import { createParticipantService } from '../../src/participants/service.ts'
import type { Programme } from '../../src/participants/store.ts'
import { createProvenanceService } from '../../src/provenance/service.ts'

export const NODE_SPKI = toHex(sha256(utf8('the key of the node')))

/** The real log's recorder. */
export const recorderOver = (of: { app: Db; ledger: Db; clock: Clock; keys: KeyService }) =>
  createProvenanceService({
    ...{ db: of.app, ledger: of.ledger, clock: of.clock, keys: of.keys },
    ...{ logId: 1, origin: 'node.example.org/provenance/1' },
    onWake: () => {},
    healthy: () => true,
  })

interface Over {
  admin: Db
  app: Db
  clock: Clock
  recorder: ReturnType<typeof recorderOver>
  programme: Programme
  authority: Authority
  hashKeys: string[]
  conformance: { passed: boolean }
  /** What went wrong after a change was committed. */
  stale?: unknown[]
}

/** Participants without what is of signals. */
export const serviceOver = ({ hashKeys, conformance, stale = [], ...over }: Over) =>
  createParticipantService({
    ...over,
    onStale: (error) => void stale.push(error),
    nonceKey: randomBytes(32),
    randomBytes: (n) => randomBytes(n),
    nodeSpki: () => NODE_SPKI,
    rootCertificate: () => 'the root\n',
    nextLog: async () => ({ origin: 'node.example.org/provenance/1', next: 'node.example.org/provenance/2' }),
    oversight: oversightActs({ recorder: over.recorder, attempted: async () => {} }),
    releaseSignal: async () => {
      throw new Error('no signals here')
    },
    scanReaders: async () => {
      throw new Error('there are no signals here')
    },
    eraseSignals: async () => {
      throw new Error('there are no signals here')
    },
    conformant: async () => conformance.passed,
    forgetValues: async () => {},
    nodeKeys: () => ({ log_vkey: 'node.example.org/provenance/1+00000000+AAAA', receipt_keys: [] }),
    issue: async ({ csrPem, uri }) => ({
      chain: `leaf of ${uri}\n`,
      spki: toHex(await pinOfRequest(csrPem)),
      notAfter: new Date(over.clock().getTime() + 7 * 86_400_000),
    }),
    makeHashKey: async (kid) => void hashKeys.push(kid),
  })
