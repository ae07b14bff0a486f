import type { IncomingMessage } from 'node:http'
import type { FeedList } from '../../feeds/schema.ts'
import { feedbackToStix } from '../../interop/stix/feedback.ts'
import { type StixText, stixText } from '../../interop/stix/text.ts'
import { toStix } from '../../interop/stix/to-stix.ts'
import { taxiiError } from '../../interop/taxii/answer.ts'
import { collectionId } from '../../interop/taxii/collection-id.ts'
import {
  type AskedPage,
  type TaxiiPage,
  type TaxiiRecord,
  type TaxiiStore,
  type TaxiiWrites,
  taxiiRecord,
} from '../../interop/taxii/port.ts'
import { answerTaxii } from '../../interop/taxii/protocol.ts'
import { standingAfter, withStanding } from '../../interop/taxii/standing.ts'
import { Refusal } from '../../kernel/errors.ts'
import { SLUG, type Uuid } from '../../kernel/ids.ts'
import type { SignalItem } from '../../signals/schema.ts'
import { bytesOf } from '../body.ts'
import type { Answer, Route } from '../server.ts'
import type { ForeignClient, ForeignClients } from './clients.ts'
import type { Reads } from './reads.ts'
import type { SaidRow, Signed } from './writes.ts'

export interface TaxiiBridgeOptions {
  clients: ForeignClients
  reads: Reads
  programme: string
  feeds(): readonly FeedList['feeds'][number][]
  /** Where others say what became of our own signals. */
  inboxes(): readonly FeedList['feeds'][number][]
  suiteOf(kid: string): string | undefined
  ready(): Promise<void>
  writes: TaxiiWrites<ForeignClient>
  /** Whether the platform may share with an audience. */
  mayShare(audience: string | null): boolean
  /** Of what clients bring back. */
  cursorKey: Uint8Array
  onWithheld(why: string): void
}

/** TAXII on loopback, from the mirror: a client shows its secret as a password. */
export function taxiiBridgeRoutes(options: TaxiiBridgeOptions): Route {
  const store = mirrorStore(options)
  return {
    ...{ method: '*', path: '/taxii2/*', foreign: { at: /^\/taxii2(?:\/|$)/, refuse: answered(taxiiError) } },
    async answer(request, _response, { target, requestId }) {
      if (request.method !== 'POST') request.resume()
      const client = clientOf(options, request)
      await options.ready()
      const [path = '', query = ''] = target.split(/\?(.*)/s, 2)
      const { method = '', headers } = request
      const said = { accept: headers.accept, contentType: headers['content-type'], body: () => bytesOf(request) }
      const asked = { id: requestId, method, path, query, ...said }
      return await answerTaxii(asked, { store, cursorKey: options.cursorKey, by: client, who: client.name })
    },
  }
}

const answered =
  (make: typeof taxiiError) =>
  (...given: Parameters<typeof taxiiError>): NonNullable<Answer> =>
    make(...given)

/** HTTP Basic (RFC 7617): the name of the client, and its secret. */
function clientOf({ clients }: TaxiiBridgeOptions, { headers }: IncomingMessage): ForeignClient {
  const [, encoded = ''] = /^Basic ([A-Za-z0-9+/=]{1,512})$/i.exec(headers.authorization ?? '') ?? []
  const [name, secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  const client = clients.of(secret)
  if (client === undefined || client.name !== name)
    throw new Refusal('bridge-secret', { detail: 'name and secret of a client: aldis bridge client add' })
  return client
}

const SCAN = 1_000

function mirrorStore(options: TaxiiBridgeOptions): TaxiiStore<ForeignClient> {
  const { reads, programme, feeds, inboxes, writes, mayShare } = options
  return {
    programme,
    writes,
    collections: async ({ write = false }) =>
      [...feeds(), ...inboxes()]
        .map(({ feed, kind, label, audience }) => ({
          ...{ id: collectionId(feed), ...(SLUG.test(label) ? { alias: label } : {}), title: label },
          ...{ can_read: true, can_write: write && kind === 'audience' && mayShare(audience) },
        }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    async read(_client, collection, asked, render) {
      const found = [...feeds(), ...inboxes()].find(({ feed }) => collectionId(feed) === collection)
      if (found === undefined) throw new Refusal('not-found')
      const { feed, kind } = found
      const standing = standingAfter(programme, asked)
      const page =
        kind === 'inbox'
          ? pageOf(
              rowsAfter(asked, (...range) => reads.said(feed, ...range)),
              saidRecord,
              asked,
              standing.room,
            )
          : pageOf(
              rowsAfter(asked, (...range) => reads.objects(feed, ...range)),
              signRecord(options),
              asked,
              standing.room,
            )
      return render(withStanding(standing, page)).answer
    },
  }
}

const signRecord =
  ({ suiteOf, onWithheld }: TaxiiBridgeOptions) =>
  (sign: Signed): TaxiiRecord | undefined => {
    const mapped = toStix(versionOf(sign), { suiteOf })
    if ('withheld' in mapped) return void onWithheld(mapped.withheld)
    return recordOf(sign, mapped.object)
  }

function saidRecord({ at_ms: at, ...said }: SaidRow): TaxiiRecord {
  const object = feedbackToStix({ ...said, at })
  return recordOf(said, stixText(object, String(object['modified'])))
}

const recordOf = ({ seq, added_us }: Placed, object: StixText): TaxiiRecord =>
  taxiiRecord({ at: BigInt(seq), added: BigInt(added_us) }, object)

type Placed = Pick<Signed, 'seq' | 'added_us'>

function pageOf<Row extends Placed>(
  rows: Iterable<Row>,
  toRecord: (row: Row) => TaxiiRecord | undefined,
  asked: AskedPage,
  limit: number,
): TaxiiPage {
  const records: TaxiiRecord[] = []
  let to = 'at' in asked.after ? asked.after.at : 0n
  for (const row of rows) {
    if (records.length === limit) return { records, more: true, to }
    to = BigInt(row.seq)
    const record = toRecord(row)
    if (record !== undefined && asked.wants(record)) records.push(record)
  }
  return { records, more: false, to }
}

type Range = [from: { after: number } | { addedUs: number }, limit: number, objects: readonly string[] | undefined]

/** In their order; those that are asked for, where some are named. */
function* rowsAfter<Row extends Placed>({ after, ids }: AskedPage, read: (...range: Range) => Row[]): Generator<Row> {
  const objects = ids?.map((id) => id.split('--')[1] ?? '')
  let from: Range[0] =
    'at' in after ? { after: Number(after.at > 0n ? after.at : 0n) } : { addedUs: Number(after.added) }
  for (;;) {
    const rows = read(from, SCAN, objects)
    yield* rows
    const last = rows.at(-1)
    if (rows.length < SCAN || last === undefined) return
    from = { after: last.seq }
  }
}

type Version = Parameters<typeof toStix>[0]

const versionOf = (sign: Signed): Version => ({
  ...{ type: sign.kind as Version['type'], source: sign.source, signal: sign.signal as Uuid, revision: sign.revision },
  ...{ event: sign.event as Uuid, reason: sign.reason ?? undefined },
  item: sign.state === 'live' && sign.item !== null ? (JSON.parse(sign.item) as SignalItem) : undefined,
  firstType: (sign.first_type ?? undefined) as SignalItem['type'] | undefined,
  ...{ created: sign.created_ms, modified: sign.modified_ms },
})
