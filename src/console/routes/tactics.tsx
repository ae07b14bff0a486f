import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type RevisionPlace, WORDS_TYPES, type WordsInfo, type WordsList } from '../../feeds/pattern-schema.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { SlugSchema, UuidSchema } from '../../kernel/schema.ts'
import { diffPatterns } from '../../matching/pattern-diff.ts'
import type { SignalItem } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { type Shown, ShownPart, TacticPage } from '../pages/tactic.tsx'
import { TacticsPage } from '../pages/tactics.tsx'
import { isPart, sendPage, sendPart } from '../render.tsx'
import { ANALYSTS, readerOf } from '../reviewing.ts'
import type { Tactics } from '../tactics.ts'

const AS_ANALYST = { roles: ANALYSTS } as const
const closed = { additionalProperties: false } as const
const QUERY = Compile(
  Type.Object(
    {
      type: Type.Optional(Type.Enum([...WORDS_TYPES])),
      source: Type.Optional(SlugSchema),
      cursor: Type.Optional(Type.String({ maxLength: 80 })),
    },
    closed,
  ),
)
const RevisionParams = Type.Object(
  { source: SlugSchema, signal: UuidSchema, revision: Type.String({ pattern: '^[1-9][0-9]{0,6}$' }) },
  closed,
)
interface Asked {
  source: string
  signal: Uuid
}

/** Patterns and tactics: codes on the pages, words one by one. */
export const tacticRoutes: FastifyPluginAsync<{ tactics: Tactics }> = async (app, { tactics }) => {
  app.get('/tactics', { config: AS_ANALYST }, async (request, reply) => {
    const query = Object.fromEntries(
      Object.entries(request.query as Record<string, unknown>).filter(([, value]) => value !== ''),
    )
    if (!QUERY.Check(query)) throw new Refusal('invalid-query', { detail: 'start from the whole board' })
    const { cursor, ...filter } = query
    const { viewer, routeOptions } = request
    const { body } = await tactics.patterns(readerOf(viewer, routeOptions.url), query)
    const { patterns, next } = JSON.parse(body) as WordsList
    const page = { viewer, title: 'Tactics', current: 'tactics', styles: ['review.css', 'sent.css'] } as const
    return sendPage(
      reply,
      page,
      <TacticsPage
        {...{ viewer, filter, patterns, sources: tactics.sources(), now: tactics.clock() }}
        first={cursor === undefined ? undefined : links.tactics(filter)}
        next={next === null ? undefined : links.tactics({ ...filter, cursor: next })}
      />,
    )
  })

  const TacticParams = Type.Object({ source: SlugSchema, signal: UuidSchema }, closed)
  app.get(
    '/tactics/:source/:signal',
    { config: AS_ANALYST, schema: { params: TacticParams } },
    async (request, reply) => show(tactics, request, reply, undefined),
  )

  app.get(
    '/tactics/:source/:signal/words/:revision',
    { config: AS_ANALYST, schema: { params: RevisionParams } },
    async (request, reply) => {
      const { revision, of } = askedRevision(request)
      const revisions = await tactics.revisions(reader(request), of)
      const item = await wordsAt(tactics, request, placeOf(revisions, revision))
      return show(tactics, request, reply, { of: 'words', revision, item })
    },
  )

  app.get(
    '/tactics/:source/:signal/changes/:revision',
    { config: AS_ANALYST, schema: { params: RevisionParams } },
    async (request, reply) => {
      const { revision, of } = askedRevision(request)
      const revisions = await tactics.revisions(reader(request), of)
      const former = revisions.find((one) => one.revision < revision)
      if (former === undefined) throw new Refusal('not-found')
      const before = await wordsAt(tactics, request, former)
      const after = await wordsAt(tactics, request, placeOf(revisions, revision))
      return show(tactics, request, reply, changeOf(former.revision, before, { revision, item: after }))
    },
  )
}

function askedRevision({ params }: FastifyRequest): { revision: number; of: Asked } {
  const { revision, ...of } = params as Asked & { revision: string }
  return { revision: Number(revision), of }
}

const reader = ({ viewer, routeOptions }: FastifyRequest) => readerOf(viewer, routeOptions.url)

function placeOf(revisions: readonly RevisionPlace[], revision: number): RevisionPlace {
  const place = revisions.find((one) => one.revision === revision)
  if (place === undefined) throw new Refusal('not-found')
  return place
}

/** A revision as its source said it: a read of its own. */
async function wordsAt(tactics: Tactics, request: FastifyRequest, { feed, seq }: RevisionPlace): Promise<SignalItem> {
  const { item } = JSON.parse((await tactics.event(reader(request), feed, seq)).body) as { item?: string }
  if (item === undefined) throw new Refusal('signal-ended')
  return JSON.parse(item) as SignalItem
}

function changeOf(
  from: number,
  before: SignalItem,
  { revision: to, item: after }: { revision: number; item: SignalItem },
): Shown {
  if (before.type === 'keyword_pattern' && after.type === 'keyword_pattern')
    return { of: 'diff', from, to, diff: diffPatterns(before.value, after.value) }
  if (before.type !== 'tactic' || after.type !== 'tactic') throw new Refusal('not-found')
  const names = Object.keys(after.value) as (keyof typeof after.value)[]
  const changed = names.filter((name) => JSON.stringify(before.value[name]) !== JSON.stringify(after.value[name]))
  return { of: 'tactic-diff', from, to, changed }
}

async function show(
  tactics: Tactics,
  request: FastifyRequest,
  reply: FastifyReply,
  shown: Shown | undefined,
): Promise<FastifyReply> {
  if (shown !== undefined && isPart(request)) return sendPart(reply, <ShownPart shown={shown} />)
  const { source, signal } = request.params as Asked
  const of = { source, signal }
  const one = JSON.parse((await tactics.pattern(reader(request), of)).body) as WordsInfo
  const revisions = await tactics.revisions(reader(request), of)
  const page = {
    viewer: request.viewer,
    title: one.type === 'tactic' ? 'A tactic' : 'A pattern',
    current: 'tactics',
    styles: ['review.css', 'sent.css'],
    scripts: ['tactics.js', 'reveal.js'],
  } as const
  return sendPage(
    reply,
    page,
    <TacticPage {...{ one, revisions, now: tactics.clock(), ...(shown !== undefined && { shown }) }} />,
  )
}
