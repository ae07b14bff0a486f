import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import { formReader } from '../form.ts'
import { type Href, links } from '../links.ts'
import { parseText, textOf } from '../queue-filter.ts'
import { goTo } from '../render.tsx'
import type { SavedViews, ViewScreen } from '../saved-views.ts'
import { VIEW_NAME_MAX } from '../schema.ts'
import { SENDERS } from '../sending.ts'
import { parseSentText, sentText } from '../sent-filter.ts'

const closed = { additionalProperties: false } as const
const readView = formReader(
  Type.Object(
    {
      screen: Type.Enum(['queue', 'submissions']),
      filter: Type.String({ minLength: 1, maxLength: 200 }),
      name: Type.String({ minLength: 1, maxLength: VIEW_NAME_MAX, pattern: '^[^\\p{Cc}]*\\S[^\\p{Cc}]*$' }),
      shared: Type.Optional(Type.Literal('yes')),
    },
    closed,
  ),
)

/** Where a saved filter leads. */
function viewHref(screen: ViewScreen, text: string): Href | undefined {
  if (screen === 'queue') {
    const filter = parseText(text)
    return filter === undefined ? undefined : links.queue(filter)
  }
  const filter = parseSentText(text)
  return filter === undefined ? undefined : links.submissions(filter)
}

/** Filters that people keep under a name. */
export const viewRoutes: FastifyPluginAsync<{ views: SavedViews }> = async (app, { views }) => {
  const config = { roles: SENDERS } as const

  app.post(links.saveView(), { config }, async ({ viewer, body }, reply) => {
    const { screen, filter, name, shared } = readView(body)
    const [queue, sent] = [parseText(filter), parseSentText(filter)]
    const text = screen === 'queue' ? queue && textOf(queue) : sent && sentText(sent)
    if (text === undefined || text === '') throw new Refusal('invalid-query', { detail: 'that filter is none' })
    await views.save(viewer, { screen, name: name.trim(), filter: text, shared: shared === 'yes' })
    return goTo(reply, viewHref(screen, text) ?? links.queue())
  })

  app.post(
    '/views/:view/forget',
    { config, schema: { params: Type.Object({ view: UuidSchema }, closed) } },
    async ({ viewer, params }, reply) => {
      const screen = await views.forget(viewer, (params as { view: Uuid }).view)
      return goTo(reply, screen === 'queue' ? links.queue() : links.submissions())
    },
  )
}
