import { createHash, randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { createConsole } from '../../../src/console/app.tsx'
import type { Assets } from '../../../src/console/assets.ts'
import { SESSION_COOKIE } from '../../../src/console/cookies.ts'
import { createNotifications } from '../../../src/console/notices.ts'
import { createPersonal } from '../../../src/console/personal.ts'
import { waitingFor } from '../../../src/console/reviewing.ts'
import { viewRoutes } from '../../../src/console/routes/views.tsx'
import { webhookRoutes } from '../../../src/console/routes/webhooks.tsx'
import { createSavedViews } from '../../../src/console/saved-views.ts'
import { createSessions } from '../../../src/console/session.ts'
import { pseudonymOf } from '../../../src/console/viewer.ts'
import { createWellbeing } from '../../../src/console/wellbeing.ts'
import { colleaguesIn } from '../../../src/console-reviewing.ts'
import { personalScreens, reviewScreens, sendScreens } from '../../../src/console-screens.ts'
import { searchingOf, sendingOf, tacticsOf } from '../../../src/console-sending.ts'
import type { InstanceOptions } from '../../../src/http/instance.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { createNotices } from '../../../src/notices/service.ts'
import type { Role } from '../../../src/participants/schema.ts'
import { criticalSecondOf } from '../../../src/review/policy.ts'
import { createWebhooks } from '../../../src/webhooks/service.ts'
import type { Party } from '../../feeds/world.ts'
import { aReviewWorld } from '../../review/world.ts'

/** As the console is named where nothing listens. */
const CONSOLE = 'https://console.orchard.example'

/** Less than a session may rest. */
const AWAKE_MS = 10 * 60_000

export interface Person {
  person: Uuid
  pseudonym: string
  /** The value of the session's cookie. */
  cookie: string
  csrf: string
}

export type ConsoleWorld = Awaited<ReturnType<typeof aConsoleWorld>>

interface Served {
  https?: InstanceOptions['https']
  assets?: Assets
}

/** Names alone: nothing is loaded where nobody renders. */
const NAMED: Assets = { href: (name) => `/assets/${name}`, find: () => undefined }

/** A review world with its console: real people, logins and sessions; only the identity provider is left out. */
export async function aConsoleWorld({ https = {}, assets = NAMED }: Served = {}) {
  const w = await aReviewWorld()
  const { clock, participants, authority, review, feedback, feeds, rules, t } = w
  const sessions = createSessions({ db: t.admin, clock, randomBytes: (n) => randomBytes(n) })
  const place = { origin: CONSOLE }
  const personal = createPersonal({ db: t.admin, clock })
  const views = createSavedViews({ db: t.app, clock })
  const notices = createNotices({ clock, review, feedback, credentialsOf: () => [] })
  const notifications = createNotifications({
    ...{ clock, personal, noticesOf: notices.of },
    approvalsFor: async () => [],
  })
  const secretOf = (endpoint: Uuid): Buffer => createHash('sha256').update(endpoint).digest()
  const webhooks = createWebhooks({
    ...{ db: t.app, clock, provenance: w.provenance, secretOf, headsOf: async () => [], onWaiting: () => {} },
    hosts: new Map([['apple', new Set(['hooks.apple.example'])]]),
  })
  const reviewing = {
    ...{ review, clock, opinions: feedback.opinions, sides: feedback.sides, network: feeds.network },
    ...{ reveal: feeds.reveal, revealable: feeds.revealable },
    ...{ wellbeing: createWellbeing({ personal, clock }), views, related: feeds.related },
    colleaguesOf: async (organisation: string) => colleaguesIn(await participants.listPeople(), organisation),
    categories: rules.categoriesNow,
    sources: () => authority.participants().map(({ slug }) => slug),
    audienceName: (audience: Uuid) => authority.audience(audience)?.label,
    criticalSecond: () => criticalSecondOf(authority.policy('review')),
    receipt: async () => ({ outcome: 'pending' as const }),
  }
  const app: FastifyInstance = createConsole({
    ...{ https, clock, sessions, assets, programme: 'orchard', origin: () => place.origin },
    onFinished: () => {},
    onFault: (error) => {
      throw error
    },
    health: async () => ({ size: 41n, witnesses: { wanted: 0, answering: 0 }, at: clock() }),
    participantBySlug: (slug) => authority.participantBySlug(slug),
    counts: async (viewer) => ({
      ...(await waitingFor(reviewing, viewer)),
      notices: await notifications.unread(viewer),
    }),
    keysOf: async ({ person }) => (await personal.settings(person)).preferences.keys,
    screens: [
      ...reviewScreens(reviewing),
      ...sendScreens({
        sending: sendingOf({ clock, authority, views }, w),
        searching: searchingOf(w, w),
        tactics: tacticsOf(w, w),
      }),
      ...personalScreens({ clock, sessions, personal, notifications, categories: rules.categoriesNow }),
      async (app) => {
        await app.register(viewRoutes, { views })
        await app.register(webhookRoutes, { clock, webhooks, webhookKey: 'whpk_test' })
      },
    ],
  })
  let made = 0
  const cookies: string[] = []

  /** A person of an organisation, signed in. */
  const person = async (organisation: Pick<Party, 'slug'>, ...roles: Role[]): Promise<Person> => {
    const { person_id } = await participants.addPerson(w.ada, {
      name: `Fig ${++made}`,
      organisation: organisation.slug,
    })
    for (const role of roles) await participants.grantRole(w.ada, { person: person_id, role })
    const subject = `fig-${made}`
    const { login_id } = await participants.giveLogin(w.ada, {
      issuer: 'https://id.example',
      subject,
      person: person_id,
    })
    const cookie = await sessions.begin({
      ...{ login_id, person_id, claimed: roles, granted: roles, acr: undefined, steppedUp: false },
      ...{ authTime: clock(), userAgent: undefined },
    })
    cookies.push(cookie)
    const session = await sessions.find(cookie)
    if (session === undefined || typeof session === 'string') throw new Error('no session')
    return { person: person_id, pseudonym: pseudonymOf(person_id), cookie, csrf: session.csrf }
  }

  return {
    ...w,
    ...{ app, place, person, reviewing, notices, webhooks },
    /** Time in which everybody is at work: no session ends. */
    later: async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= AWAKE_MS) {
        w.pass(Math.min(left, AWAKE_MS))
        for (const cookie of cookies) await sessions.find(cookie)
      }
    },
    get: (by: Person, url: string, headers: Record<string, string> = {}) =>
      app.inject({ method: 'GET', url, headers: { ...headersOf(by, place.origin), ...headers } }),
    post: (
      by: Person,
      url: string,
      fields: Readonly<Record<string, string>> | readonly [string, string][] = {},
      headers: Record<string, string> = {},
    ) =>
      app.inject({
        ...{
          method: 'POST',
          url,
          payload: new URLSearchParams([
            ['csrf', by.csrf],
            ...(Array.isArray(fields) ? fields : Object.entries(fields)),
          ]).toString(),
        },
        headers: {
          ...headersOf(by, place.origin),
          ...{ 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
          ...headers,
        },
      }),
    end: async () => {
      await app.close()
      await w.end()
    },
  }
}

const headersOf = ({ cookie }: Person, origin: string): Record<string, string> => ({
  ...{ host: new URL(origin).host, cookie: `${SESSION_COOKIE}=${cookie}`, 'sec-fetch-mode': 'navigate' },
})

/** The value of a hidden field or of an attribute, as it stands in a page. */
export const fieldOf = (html: string, name: string): string => {
  const found = new RegExp(`name="${name}" value="([^"]*)"`).exec(html)
  if (found?.[1] === undefined) throw new Error(`no field ${name}`)
  return found[1]
}
