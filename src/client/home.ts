import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fromBase64Url } from '../kernel/bytes.ts'
import { writeDurably } from '../kernel/durable.ts'
import { StartRefused } from '../kernel/errors.ts'
import type { NodeKeys } from '../participants/schema.ts'
import { hostOf, logIdOf } from '../provenance/origin.ts'
import { type Client, createClient } from './client.ts'
import { ENROLLED_FILES, type Enrolled, endEnrolment, keepEnrolled, signingKeyToEnrol } from './enrolled.ts'
import { VerificationFailed } from './errors.ts'
import { appendLine, readIfThere, readSecret } from './files.ts'
import { createHeads, HEAD_FILE, type Heads } from './heads.ts'
import { endSwitch } from './next-log.ts'
import { makeSigningKey, type OwnSigningKey, openSigningKey } from './signing-key.ts'
import type { TlsIdentity } from './transport.ts'
import { type KeptHead, openHead, openVkey } from './verify.ts'

/** Who we are, and at which node; what `aldis enroll` wrote. */
export interface Membership {
  participant: string
  uri: string
  /** `https://host:port` of the partner listener. */
  node: string
  node_origin: string
  programme: string
  kid: string
}

/** A participant's folder: keys, membership, and what must be remembered between runs. */
export interface Home extends Heads {
  readonly dir: string
  membership(): Membership
  /** The signing key that an enrolment is asked for with, a private JWK: kept first, where there is none. */
  signingKeyToEnrol(): string
  /** Writes what an enrolment gave; keys 0600. Broken off, it is ended when the folder is opened. Throws `VerificationFailed`, and writes nothing, if the log's key is none. */
  enrolled(given: Enrolled): void
  renewed(certificate: string): void
  /** Puts the next signing key, a private JWK, in the place of the present one. */
  rotated(next: { signing: string; kid: string }): void
  certificate(): string
  tlsKey(): string
  signingKey(): OwnSigningKey
  /** The private JWK itself; undefined before there is one. */
  signingSecret(): string | undefined
  /** The private JWK that waits for confirmation; made at the first call. */
  nextSigningKey(): string
  /** The TLS key, certificate and the programme's root. */
  identity(): TlsIdentity
  /** A client of the node with this home's identity; it follows the pinned log unless another number is given. */
  connect(log?: number): Client
  /** The key of a hash epoch, asked for once and kept 0600: each request for it is a logged disclosure. */
  hashKey(client: Client, kid: string): Promise<Uint8Array>
  /** The keys of hash epochs that are kept here, by the names of their epochs. */
  keptHashKeys(): { kid: string; key: Uint8Array }[]
  /** The keys that the node countersigns with, pinned when we enrolled. */
  receiptKeys(): NodeKeys['receipt_keys']
  /** The head and key as kept, for work without the node. */
  pinned(): { vkey: string; head: KeptHead | undefined }
  keepReceipt(event: string, text: string): string
  /** Keeps one that is not what was promised beside the receipts, as evidence: under its own name a good one can still come. */
  keepRefused(event: string, text: string): string
  /** Notes the read that an answer was, with the answer's digest, so that the receipt can be held against both; nothing where it names none. */
  noteRead(read: string, digest?: string): void
  /** Notes what was done, one JSON line each. What `events.ndjson` promises is on the disk afterwards. */
  note(file: string, line: object): void
}

const FILES = { ...ENROLLED_FILES, next: 'signing.next.jwk', head: HEAD_FILE } as const

/** What the node took, and promised of it. Of reads, many a second, the last may go with the machine: the chain has them all. */
const EVENT_NOTES = 'events.ndjson'

export function openHome(dir: string): Home {
  endEnrolment(dir)
  endSwitch(dir)
  const at = (name: string): string => join(dir, name)
  const needed = (name: string, text: string | undefined): string => {
    if (text === undefined) throw new StartRefused(`${at(name)}: is missing; run aldis enroll`)
    return text
  }
  const membership = (): Membership =>
    JSON.parse(needed(FILES.membership, readIfThere(at(FILES.membership)))) as Membership
  const identity = (): TlsIdentity => ({
    key: needed(FILES.key, readSecret(at(FILES.key))),
    cert: needed(FILES.certificate, readIfThere(at(FILES.certificate))),
    ca: needed(FILES.ca, readIfThere(at(FILES.ca))),
  })
  const pinned = () => {
    const vkey = needed(FILES.vkey, readIfThere(at(FILES.vkey)))
    const [key, note] = [openVkey(vkey), readIfThere(at(FILES.head))]
    // One of the log before, which another process kept while a switch to this one ended, is none of this log.
    const lacks = note === undefined || isFormer(note.split('\n', 1)[0] ?? '', key.name)
    return { vkey, head: lacks ? undefined : openHead(note, key) }
  }

  const note: Home['note'] = (file, line) => {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    appendLine(at(file), JSON.stringify(line), file === EVENT_NOTES)
  }
  const noteRead: Home['noteRead'] = (read, body) => {
    if (read !== '') note('reads.ndjson', { read, body, at: new Date().toISOString() })
  }

  return {
    dir,
    membership,
    ...createHeads(dir, pinned),
    pinned,
    signingKeyToEnrol: () => signingKeyToEnrol(dir),
    enrolled: (given) => keepEnrolled(dir, given),
    renewed: (certificate) => writeDurably(at(FILES.certificate), certificate),
    rotated({ signing, kid }) {
      writeDurably(at(FILES.signing), signing, 0o600)
      writeDurably(at(FILES.membership), `${JSON.stringify({ ...membership(), kid }, undefined, 2)}\n`)
      rmSync(at(FILES.next), { force: true })
    },
    receiptKeys: () =>
      JSON.parse(needed(FILES.receiptKeys, readIfThere(at(FILES.receiptKeys)))) as NodeKeys['receipt_keys'],
    certificate: () => needed(FILES.certificate, readIfThere(at(FILES.certificate))),
    tlsKey: () => needed(FILES.key, readSecret(at(FILES.key))),
    signingKey: () => openSigningKey(needed(FILES.signing, readSecret(at(FILES.signing)))),
    signingSecret: () => readSecret(at(FILES.signing)),
    nextSigningKey() {
      const kept = readSecret(at(FILES.next))
      const text = kept ?? makeSigningKey()
      if (kept === undefined) writeDurably(at(FILES.next), text, 0o600)
      return text
    },
    identity,
    connect(number) {
      const vkey = readIfThere(at(FILES.vkey))
      const log = number ?? (vkey === undefined ? 1 : logIdOf(openVkey(vkey).name))
      return createClient({ origin: membership().node, ...identity(), log })
    },
    async hashKey(client, kid) {
      const path = join(dir, 'hash-keys', fileName(kid, 'hash key'))
      const kept = readSecret(path)
      if (kept !== undefined) return epochKey(kept.trim())
      const { key, read, digest } = await client.hashKey(kid)
      noteRead(read, digest)
      const bytes = epochKey(key)
      writeDurably(path, `${key}\n`, 0o600)
      return bytes
    },
    keptHashKeys() {
      const folder = at('hash-keys')
      if (!existsSync(folder)) return []
      return readdirSync(folder)
        .filter((name) => FILE_NAME.test(name))
        .map((kid) => ({ kid, key: epochKey(needed(join('hash-keys', kid), readSecret(join(folder, kid))).trim()) }))
    },
    keepReceipt: (event, text) => keepIn(dir, `${fileName(event, 'receipt')}.tlog-proof`, text),
    keepRefused: (event, text) => keepIn(dir, `${fileName(event, 'receipt')}.refused`, text),
    noteRead,
    note,
  }
}

/** Whether a log is one of the same node before another. */
const isFormer = (origin: string, than: string): boolean =>
  hostOf(origin) === hostOf(than) && logIdOf(origin) < logIdOf(than)

function keepIn(dir: string, name: string, text: string): string {
  const path = join(dir, 'receipts', name)
  writeDurably(path, text)
  return path
}

/** As `fileName` takes them: what a crash left of one being written is none. */
const FILE_NAME = /^[a-z0-9][a-z0-9_-]{0,80}$/

/** A name that the node chose, as that of a file: a path in it would read or write elsewhere. */
function fileName(name: string, step: string): string {
  if (FILE_NAME.test(name)) return name
  throw new VerificationFailed(step, 'its name is malformed')
}

function epochKey(text: string): Uint8Array {
  const bytes = fromBase64Url(text)
  if (bytes?.length === 32) return bytes
  throw new VerificationFailed('hash key', 'it is not 32 bytes of base64url')
}
