import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'
import type { Uuid } from '../kernel/ids.ts'
import type { DeliveryList, EndpointList, EndpointSecret, FeedEndpoint, MessageName } from '../webhooks/schema.ts'
import { VerificationFailed } from './errors.ts'
import { keyed } from './transport.ts'

/** Where our systems are told that feeds grew. */
export interface WebhookClient {
  list(): Promise<EndpointList>
  /** Under an id of our choice: repeated, it answers the same. */
  add(endpoint: Uuid, asked: FeedEndpoint): Promise<EndpointSecret>
  /** To the secret of this number, one more than the present one's; repeated, it answers the same. */
  rotate(endpoint: Uuid, secret_no: number): Promise<EndpointSecret>
  /** Posts a message that says nothing. */
  test(endpoint: Uuid, test: Uuid): Promise<MessageName>
  deliveries(endpoint: Uuid): Promise<DeliveryList>
  redeliver(endpoint: Uuid, message: string): Promise<MessageName>
  end(endpoint: Uuid): Promise<void>
}

interface Asking {
  get<T>(path: string): Promise<T>
  send<T>(method: 'POST' | 'PUT', path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<T>
}

export function webhooksOver({ get, send }: Asking): WebhookClient {
  const at = (endpoint: Uuid): string => `/v1/webhooks/${endpoint}`
  return {
    list: () => get('/v1/webhooks'),
    add: (endpoint, asked) => send('PUT', at(endpoint), asked),
    rotate: (endpoint, secret_no) => send('POST', `${at(endpoint)}/rotation`, { secret_no }),
    test: (endpoint, test) => send('POST', `${at(endpoint)}/test`, { test }),
    deliveries: (endpoint) => get(`${at(endpoint)}/deliveries`),
    redeliver: (endpoint, message) =>
      send('POST', `${at(endpoint)}/deliveries/${encodeURIComponent(message)}/redelivery`, undefined, keyed()),
    end: async (endpoint) => {
      await send('POST', `${at(endpoint)}/end`, undefined, keyed())
    },
  }
}

/** By which a receiver knows the node: the secret of the endpoint, or the public key of the node, as either is shown. */
export type WebhookKey = { secret: string } | { publicKey: string }

/** Seconds by which the time of a message may differ from ours (Standard Webhooks). */
const TOLERANCE = 300
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * What a webhook says, once one of its signatures holds; throws `VerificationFailed` otherwise. `body`: the very bytes that came.
 * Whoever receives also refuses an id that it had.
 */
export function readWebhook(
  message: { headers: Readonly<Record<string, string | string[] | undefined>>; body: string },
  key: WebhookKey,
  now: Date = new Date(),
): { id: string; type: string; timestamp: string; data: Readonly<Record<string, unknown>> } {
  const header = (name: string): string => {
    const value = message.headers[name]
    if (typeof value !== 'string') throw new VerificationFailed('webhook', `the header ${name} is missing`)
    return value
  }
  const [id, time, signatures] = [header('webhook-id'), header('webhook-timestamp'), header('webhook-signature')]
  if (!/^[0-9]{1,12}$/.test(time) || Math.abs(Number(time) - now.getTime() / 1_000) > TOLERANCE)
    throw new VerificationFailed('webhook', 'it is of another time than now')
  const text = Buffer.from(`${id}.${time}.${message.body}`)
  const holds = 'secret' in key ? isMac(text, key.secret) : isSigned(text, key.publicKey)
  if (!signatures.split(' ').some(holds)) throw new VerificationFailed('webhook', 'no signature of it holds')
  return { ...(JSON.parse(message.body) as { type: string; timestamp: string; data: Record<string, unknown> }), id }
}

function isMac(text: Buffer, secret: string): (signature: string) => boolean {
  const mac = createHmac('sha256', bytesOf(secret, 'whsec_')).update(text).digest()
  return (signature) => {
    const given = signature.startsWith('v1,') ? Buffer.from(signature.slice(3), 'base64') : Buffer.alloc(0)
    return given.length === mac.length && timingSafeEqual(given, mac)
  }
}

function isSigned(text: Buffer, publicKey: string): (signature: string) => boolean {
  const der = Buffer.concat([SPKI, bytesOf(publicKey, 'whpk_')])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return (signature) =>
    signature.startsWith('v1a,') && verify(null, text, key, Buffer.from(signature.slice(4), 'base64'))
}

function bytesOf(text: string, prefix: string): Buffer {
  const bytes = Buffer.from(text.slice(prefix.length), 'base64')
  if (!text.startsWith(prefix) || bytes.length !== 32)
    throw new VerificationFailed('webhook', `a key is ${prefix} and 32 bytes in base64`)
  return bytes
}
