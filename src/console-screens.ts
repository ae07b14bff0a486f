import type { FastifyPluginAsync } from 'fastify'
import { administeringOf } from './administering.ts'
import type { Administering } from './console/administering.ts'
import type { ConsoleOptions } from './console/app.tsx'
import type { createFlowCookies } from './console/flow-cookie.ts'
import type { Looking } from './console/looking.ts'
import { loadManual, type Manual } from './console/manual.ts'
import { createNotifications, type Notifications } from './console/notices.ts'
import type { OidcClient } from './console/oidc.ts'
import { createPersonal, type Personal } from './console/personal.ts'
import { ANALYSTS, type Reviewing, waitingFor } from './console/reviewing.ts'
import { bulkRoutes } from './console/routes/bulk.tsx'
import { bulkJobRoutes } from './console/routes/bulk-job.tsx'
import { caseRoutes } from './console/routes/case.tsx'
import { caseActRoutes } from './console/routes/case-acts.tsx'
import { decisionRoutes } from './console/routes/case-decide.tsx'
import { caseValueRoutes } from './console/routes/case-value.tsx'
import { developerRoutes } from './console/routes/developer.tsx'
import { explorerRoutes } from './console/routes/explorer.tsx'
import { groupRoutes } from './console/routes/groups.tsx'
import { homeRoutes } from './console/routes/home.tsx'
import { leadRoutes } from './console/routes/leads.tsx'
import { logRoutes } from './console/routes/log.tsx'
import { manualRoutes } from './console/routes/manual.tsx'
import { matrixRoutes } from './console/routes/matrix.tsx'
import { noticeRoutes } from './console/routes/notices.tsx'
import { onboardingRoutes } from './console/routes/onboarding.tsx'
import { joiningRoutes } from './console/routes/participant-joining.ts'
import { participantRoutes } from './console/routes/participants.tsx'
import { peopleRoutes } from './console/routes/people.tsx'
import { proofRoutes } from './console/routes/proof.tsx'
import { queueRoutes } from './console/routes/queue.tsx'
import { readerRoutes } from './console/routes/readers.tsx'
import { requestRoutes } from './console/routes/requests.tsx'
import { sampleRoutes } from './console/routes/samples.tsx'
import { searchRoutes } from './console/routes/search.tsx'
import { sentRoutes } from './console/routes/sent.tsx'
import { settingsRoutes } from './console/routes/settings.tsx'
import { sightRoutes } from './console/routes/sight.tsx'
import { signInRoutes } from './console/routes/sign-in.tsx'
import { tacticRoutes } from './console/routes/tactics.tsx'
import { viewRoutes } from './console/routes/views.tsx'
import { webhookRoutes } from './console/routes/webhooks.tsx'
import { createSavedViews } from './console/saved-views.ts'
import type { Searching } from './console/searching.ts'
import type { Sending } from './console/sending.ts'
import type { Sessions } from './console/session.ts'
import type { Tactics } from './console/tactics.ts'
import { holdsOne } from './console/viewer.ts'
import { oversightScreens } from './console-oversight.ts'
import { reviewingOf } from './console-reviewing.ts'
import { searchingOf, sendingOf, tacticsOf } from './console-sending.ts'
import { lookingOf } from './governing.ts'
import type { ServingPeople } from './listeners.ts'
import type { Parts } from './parts.ts'
import { createConformance } from './sandbox/service.ts'

export interface SigningIn {
  sessions: Sessions
  origin(): string
  clients(): readonly OidcClient[]
  flows: ReturnType<typeof createFlowCookies>
}

/** Every screen of the console with the services that it shows, and what waits in each for whoever looks. */
export function screensOf(
  parts: Parts,
  serving: ServingPeople,
  signingIn: SigningIn,
): Pick<ConsoleOptions, 'screens' | 'counts' | 'keysOf'> {
  const { clock, participants, logId } = parts
  const { sessions } = signingIn
  const ledger = serving.ledgers.get(logId)
  if (ledger === undefined) throw new Error('the present log is not served')
  const personal = createPersonal({ db: parts.pools.admin, clock })
  const views = createSavedViews({ db: parts.pools.app, clock })
  const reviewing = reviewingOf({ ...parts, personal, views }, serving)
  const { notices, webhooks, webhookKey } = serving.notifying
  const notifications = createNotifications({
    ...{ clock, personal, noticesOf: notices.of },
    approvalsFor: async (person) =>
      (await participants.requestsFor(person)).filter(({ ballot }) => ballot === 'allowed'),
  })
  return {
    screens: [
      withOptions(signInRoutes, { ...signingIn, clock, findLogin: participants.findLogin }),
      homeRoutes,
      withOptions(manualRoutes, { manual: once(loadManual) }),
      ...reviewScreens(reviewing),
      ...sendScreens({
        ...{ sending: sendingOf({ ...parts, views }, serving), searching: searchingOf(parts, serving) },
        tactics: tacticsOf(parts, serving),
      }),
      withOptions(requestRoutes, { clock, participants, sessions }),
      withOptions(peopleRoutes, { clock, participants, sessions }),
      ...adminScreens(administeringOf(parts, serving, sessions)),
      withOptions(viewRoutes, { views }),
      ...personalScreens({ clock, sessions, personal, notifications, categories: reviewing.categories }),
      withOptions(developerRoutes, {
        ...{ clock, requestLog: serving.requestLog, limitsInUse: serving.limitsInUse, sandbox: serving.sandbox },
        conformance: createConformance({ db: parts.pools.app, clock, provenance: parts.provenance }),
      }),
      withOptions(webhookRoutes, { clock, webhooks, webhookKey }),
      ...logScreens(lookingOf(parts, ledger)),
      ...oversightScreens(parts, serving, sessions),
    ],
    keysOf: async ({ person }) => (await personal.settings(person)).preferences.keys,
    counts: async (viewer) => {
      const notices = await notifications.unread(viewer)
      if (holdsOne(viewer, ANALYSTS)) return { notices, ...(await waitingFor(reviewing, viewer)) }
      if (!holdsOne(viewer, ['node_admin', 'governance'])) return { notices }
      const requests = await participants.requestsFor(viewer.person)
      const anomalies = holdsOne(viewer, ['governance']) ? await parts.anomalies.open() : 0
      return { notices, anomalies, requests: requests.filter(({ ballot }) => ballot === 'allowed').length }
    },
  }
}

/** The screens of analysts and their leads. */
export const reviewScreens = (reviewing: Reviewing): FastifyPluginAsync[] =>
  [
    ...[queueRoutes, bulkRoutes, bulkJobRoutes, sampleRoutes, caseRoutes],
    ...[caseActRoutes, caseValueRoutes, decisionRoutes, leadRoutes],
  ].map((screen) => withOptions(screen, { reviewing }))

/** The screens of those who administer. */
const adminScreens = (administering: Administering): FastifyPluginAsync[] =>
  [participantRoutes, joiningRoutes, onboardingRoutes, groupRoutes, sightRoutes].map((screen) =>
    withOptions(screen, { administering }),
  )

interface Own {
  clock: Parts['clock']
  sessions: Sessions
  personal: Personal
  notifications: Notifications
  categories: Reviewing['categories']
}

/** What belongs to whoever is signed in. */
export const personalScreens = ({ notifications, ...own }: Own): FastifyPluginAsync[] => [
  withOptions(noticeRoutes, { clock: own.clock, notifications }),
  withOptions(settingsRoutes, own),
]

/** What happened, and that it did. */
const logScreens = (looking: Looking): FastifyPluginAsync[] => [
  withOptions(logRoutes, { looking }),
  withOptions(proofRoutes, { looking }),
  withOptions(explorerRoutes, { looking }),
  withOptions(matrixRoutes, { looking }),
  withOptions(readerRoutes, { looking }),
]

interface Sent {
  sending: Sending
  searching: Searching
  tactics: Tactics
}

/** What an organisation sent, what it asks for, and what it reads of others. */
export const sendScreens = ({ sending, searching, tactics }: Sent): FastifyPluginAsync[] => [
  withOptions(sentRoutes, { sending }),
  withOptions(searchRoutes, { searching }),
  withOptions(tacticRoutes, { tactics }),
]

/** Read when somebody first asks: a start need not wait for it. */
function once(load: () => Manual): () => Manual {
  let manual: Manual | undefined
  return () => {
    manual ??= load()
    return manual
  }
}

/** A screen with what it stands on. */
const withOptions =
  <O extends object>(screen: FastifyPluginAsync<O>, options: O): FastifyPluginAsync =>
  async (app) => {
    await app.register(screen, options)
  }
