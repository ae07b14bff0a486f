import { createHmac } from 'node:crypto'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { LIMITS } from '../http/limits.ts'
import { answerTo } from '../kernel/answer-to.ts'
import type { Log } from '../kernel/log.ts'
import type { AlarmChange } from './alarms.ts'

export interface WebhookOptions {
  /** https, or http on loopback; see the setting. */
  url: string
  /** `whsec_` and base64, by Standard Webhooks; unsigned without. */
  secret: string | undefined
  /** The node's public origin, so that one receiver serves several. */
  node: string
  newId(): string
  clock(): Date
  log: Log
  /** Milliseconds for one attempt, and before the second one; doubled before each further. */
  timeoutMs?: number
  firstDelayMs?: number
}

export interface Webhook {
  /** One after the other, in the order of the changes; does not wait. */
  send(change: AlarmChange): void
  /** Resolves when nothing waits. */
  idle(): Promise<void>
  stop(): Promise<void>
}

const FIRST_DELAY_MS = 1_000
const HEADERS_MAX = 16_384

/**
 * Posts each change of an alarm. An answer other than 2xx, a redirect too, is a failure; so is none in time. The same id
 * at each attempt. After the last attempt the change is dropped, which the log says.
 */
export function createWebhook(options: WebhookOptions): Webhook {
  const { log, timeoutMs = LIMITS.alarm_seconds * 1_000, firstDelayMs = FIRST_DELAY_MS } = options
  const stopping = new AbortController()
  let waiting = 0
  let last: Promise<void> = Promise.resolve()

  const deliver = async (change: AlarmChange): Promise<void> => {
    const id = `msg_${options.newId()}`
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)])
      const status = await post(messageOf(options, { change, id }), signal).catch((error: unknown) => {
        if (!stopping.signal.aborted) log.warn({ name: change.name, error }, 'the alarm webhook did not answer')
        return 0
      })
      if (status >= 200 && status < 300) return
      if (status !== 0) log.warn({ name: change.name, status }, 'the alarm webhook refused')
      if (attempt === LIMITS.alarm_attempts) return log.error({ name: change.name }, 'an alarm was not delivered')
      await delay(firstDelayMs * 2 ** (attempt - 1), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  return {
    send(change) {
      if (waiting >= LIMITS.alarm_queue) return log.error({ name: change.name }, 'an alarm was not delivered')
      waiting += 1
      last = last
        .then(() => deliver(change))
        .finally(() => {
          waiting -= 1
        })
    },
    idle: () => last,
    async stop() {
      stopping.abort()
      await last
    },
  }
}

interface Message {
  url: URL
  headers: Readonly<Record<string, string>>
  body: string
}

/** Names and times alone; no value of anything. */
function messageOf(
  { url, secret, node, clock }: WebhookOptions,
  { change, id }: { change: AlarmChange; id: string },
): Message {
  const body = JSON.stringify({ name: change.name, state: change.state, at: change.at.toISOString(), node })
  const seconds = String(Math.floor(clock().getTime() / 1_000))
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'webhook-id': id,
    'webhook-timestamp': seconds,
    ...(secret === undefined ? {} : { 'webhook-signature': `v1,${signature(secret, `${id}.${seconds}.${body}`)}` }),
  }
  return { url: new URL(url), headers, body }
}

const signature = (secret: string, text: string): string =>
  createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
    .update(text)
    .digest('base64')

/** The status; of the answer's body nothing is taken. */
async function post({ url, headers, body }: Message, signal: AbortSignal): Promise<number> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  const out = request(url, { method: 'POST', headers, signal, agent: false, maxHeaderSize: HEADERS_MAX })
  out.end(body)
  const answer = await answerTo(out)
  answer.destroy()
  return answer.statusCode ?? 0
}
