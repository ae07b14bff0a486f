import type { Client } from '../client/client.ts'
import { AldisError, AnswerTooLong, VerificationFailed } from '../client/errors.ts'
import type { Home } from '../client/home.ts'
import { isErrorCode, Refusal } from '../kernel/errors.ts'
import { MatcherFailed } from '../matching/refused.ts'

/** The connection to the node. */
export interface NodeLink {
  readonly home: Home
  /** With the certificate that the home has now. */
  client(): Client
  /**
   * Asks the node for somebody who waits. A node that did not answer is taken to be away for some seconds more: each question would
   * else wait through all retries. Throws `node-needed` then, and whatever else the work throws.
   */
  ask<T>(work: () => Promise<T>): Promise<T>
  close(): void
}

const AWAY_MS = 5_000
const NO_ANSWER = 'the node does not answer'

export function openLink(home: Home): NodeLink {
  const clients: Client[] = []
  let certificate = ''
  let current: Client | undefined
  let awayAt = Number.NEGATIVE_INFINITY
  return {
    home,
    client() {
      const present = home.certificate()
      if (current === undefined || present !== certificate) {
        // The former one may be in use: it is closed with the bridge, its idle connections by the node.
        current = home.connect()
        certificate = present
        clients.push(current)
      }
      return current
    },
    async ask(work) {
      if (performance.now() - awayAt < AWAY_MS) throw new Refusal('node-needed', { detail: NO_ANSWER, retryAfter: 5 })
      try {
        return await work()
      } catch (error) {
        if (isAway(error)) awayAt = performance.now()
        throw error
      }
    },
    close() {
      for (const client of clients) client.close()
    },
  }
}

/** Whether the node was not reached, or cannot work now: what was asked may be asked again. */
export function isAway(error: unknown): boolean {
  if (error instanceof AldisError) return error.status >= 500 || error.status === 429 || error.status === 408
  if (error instanceof VerificationFailed || error instanceof AnswerTooLong || error instanceof Refusal) return false
  return error instanceof Error && OF_CONNECTIONS.test((error as NodeJS.ErrnoException).code ?? '')
}

/** What Node calls faults of sockets, names, TLS and HTTP; those of files are not among them. */
const OF_CONNECTIONS =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|EAI_|ENOTFOUND|EADDRNOTAVAIL|ERR_TLS|ERR_SSL|ERR_STREAM|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HPE_)/

/** What a client of the bridge is told of a failure at the node. Never what the node wrote: its words may repeat ours. */
export function refusalAtNode(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof AldisError && error.status < 500) {
    const code = isErrorCode(error.code) ? error.code : 'internal'
    const options = error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }
    return new Refusal(code, { ...options, detail: 'the node says so', cause: error })
  }
  if (error instanceof MatcherFailed) return new Refusal('busy', { cause: error, retryAfter: 1 })
  if (error instanceof VerificationFailed || error instanceof AnswerTooLong)
    return new Refusal('answer-unverified', { cause: error })
  if (isAway(error)) return new Refusal('node-needed', { detail: NO_ANSWER, retryAfter: 5, cause: error })
  return new Refusal('internal', { cause: error })
}
