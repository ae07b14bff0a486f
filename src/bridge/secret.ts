import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { readSecret } from '../client/files.ts'
import { createDurably } from '../kernel/durable.ts'
import { StartRefused } from '../kernel/errors.ts'

export const secretFile = (home: string): string => join(home, 'bridge', 'secret')

/** What clients of the bridge show, and what only the bridge can compute. */
export interface BridgeSecret {
  /** Whether an `Authorization` header carries it; in a time that tells nothing of it. */
  isIn(authorization: string | undefined): boolean
  /** Of a request's body: who reads it on the disk can try no identifiers against it. */
  digest(kind: string, body: Uint8Array): string
}

const SECRET = /^[A-Za-z0-9_-]{43}$/
const SHOWN = /^Bearer ([A-Za-z0-9_-]{43})$/i

/** The secret of a home, made at first use and kept 0600. Throws `StartRefused` where others may read it, or it is none. */
export function openSecret(home: string): BridgeSecret {
  const path = secretFile(home)
  createSecret(path)
  const text = readSecret(path)?.trim() ?? ''
  if (!SECRET.test(text)) throw new StartRefused(`${path}: is no secret; take it away, and another one is made`)
  const own = sha256(text)
  return {
    isIn(authorization) {
      const shown = SHOWN.exec(authorization ?? '')?.[1]
      return shown !== undefined && timingSafeEqual(sha256(shown), own)
    },
    digest: (kind, body) => createHmac('sha256', text).update(`${kind}\0`).update(body).digest('hex'),
  }
}

function createSecret(path: string): void {
  if (readSecret(path) === undefined) createDurably(path, `${randomBytes(32).toString('base64url')}\n`, 0o600)
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
