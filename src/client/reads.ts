import type { EventsPage, LookupResult, RevealAsked, RevealResult } from '../feeds/schema.ts'
import type { Uuid } from '../kernel/ids.ts'
import { ENTRY_BYTES } from '../matching/sealed.ts'
import type { HashKey } from '../participants/schema.ts'
import type { Client } from './client.ts'
import { readIn } from './headers.ts'
import { type Asks, answerDigest, type Recorded } from './recorded.ts'
import { ANSWER_MAX, type Transport } from './transport.ts'
import { readNamed } from './verify.ts'

type Reads = Pick<Client, 'hashKey' | 'reveal' | 'events' | 'lookUp' | 'network' | 'bucket' | 'open'>

interface Reading {
  transport: Transport
  recorded: Asks
  queryOf(query: Readonly<Record<string, string | number | undefined>>): string
}

/** What gives out of others, and is recorded: each with its digest as its record has it. */
export const readsOver = ({ transport, recorded, queryOf }: Reading): Reads => ({
  async hashKey(kid) {
    const key = await recorded<HashKey>({ method: 'GET', path: `/v1/hash-profiles/${encodeURIComponent(kid)}/key` })
    // Of the key itself its record has no digest, but that of its name.
    return { ...key, digest: answerDigest(kid) }
  },
  reveal: (signal, asked) => revealOver(transport, signal, asked),
  events: (feed, query, signal) =>
    recorded<EventsPage>(
      {
        ...{ method: 'GET', path: `/v1/feeds/${feed}/events${queryOf(query)}` },
        ...(signal === undefined ? {} : { signal }),
      },
      ({ events }) => events.length > 0,
    ),
  lookUp: (lookup) =>
    recorded<LookupResult>(
      { method: 'POST', path: '/v1/lookups', body: JSON.stringify(lookup) },
      ({ matches }) => matches.length > 0,
    ),
  network: (signal, query = {}) => recorded({ method: 'GET', path: `/v1/signals/${signal}/network${queryOf(query)}` }),
  async bucket({ audience, snapshot, entries }, prefix, purpose) {
    const path = `/v1/lookup/${audience}/${snapshot}/${prefix}${queryOf({ purpose })}`
    const most = Math.min(entries * ENTRY_BYTES, ANSWER_MAX)
    const { body, headers } = await transport.call({ method: 'GET', path, idempotent: true, most })
    // An empty one gives nothing out, and is not recorded.
    return { body, read: readNamed(readIn(headers), entries > 0), digest: answerDigest(body) }
  },
  open: (audience, signal, purpose) =>
    recorded({ method: 'GET', path: `/v1/audiences/${audience}/signals/${signal}${queryOf({ purpose })}` }),
})

/** Each time another entry, and one less of the day: whether to ask again is the caller's to say. */
async function revealOver(transport: Transport, signal: Uuid, asked: RevealAsked): Promise<RevealResult & Recorded> {
  const path = `/v1/signals/${signal}/reveal`
  const { body, headers } = await transport.call({
    ...{ method: 'POST', path, body: JSON.stringify(asked), idempotent: false },
  })
  const told = JSON.parse(body.toString()) as RevealResult
  // Its record has the digest of the answer without the link.
  const { value: _, ...rest } = told
  return { ...told, read: readNamed(readIn(headers)), digest: answerDigest(JSON.stringify(rest)) }
}
