import type { FastifyPluginAsync } from 'fastify'
import type { ConsoleOptions } from './console/app.tsx'
import type { createFlowCookies } from './console/flow-cookie.ts'
import type { OidcClient } from './console/oidc.ts'
import { ANALYSTS, type Reviewing, waitingFor } from './console/reviewing.ts'
import { bulkRoutes } from './console/routes/bulk.tsx'
import { caseRoutes } from './console/routes/case.tsx'
import { caseActRoutes } from './console/routes/case-acts.tsx'
import { decisionRoutes } from './console/routes/case-decide.tsx'
import { homeRoutes } from './console/routes/home.tsx'
import { leadRoutes } from './console/routes/leads.tsx'
import { logRoutes } from './console/routes/log.tsx'
import { peopleRoutes } from './console/routes/people.tsx'
import { queueRoutes } from './console/routes/queue.tsx'
import { requestRoutes } from './console/routes/requests.tsx'
import { searchRoutes } from './console/routes/search.tsx'
import { sentRoutes } from './console/routes/sent.tsx'
import { settingsRoutes } from './console/routes/settings.tsx'
import { signInRoutes } from './console/routes/sign-in.tsx'
import { tacticRoutes } from './console/routes/tactics.tsx'
import type { Searching } from './console/searching.ts'
import type { Sending } from './console/sending.ts'
import type { Sessions } from './console/session.ts'
import type { Tactics } from './console/tactics.ts'
import { holdsOne } from './console/viewer.ts'
import { reviewingOf } from './console-reviewing.ts'
import { searchingOf, sendingOf, tacticsOf } from './console-sending.ts'
import type { Serving } from './listeners.ts'
import type { Parts } from './parts.ts'

export interface SigningIn {
  sessions: Sessions
  origin(): string
  clients(): readonly OidcClient[]
  flows: ReturnType<typeof createFlowCookies>
}

/** Every screen of the console with the services that it shows, and what waits in each for whoever looks. */
export function screensOf(
  parts: Parts,
  serving: Serving,
  signingIn: SigningIn,
): Pick<ConsoleOptions, 'screens' | 'counts'> {
  const { clock, participants, logId, origin } = parts
  const { sessions } = signingIn
  const ledger = serving.ledgers.get(logId)
  if (ledger === undefined) throw new Error('the present log is not served')
  const reviewing = reviewingOf(parts, serving)
  return {
    screens: [
      withOptions(signInRoutes, { ...signingIn, clock, findLogin: participants.findLogin }),
      homeRoutes,
      ...reviewScreens(reviewing),
      ...sendScreens({
        ...{ sending: sendingOf(parts, serving), searching: searchingOf(parts, serving) },
        tactics: tacticsOf(parts, serving),
      }),
      withOptions(requestRoutes, { clock, participants, sessions }),
      withOptions(peopleRoutes, { clock, participants, sessions }),
      withOptions(settingsRoutes, { clock, sessions }),
      withOptions(logRoutes, { clock, ledger, origin }),
    ],
    counts: async (viewer) => {
      if (holdsOne(viewer, ANALYSTS)) return waitingFor(reviewing, viewer)
      if (!holdsOne(viewer, ['node_admin', 'governance'])) return {}
      const requests = await participants.requestsFor(viewer.person)
      return { requests: requests.filter(({ ballot }) => ballot === 'allowed').length }
    },
  }
}

/** The screens of analysts and their leads. */
export const reviewScreens = (reviewing: Reviewing): FastifyPluginAsync[] =>
  [queueRoutes, bulkRoutes, caseRoutes, caseActRoutes, decisionRoutes, leadRoutes].map((screen) =>
    withOptions(screen, { reviewing }),
  )

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

/** A screen with what it stands on. */
const withOptions =
  <O extends object>(screen: FastifyPluginAsync<O>, options: O): FastifyPluginAsync =>
  async (app) => {
    await app.register(screen, options)
  }
