import { type IncomingMessage, request as requestInClear } from 'node:http'
import { request } from 'node:https'
import { basename } from 'node:path'
import { answerTo } from '../../kernel/answer-to.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isLoopback } from '../../kernel/loopback.ts'
import { fileInMemory, type ListFile, MANIFEST } from './list-file.ts'
import { eventsOf, type ImportFormat } from './source.ts'

/** Bounds of a list that is fetched: somebody else says how much there is, and how fast it comes. */
export const FETCH_LIMITS = {
  /** That a manifest names. */
  events: 10_000,
  /** Of all files together. They stay in memory, since their values are in the clear. */
  bytes: 268_435_456,
  /** Without a byte of an answer. */
  silent_seconds: 30,
  /** For all of it. */
  seconds: 1_800,
  /** Of one file, to the same origin. */
  redirects: 3,
  /** Files under way. */
  at_once: 4,
} as const
export type FetchLimits = { readonly [name in keyof typeof FETCH_LIMITS]: number }

export interface FetchOptions {
  format: ImportFormat
  /** Authorities of the server in place of those of the system, PEM. */
  ca?: string | undefined
  limits?: Partial<FetchLimits>
  /** Told of the files that are there, of so many. */
  onFile?(done: number, all: number): void
}

/** Whether a list is named by its address and not by its path. */
export const isAddress = (list: string): boolean => /^https?:/i.test(list)

/**
 * The files of a list by its address: of a MISP feed the manifest and its events, else the one file. Throws `list-address`,
 * `list-moved`, `list-too-large`, `list-too-slow` or `list-unavailable`, with the name of a file and no more of its address.
 */
export async function fetchList(address: string, options: FetchOptions): Promise<readonly ListFile[]> {
  const limits = { ...FETCH_LIMITS, ...options.limits }
  const url = addressIn(address)
  const over = new AbortController()
  const late = setTimeout(
    () => over.abort(tooSlow(`all of it takes more than ${limits.seconds} s`)),
    limits.seconds * 1_000,
  )
  const take = createTaker({ limits, ca: options.ca, signal: over.signal })
  try {
    if (options.format !== 'misp' || isEvent(url)) return [await take(url)]
    return await feedFiles(folderOf(url), { take, limits, onFile: options.onFile })
  } finally {
    clearTimeout(late)
    // Of files that are fetched together one may fail: the others are not waited for.
    over.abort()
  }
}

type Take = (url: URL) => Promise<ListFile>

async function feedFiles(
  folder: URL,
  { take, limits, onFile }: { take: Take; limits: FetchLimits; onFile: FetchOptions['onFile'] },
): Promise<ListFile[]> {
  const manifest = await take(new URL(MANIFEST, folder))
  const ids = await eventsOf(manifest)
  if (ids.length > limits.events)
    throw new Refusal('list-too-large', {
      detail: `${MANIFEST} names more than ${limits.events} events; fetch it by your own tool into a folder`,
      extra: { limit: limits.events },
    })
  const files: ListFile[] = []
  let next = 0
  let done = 0
  const work = async (): Promise<void> => {
    for (let i = next++; i < ids.length; i = next++) {
      files[i] = await take(new URL(`${ids[i]}.json`, folder))
      onFile?.(++done, ids.length)
    }
  }
  await Promise.all(Array.from({ length: limits.at_once }, work))
  return [manifest, ...files]
}

interface Taking {
  limits: FetchLimits
  ca: string | undefined
  signal: AbortSignal
}

/** Takes files that together have as many bytes as a list may have. */
function createTaker({ limits, ca, signal }: Taking): Take {
  let left = limits.bytes
  const bodyOf = async (answer: IncomingMessage, name: string): Promise<Buffer> => {
    const chunks: Buffer[] = []
    for await (const chunk of answer) {
      left -= (chunk as Buffer).length
      if (left < 0) {
        const detail = `the list has more than ${limits.bytes} bytes; fetch it by your own tool into a folder`
        throw new Refusal('list-too-large', { detail, extra: { limit: limits.bytes } })
      }
      chunks.push(chunk as Buffer)
    }
    if (!answer.complete) throw unavailable(name, 'the answer is cut off')
    return Buffer.concat(chunks)
  }
  return async (first) => {
    const name = basename(first.pathname) || 'the list'
    let url = first
    for (let redirects = 0; ; redirects++) {
      try {
        const answer = await ask(url, { ca, signal, silentMs: limits.silent_seconds * 1_000 })
        if (answer.statusCode === 200 && isPlain(answer)) return fileInMemory(name, await bodyOf(answer, name))
        answer.destroy()
        url = movedTo(url, { answer, name, last: redirects === limits.redirects })
      } catch (error) {
        throw refusalOf(error, name, signal)
      }
    }
  }
}

function ask(
  url: URL,
  { ca, signal, silentMs }: { ca: string | undefined; signal: AbortSignal; silentMs: number },
): Promise<IncomingMessage> {
  const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'aldis' }
  const options = { method: 'GET', agent: false, headers, signal, timeout: silentMs } as const
  const out =
    url.protocol === 'https:'
      ? request(url, { ...options, ...(ca === undefined ? {} : { ca }) })
      : requestInClear(url, options)
  let answer: IncomingMessage | undefined
  out.on('response', (message) => {
    answer = message
  })
  out.on('timeout', () => {
    const silent = tooSlow(`nothing came for ${silentMs / 1_000} s`)
    answer?.destroy(silent)
    out.destroy(silent)
  })
  out.end()
  return answerTo(out)
}

/** Compressed, a small answer could be a large list. */
const isPlain = ({ headers }: IncomingMessage): boolean =>
  ['identity', undefined].includes(headers['content-encoding']?.toLowerCase())

const REDIRECTS: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308])

/** Where else an answer says that a file is: at the same origin, or it is not followed. */
function movedTo(url: URL, { answer, name, last }: { answer: IncomingMessage; name: string; last: boolean }): URL {
  const { statusCode, headers } = answer
  if (!REDIRECTS.has(statusCode))
    throw unavailable(name, statusCode === 200 ? 'the answer is compressed' : `the server answers ${statusCode}`)
  const next = URL.parse(headers.location ?? '', url)
  if (next === null || next.origin !== url.origin || next.username !== '' || next.password !== '')
    throw new Refusal('list-moved', {
      detail: `${name}: the server sends on to another server; give that one's address if you trust it`,
    })
  if (last) throw new Refusal('list-moved', { detail: `${name}: the server names one place after another` })
  return next
}

/** Over TLS, or on this machine; a password in an address would stand in the list of processes. */
function addressIn(text: string): URL {
  const url = URL.parse(text)
  const isNear = url?.protocol === 'http:' && isLoopback(url.hostname.replaceAll(/[[\]]/g, ''))
  if (url === null || !(url.protocol === 'https:' || isNear) || url.username !== '' || url.password !== '')
    throw new Refusal('list-address')
  return url
}

const isEvent = ({ pathname }: URL): boolean => pathname.endsWith('.json') && basename(pathname) !== MANIFEST

/** Of a feed: its manifest may be named, and the slash at the end be missing. */
function folderOf({ origin, pathname, search }: URL): URL {
  // To the files of a folder it would not be passed on.
  if (search !== '') throw new Refusal('list-address', { detail: 'the address of a feed has no query' })
  const folder = basename(pathname) === MANIFEST ? pathname.slice(0, -MANIFEST.length) : pathname
  return new URL(folder.endsWith('/') ? folder : `${folder}/`, origin)
}

const tooSlow = (detail: string): Refusal => new Refusal('list-too-slow', { detail })

const unavailable = (name: string, why: string, cause?: unknown): Refusal =>
  new Refusal('list-unavailable', { detail: `${name}: ${why}`, cause })

/** A connection's failure by its code: messages of TLS repeat names and addresses. */
function refusalOf(error: unknown, name: string, signal: AbortSignal): Refusal {
  if (error instanceof Refusal) return error
  if (signal.aborted && signal.reason instanceof Refusal) return signal.reason
  const { code } = error as { code?: string }
  return unavailable(name, code ?? 'the connection failed', error)
}
