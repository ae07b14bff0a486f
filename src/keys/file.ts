import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createDurably, removeDurably } from '../kernel/durable.ts'
import { StartRefused } from '../kernel/errors.ts'
import { randomSource } from '../kernel/random.ts'
import { createOprfPool, type OprfPool } from './oprf-pool.ts'
import type { KeyKind, KeyService } from './service.ts'
import { openSodiumGroup } from './sodium-group.ts'

/** An epoch's name of up to 63 characters has its kind before it. */
const KID = /^[a-z0-9][a-z0-9-]{0,95}$/
/** Without it Node takes a tag of four bytes for one too. */
const TAG = { authTagLength: 16 }
const nonce = randomSource(12)
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

type Held =
  | { kind: 'ed25519'; key: KeyObject; raw: Uint8Array }
  | { kind: 'symmetric'; secret: Buffer; key: KeyObject }
  | { kind: 'oprf'; scalar: Uint8Array }

/**
 * Keys as files of 32 bytes, `<dir>/<kid>.<kind>`, the node's own user, mode 0600. A wider mode or a foreign owner is
 * `StartRefused`: a key that others can read is no key. Evaluations run in the pool's threads.
 */
export function fileKeys(dir: string, pool: Pick<OprfPool, 'evaluate'> = createOprfPool()): KeyService {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const held = new Map<string, Held>()

  const load = (kid: string): Held | undefined => {
    const known = held.get(kid)
    if (known !== undefined) return known
    for (const kind of ['ed25519', 'symmetric', 'oprf'] as const) {
      const bytes = readKey(join(dir, `${checked(kid)}.${kind}`))
      if (bytes === undefined) continue
      const value = hold(kind, bytes)
      held.set(kid, value)
      return value
    }
    return undefined
  }
  const symmetric = (kid: string): Extract<Held, { kind: 'symmetric' }> => {
    const key = load(kid)
    if (key?.kind !== 'symmetric') throw new Error(`no symmetric key ${kid}`)
    return key
  }
  const signing = (kid: string): Extract<Held, { kind: 'ed25519' }> => {
    const key = load(kid)
    if (key?.kind !== 'ed25519') throw new Error(`no signing key ${kid}`)
    return key
  }

  const scalarOf = (kid: string): Uint8Array => {
    const key = load(kid)
    if (key?.kind !== 'oprf') throw new Error(`no OPRF key ${kid}`)
    return key.scalar
  }

  return {
    oprfPublicKey: async (kid) => {
      const group = await openSodiumGroup()
      const scalar = scalarOf(kid)
      if (!group.isScalar(scalar)) throw new StartRefused(`${join(dir, `${kid}.oprf`)}: is no scalar of the group`)
      return group.multiplyBase(scalar)
    },
    evaluate: async (kid, elements) => pool.evaluate(scalarOf(kid), elements),
    sign: async (kid, data) => sign(null, data, signing(kid).key),
    publicKey: (kid) => signing(kid).raw,
    mac: (kid, data) => createHmac('sha256', symmetric(kid).key).update(data).digest(),
    shared: (kid) => symmetric(kid).secret,
    has: (kid) => load(kid) !== undefined,
    create: async (kid, kind) => {
      if (load(kid) === undefined) createDurably(join(dir, `${checked(kid)}.${kind}`), await seed(kind), 0o600)
    },
    destroy: async (kid) => {
      held.delete(kid)
      for (const kind of ['ed25519', 'symmetric', 'oprf']) removeDurably(join(dir, `${checked(kid)}.${kind}`))
    },
    seal: (kid, plaintext, aad) => {
      const iv = nonce()
      const cipher = createCipheriv('aes-256-gcm', symmetric(kid).key, iv).setAAD(aad)
      return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    },
    open: (kid, sealed, aad) => {
      const decipher = createDecipheriv('aes-256-gcm', symmetric(kid).key, sealed.subarray(0, 12), TAG).setAAD(aad)
      decipher.setAuthTag(sealed.subarray(-16))
      return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])
    },
  }
}

function checked(kid: string): string {
  if (!KID.test(kid)) throw new TypeError('key id')
  return kid
}

function hold(kind: KeyKind, bytes: Buffer): Held {
  if (kind === 'symmetric') return { kind, secret: bytes, key: createSecretKey(bytes) }
  if (kind === 'oprf') return { kind, scalar: new Uint8Array(bytes) }
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, bytes]), format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  return { kind, key, raw: new Uint8Array(raw) }
}

async function seed(kind: KeyKind): Promise<Uint8Array> {
  if (kind === 'symmetric') return randomBytes(32)
  if (kind === 'oprf') return (await openSodiumGroup()).scalarFrom(randomBytes(64))
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
}

function readKey(path: string): Buffer | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if ((stat.mode & 0o077) !== 0) throw new StartRefused(`${path}: other users may read it; chmod 600`)
  if (process.getuid !== undefined && stat.uid !== process.getuid()) {
    throw new StartRefused(`${path}: belongs to another user; chown it to the one the node runs as`)
  }
  const bytes = readFileSync(path)
  if (bytes.length !== 32) throw new StartRefused(`${path}: is not a key of 32 bytes`)
  return bytes
}
