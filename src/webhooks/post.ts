import { type LookupAddress, lookup as lookUpName } from 'node:dns'
import { request } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { answerTo } from '../kernel/answer-to.ts'
import { isInside } from './address.ts'
import { ATTEMPT_MS, type Fault, faultOf } from './schedule.ts'

export interface Posting {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
}

export interface PosterOptions {
  /** A trial on one machine calls itself; a node in production calls nobody inside. */
  allowInside: boolean
  /** Further authorities that sign certificates of receivers, PEM. */
  ca?: string | undefined
  /** Shown to receivers that ask for a certificate: the node's own, PEM. */
  identity?(): Promise<{ key: string; chain: string }>
  timeoutMs?: number
  lookup?: typeof lookUpName
}

export interface Poster {
  /** Undefined once it was taken. Nothing of the answer but its status is read, and no redirect is followed. */
  post(posting: Posting): Promise<Fault | undefined>
}

const HEADERS_MAX = 16_384

class Inside extends Error {}

/** Connects to the very address that was looked at: a name that changes in between leads nowhere else. */
export function createPoster(options: PosterOptions): Poster {
  const { allowInside, ca, identity, timeoutMs = ATTEMPT_MS, lookup = lookUpName } = options
  const checked: LookupFunction = (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      const addresses = found as LookupAddress[] | undefined
      if (error !== null || addresses?.[0] === undefined) return done(error ?? new Error('no address'), '', 0)
      if (!allowInside && addresses.some(({ address }) => isInside(address))) return done(new Inside(), '', 0)
      if (options.all === true) return done(null, addresses)
      done(null, addresses[0].address, addresses[0].family)
    })
  }
  const posted = ({ url, headers, body }: Posting, own: { key: string; chain: string } | undefined) =>
    new Promise<Fault | undefined>((resolve) => {
      const { hostname } = new URL(url)
      const literal = hostname.replace(/^\[|\]$/g, '')
      // A name is looked up by `checked`; what is an address already is not.
      if (!allowInside && isIP(literal) !== 0 && isInside(literal)) return resolve('inside')
      const asking = request(url, {
        ...{ method: 'POST', agent: false, lookup: checked, maxHeaderSize: HEADERS_MAX },
        ...(ca !== undefined && { ca }),
        ...(own !== undefined && { key: own.key, cert: own.chain }),
        headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.timeout(timeoutMs),
      })
      answerTo(asking).then(
        (answer) => {
          resolve(faultOf(answer.statusCode ?? 0))
          answer.destroy()
        },
        (error: Error) => resolve(nameOf(error)),
      )
      asking.end(body)
    })
  return { post: async (posting) => posted(posting, await identity?.()) }
}

function nameOf(error: Error): Fault {
  if (error instanceof Inside) return 'inside'
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'timeout'
  const { code = '' } = error as { code?: string }
  return /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(code) ? 'untrusted' : 'unreachable'
}
