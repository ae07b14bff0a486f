import { readFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { secretFile } from '../../src/bridge/secret.ts'

export interface Got {
  status: number
  headers: IncomingHttpHeaders
  text: string
  body: Record<string, unknown>
}

/** How a request differs from a good one; a header that is undefined is left out. */
export interface Sent {
  method?: string
  body?: unknown
  headers?: Readonly<Record<string, string | undefined>>
}

/** A program beside the bridge: plain HTTP, with the secret of the home. */
export function bridgeClient(bridge: { origin: string }, home: string) {
  return (path: string, { method, body, headers = {} }: Sent = {}): Promise<Got> => {
    const secret = readFileSync(secretFile(home), 'utf8').trim()
    const all: Record<string, string | undefined> = {
      authorization: `Bearer ${secret}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    }
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >
    return new Promise((resolve, reject) => {
      const options = { method: method ?? (body === undefined ? 'GET' : 'POST'), headers: sent, agent: false as const }
      const out = request(new URL(path, bridge.origin), options, async (message) => {
        const chunks: Buffer[] = []
        for await (const chunk of message) chunks.push(chunk as Buffer)
        const text = Buffer.concat(chunks).toString()
        const json =
          message.headers['content-type']?.includes('json;') || message.headers['content-type']?.endsWith('json')
        resolve({
          ...{ status: message.statusCode ?? 0, headers: message.headers, text },
          body: json && !path.endsWith('/stream') ? (JSON.parse(text) as Record<string, unknown>) : {},
        })
      })
      out.on('error', reject)
      out.end(body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body))
    })
  }
}
