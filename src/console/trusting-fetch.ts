import { type RequestOptions, request } from 'node:https'
import { getCACertificates } from 'node:tls'
import { answerTo } from '../kernel/answer-to.ts'

const TIMEOUT_MS = 10_000
const ANSWER_MAX = 1_048_576

export interface Asked {
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: unknown
  signal?: AbortSignal | undefined
}

/**
 * A fetch that verifies servers with one more authority, and nothing else of the process does. No redirect is followed;
 * an answer is at most 1 MiB and comes within ten seconds.
 */
export function trustingFetch(ca: string | undefined): (url: string, asked: Asked) => Promise<Response> {
  const trusted = ca === undefined ? undefined : [...getCACertificates('default'), ca]
  return (url, { method = 'GET', headers = {}, body, signal }) =>
    new Promise((resolve, reject) => {
      const bytes = bytesOf(body)
      const options: RequestOptions = {
        ...{ method, headers: { ...headers, 'content-length': String(bytes.length) }, timeout: TIMEOUT_MS },
        ...(trusted !== undefined && { ca: trusted }),
        ...(signal !== undefined && { signal }),
        // A connection that was kept would be verified by whoever made it first.
        agent: false,
      }
      const asking = request(new URL(url), options)
      answerTo(asking).then((answer) => {
        const chunks: Buffer[] = []
        let size = 0
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > ANSWER_MAX) asking.destroy(new Error('the identity provider answers more than 1 MiB'))
          chunks.push(chunk)
        })
        answer.on('error', reject)
        answer.on('end', () => resolve(responseOf(answer.statusCode ?? 500, answer.headers, Buffer.concat(chunks))))
      }, reject)
      asking.on('timeout', () => asking.destroy(new Error('the identity provider does not answer')))
      asking.on('error', reject)
      asking.end(bytes)
    })
}

function bytesOf(body: unknown): Buffer {
  if (body === undefined || body === null) return Buffer.alloc(0)
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(String(body))
  if (body instanceof Uint8Array) return Buffer.from(body)
  throw new TypeError('a body that is neither text nor bytes')
}

function responseOf(status: number, from: NodeJS.Dict<string | string[]>, body: Buffer): Response {
  const headers = new Headers()
  for (const [name, value] of Object.entries(from)) {
    for (const one of [value ?? []].flat()) headers.append(name, one)
  }
  const empty = status === 204 || status === 304
  return new Response(empty ? null : new Uint8Array(body), { status, headers })
}
