import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import { setLookCookie } from '../cookies.ts'
import { type Fields, formReader, refusalIn, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { DENSITIES, formatLook, THEMES } from '../look.ts'
import { SettingsPage, type SettingsProps } from '../pages/settings.tsx'
import type { Personal } from '../personal.ts'
import { chosenKeys, KEY_ACT_NAMES, NUDGE_MINUTES_MAX, OPTED_OUT_MAX, type Preferences } from '../preference-rule.ts'
import { goTo, sendPage } from '../render.tsx'
import { ANALYSTS } from '../reviewing.ts'
import { CAP_MAX, IDLE_MS } from '../schema.ts'
import type { Sessions } from '../session.ts'

export interface SettingsRoutesOptions {
  clock: Clock
  sessions: Pick<Sessions, 'list' | 'end'>
  personal: Personal
  categories(): readonly string[]
}

const closed = { additionalProperties: false } as const
const readLook = formReader(
  Type.Object(
    {
      theme: Type.Enum([...THEMES]),
      density: Type.Enum([...DENSITIES]),
      keys: Type.Enum(['on', 'off']),
    },
    closed,
  ),
)
const readEnd = formReader(Type.Object({ session: UuidSchema }, closed))
const readKeys = formReader(
  Type.Object(
    {
      reset: Type.Optional(Type.Literal('yes')),
      ...Object.fromEntries(KEY_ACT_NAMES.map((act) => [act, Type.Optional(Type.String({ maxLength: 8 }))])),
    },
    closed,
  ),
)
const Digits = Type.Optional(Type.String({ pattern: '^ *[0-9]{0,3} *$' }))
const readWellbeing = formReader(
  Type.Object(
    {
      daily_cap: Digits,
      nudge_items: Digits,
      nudge_minutes: Digits,
      opted_out: Type.Optional(Type.Array(Type.String({ maxLength: 63 }), { maxItems: OPTED_OUT_MAX })),
    },
    closed,
  ),
)

export const settingsRoutes: FastifyPluginAsync<SettingsRoutesOptions> = async (app, options) => {
  const { clock, sessions } = options
  const config = { roles: 'signed-in' } as const

  app.get(links.settings(), { config }, async (request, reply) => show(options, request, reply))

  app.post(links.look(), { config }, async ({ body }, reply) => {
    const { theme, density, keys } = readLook(body)
    setLookCookie(reply, formatLook({ theme, density, keys: keys === 'on' }))
    return goTo(reply, links.settings())
  })

  await app.register(ownRoutes, options)

  app.post(links.endSession(), { config }, async ({ viewer, body }, reply) => {
    const ended = await sessions.end({
      person: viewer.person,
      session: readEnd(body).session,
      reason: 'ended_by_person',
    })
    if (ended === 0) throw new Refusal('not-found', { detail: 'there is no such session, or it has ended' })
    return goTo(reply, links.settings())
  })

  /** Asked by an open page: whether the session lives, and for how long without the person. */
  app.get(links.sessionState(), { config: { roles: 'signed-in', background: true } }, async ({ session }, reply) => {
    const left = (session?.seenAt.getTime() ?? 0) + IDLE_MS - clock().getTime()
    return reply
      .code(204)
      .header('session-seconds', String(Math.max(0, Math.floor(left / 1_000))))
      .send()
  })

  /** Pressed by the person: being here is all that it says. */
  app.get(links.stay(), { config }, async (_request, reply) => reply.code(204).send())
}

/** What a person chooses for itself, and nobody else is shown. */
const ownRoutes: FastifyPluginAsync<SettingsRoutesOptions> = async (app, options) => {
  const { personal } = options

  const change =
    (form: 'keys' | 'wellbeing', changed: (body: unknown, before: Preferences) => Preferences) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      const { viewer, body } = request
      const refusal = await refusalIn(async () => {
        const { preferences } = await personal.settings(viewer.person)
        await personal.save(viewer.person, changed(body, preferences))
      })
      if (refusal === undefined) return goTo(reply, links.settings())
      return show(options, request, reply.code(refusal.status), { form, refusal, typed: typedOf(body) })
    }

  app.post(
    links.saveKeys(),
    { config: { roles: 'signed-in' } },
    change('keys', (body, before) => {
      const { reset, ...asked } = readKeys(body) as Readonly<Record<string, string>>
      if (reset === 'yes') return { ...before, keys: {} }
      const chosen = chosenKeys(asked)
      if ('fault' in chosen) throw refused(chosen.fault, chosen.why)
      return { ...before, keys: chosen.keys }
    }),
  )

  app.post(
    links.saveWellbeing(),
    { config: { roles: ANALYSTS } },
    change('wellbeing', (body, before) => {
      const { daily_cap, nudge_items, nudge_minutes, opted_out = [] } = readWellbeing(withList(body))
      const known = options.categories()
      return {
        ...before,
        daily_cap: countOf('daily_cap', daily_cap, CAP_MAX),
        nudge_items: countOf('nudge_items', nudge_items, CAP_MAX),
        nudge_minutes: countOf('nudge_minutes', nudge_minutes, NUDGE_MINUTES_MAX),
        opted_out: opted_out.filter((category) => known.includes(category)),
      }
    }),
  )
}

/** Of no box that is ticked a form says nothing. */
const withList = (body: unknown): Fields => ({ opted_out: [], ...((body ?? {}) as Fields) })

function countOf(name: string, text: string | undefined, most: number): number | null {
  const digits = text?.trim() ?? ''
  if (digits === '') return null
  const n = Number(digits)
  if (n < 1 || n > most) throw refused(name, `1 to ${most}, or empty`)
  return n
}

const refused = (name: string, detail: string): Refusal =>
  new Refusal('validation-failed', { errors: [{ pointer: `/${name}`, code: 'validation-failed', detail }] })

async function show(
  { clock, sessions, personal, categories }: SettingsRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  refusal?: SettingsProps['refused'],
): Promise<FastifyReply> {
  const { viewer, session, shell } = request
  const { preferences } = await personal.settings(viewer.person)
  const props: SettingsProps = {
    ...{ viewer, current: session?.session_id ?? '', look: shell.look, now: clock(), preferences },
    sessions: await sessions.list(viewer.person),
    exposure: await personal.exposure(viewer.person),
    exposures: await personal.exposures(viewer.person),
    categories: categories(),
    ...(refusal !== undefined && { refused: refusal }),
  }
  return sendPage(
    reply,
    { viewer, title: 'Settings', current: 'settings', styles: ['review.css'] },
    <SettingsPage {...props} />,
  )
}
