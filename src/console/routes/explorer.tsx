import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../kernel/errors.ts'
import { BUNDLE, formatBundle } from '../../provenance/bundle.ts'
import { filterText, type LogFilter, parseFilter } from '../../provenance/explore-filter.ts'
import type { LogRow, Looker } from '../../provenance/explorer.ts'
import { BUNDLE_MAX, ROWS_MAX } from '../../provenance/schema.ts'
import { links } from '../links.ts'
import { LOOKERS, type Looking, lookerIn } from '../looking.ts'
import { ExplorerPage } from '../pages/explorer.tsx'
import { sendPage } from '../render.tsx'

const AS_LOOKER = { config: { roles: LOOKERS } } as const
/** Rows of a page. */
const PAGE = 100
const INDEX = /^(0|[1-9][0-9]{0,17})$/

/** The sharing log: what happened, found by a filter that is text, chips and address alike. */
export const explorerRoutes: FastifyPluginAsync<{ looking: Looking }> = async (app, { looking }) => {
  app.get(links.explorer(), AS_LOOKER, async (request, reply) => {
    const { q, below } = askedIn(request.query)
    return showPage(looking, request, reply, { filter: parseFilter(q), below })
  })

  app.get(links.findEntries(), AS_LOOKER, async (request, reply) => {
    const { text = '' } = request.query as { text?: unknown }
    const typed = typeof text === 'string' ? text : ''
    try {
      return reply.redirect(links.explorer({ q: filterText(parseFilter(typed)) || undefined }), 303)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return showUnread(looking, request, reply.code(422), { typed, refusal: error })
    }
  })

  app.get(links.logFile(), AS_LOOKER, async (request, reply) => {
    const { q, below, form, rows } = askedIn(request.query)
    const write = Object.hasOwn(FORMS, form) ? FORMS[form] : undefined
    if (write === undefined) throw new Refusal('invalid-query', { detail: 'a file is csv, ndjson or proofs' })
    const by = lookerIn(looking, request.viewer)
    const filter = parseFilter(q)
    const most = Math.min(form === 'proofs' ? BUNDLE_MAX : ROWS_MAX, rows ?? Number.POSITIVE_INFINITY)
    // Recorded, and counted, before the first byte.
    const found = await looking.explorer.rows(by, { filter, form, most, below })
    const text = await write(looking, { by, rows: found, filter })
    const [type, extension] = TYPES[form] ?? ['text/plain', 'txt']
    return reply
      .type(`${type}; charset=utf-8`)
      .header(
        'content-disposition',
        `attachment; filename="log-${found.at(-1)?.index ?? 0}-${found[0]?.index ?? 0}.${extension}"`,
      )
      .send(text)
  })
}

const TYPES: Readonly<Record<string, readonly [type: string, extension: string]>> = {
  csv: ['text/csv', 'csv'],
  ndjson: ['application/x-ndjson', 'ndjson'],
  proofs: ['application/x-ndjson', 'proofs.ndjson'],
}

interface Written {
  by: Looker
  rows: readonly LogRow[]
  filter: LogFilter
}

const FORMS: Readonly<Record<string, (looking: Looking, written: Written) => Promise<string>>> = {
  csv: async (_, { rows }) => tableOf(rows),
  ndjson: async (_, { rows }) => rows.map((row) => `${JSON.stringify(lineOf(row))}\n`).join(''),
  proofs: proofsOf,
}

const lineOf = ({ index, at, ...row }: LogRow) => ({ index: String(index), at: at.toISOString(), ...row })

/** RFC 4180; nothing in it can be a formula, since every value is a number, an id, an instant or a name of the node's own. */
const tableOf = (rows: readonly LogRow[]): string =>
  [
    'index,time,actor,kind,recipients,event,check',
    ...rows.map(({ index, at, actor, kind, recipients, event, state }) =>
      [index, at.toISOString(), actor, kind, recipients.join(' '), event, state].join(','),
    ),
    '',
  ].join('\r\n')

async function proofsOf({ explorer, ledger, origin, clock }: Looking, { by, rows, filter }: Written): Promise<string> {
  if (rows.some(({ state }) => state === 'failed'))
    throw new Refusal('answer-unverified', {
      detail: 'among the entries are some that do not fit the signed log: nothing is exported as proven',
    })
  const entries = []
  for (const { index, event } of rows) {
    const given = await explorer.proof(by, event)
    entries.push({ index: String(index), event, receipt: given === 'pending' ? null : given })
  }
  const head = { origin, vkey: ledger.vkey(), made_at: clock().toISOString(), filter: filterText(filter) }
  return formatBundle({ bundle: BUNDLE, ...head, entries: entries.length }, entries)
}

interface Query {
  q: string
  below: bigint | undefined
  form: string
  rows: number | undefined
}

function askedIn(query: unknown): Query {
  const { q = '', below = '', form = '', rows = '', ...more } = query as Readonly<Record<string, unknown>>
  const texts = [q, below, form, rows]
  if (Object.keys(more).length > 0 || !texts.every((one) => typeof one === 'string')) throw new Refusal('invalid-query')
  const [text = '', place = '', name = '', count = ''] = texts as string[]
  if ((place !== '' && !INDEX.test(place)) || (count !== '' && !/^[1-9][0-9]{0,4}$/.test(count)))
    throw new Refusal('invalid-query', { detail: 'a page begins below the number of an entry' })
  return {
    ...{ q: text, form: name },
    ...{ below: place === '' ? undefined : BigInt(place), rows: count === '' ? undefined : Number(count) },
  }
}

const PAGE_OF = {
  title: 'Sharing log',
  current: 'explorer',
  styles: ['review.css', 'log.css'],
  scripts: ['explorer.js'],
} as const

async function showPage(
  looking: Looking,
  request: FastifyRequest,
  reply: FastifyReply,
  { filter, below }: { filter: LogFilter; below: bigint | undefined },
): Promise<FastifyReply> {
  const { viewer, shell } = request
  const by = lookerIn(looking, viewer)
  const page = await looking.explorer.page(by, { filter, below, limit: PAGE })
  const view = { filter, below, page, sees: by.sees, own: by.slug, health: shell.log, now: looking.clock() }
  return sendPage(
    reply,
    { viewer, ...PAGE_OF },
    <ExplorerPage {...view} contact={looking.contact} log={{ id: looking.logId, vkey: looking.ledger.vkey() }} />,
  )
}

function showUnread(
  looking: Looking,
  { viewer, shell }: FastifyRequest,
  reply: FastifyReply,
  unread: { typed: string; refusal: Refusal },
): FastifyReply {
  const by = lookerIn(looking, viewer)
  const view = { filter: { terms: [] }, below: undefined, page: undefined, sees: by.sees, own: by.slug }
  return sendPage(
    reply,
    { viewer, ...PAGE_OF },
    <ExplorerPage
      {...view}
      {...{ unread, health: shell.log, now: looking.clock(), contact: looking.contact }}
      log={{ id: looking.logId, vkey: looking.ledger.vkey() }}
    />,
  )
}
