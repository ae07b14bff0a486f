import { createHmac } from 'node:crypto'
import { utf8 } from '../kernel/bytes.ts'

/** One message as Standard Webhooks sign it. */
export interface SignedPart {
  id: string
  /** Seconds since the epoch, of this attempt. */
  seconds: number
  body: string
}

/** Both that the specification knows: `v1` for whoever has the endpoint's secret, `v1a` for whoever has the node's public key. */
export interface SigningKeys {
  /** The one in force, and after a rotation the former one for a while. */
  secrets: readonly Uint8Array[]
  /** Ed25519 (RFC 8032). */
  sign(data: Uint8Array): Promise<Uint8Array>
}

const SECRET_PREFIX = 'whsec_'
const PUBLIC_KEY_PREFIX = 'whpk_'

/** As receivers are given it. */
export const secretText = (secret: Uint8Array): string => `${SECRET_PREFIX}${Buffer.from(secret).toString('base64')}`
export const publicKeyText = (key: Uint8Array): string => `${PUBLIC_KEY_PREFIX}${Buffer.from(key).toString('base64')}`

/** The headers that name and sign a message; receivers take one signature that holds. */
export async function signedHeaders(
  { id, seconds, body }: SignedPart,
  { secrets, sign }: SigningKeys,
): Promise<Readonly<Record<string, string>>> {
  const text = `${id}.${seconds}.${body}`
  const macs = secrets.map((secret) => `v1,${createHmac('sha256', secret).update(text).digest('base64')}`)
  const signature = Buffer.from(await sign(utf8(text))).toString('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': [...macs, `v1a,${signature}`].join(' '),
  }
}
