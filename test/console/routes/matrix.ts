import type { FastifyInstance } from 'fastify'
import { ROLES, type Role } from '../../../src/participants/schema.ts'

/** Every route of an instance as `METHOD /path/:id`, from its own list: none is left out. */
export function routesOf(app: FastifyInstance): string[] {
  const found: string[] = []
  const above: string[] = []
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', text = ''] = /^([│ ]*)[├└]── (.*)$/.exec(line) ?? []
    if (text === '') continue
    const [, segment = '', methods = ''] = /^(\S*)(?: \((.*)\))?$/.exec(text) ?? []
    const depth = indent.length / 4
    above.length = depth
    const path = `${above.join('')}${segment}`
    above.push(segment)
    for (const method of methods.split(', ')) if (method !== '' && method !== 'HEAD') found.push(`${method} ${path}`)
  }
  return found.sort()
}

/** Somebody who is signed in and has no role at present, besides the roles. */
export type Who = Role | 'none'
export const WHO: readonly Who[] = [...ROLES, 'none']

const ANALYSTS = ['analyst', 'lead'] as const
const SENDERS = [...ANALYSTS, 'partner_admin'] as const
const SPEAKERS = ['lead', 'partner_admin'] as const
const LOOKERS = ['governance', 'observer', 'lead', 'partner_admin'] as const
const ADMINISTRATORS = ['node_admin', 'governance'] as const

/**
 * Who may open or post what. Behind `GET /log*` are the tiles of the log, behind `GET /docs*` the pages of the manual; paths
 * with a parameter may still be of somebody else, which is tested where they are.
 */
const TABLE: readonly (readonly [who: 'everybody' | readonly Who[], routes: string])[] = [
  [
    'everybody',
    `GET /assets/:file GET /changes GET /changes/:kind/:version GET /docs GET /docs* GET /docs/api GET /docs/errors/:code GET /docs/openapi.json
     GET /docs/images/:name GET /problems/:code GET /sign-in GET /sign-in/:provider GET /sign-in/:provider/callback
     GET /signed-out`,
  ],
  [
    WHO,
    `GET / GET /help GET /log GET /log* GET /log/1/checkpoint GET /log/1/policy GET /log/1/vkey GET /log/entries/:index
     GET /log/entries/:index/receipt GET /log/find GET /log/validate GET /notices POST /notices/seen GET /session
     GET /session/stay GET /settings POST /settings/end-session POST /settings/keys POST /settings/look POST /sign-out
     GET /step-up`,
  ],
  [ROLES, 'GET /participants GET /participants/:slug'],
  [
    ANALYSTS,
    `POST /bulk POST /bulk/decide GET /bulk/jobs GET /bulk/jobs/:job GET /bulk/jobs/:job/progress GET /bulk/jobs/:job/results POST /bulk/jobs/:job/answer
     POST /bulk/jobs/:job/cancel POST /bulk/jobs/:job/undo POST /bulk/view GET /cases/:case GET /cases/:case/receipts/:event
     GET /cases/:case/related GET /cases/:case/texts POST /cases/:case/value POST /cases/:case/claim POST /cases/:case/decisions
     POST /cases/:case/decisions/:decision/second POST /cases/:case/decisions/:decision/undo POST /cases/:case/hand-over
     POST /cases/:case/hold POST /cases/:case/keep POST /cases/:case/leave POST /cases/:case/left POST /cases/:case/renew POST /cases/:case/resume
     GET /queue GET /queue/find GET /queue/news POST /queue/next GET /samples GET /samples/:sample POST /samples/:sample
     GET /search POST /search GET /search/go GET /second-reviews POST /settings/wellbeing GET /tactics
     GET /tactics/:source/:signal GET /tactics/:source/:signal/changes/:revision
     GET /tactics/:source/:signal/words/:revision`,
  ],
  [['lead'], 'GET /leads POST /leads/settings'],
  [
    SENDERS,
    `GET /submissions GET /submissions/:signal GET /submissions/:signal/disputes/:dispute/words
     GET /submissions/:signal/words/:place GET /submissions/find POST /views POST /views/:view/forget`,
  ],
  [
    SPEAKERS,
    `GET /submissions/:signal/withdraw POST /submissions/:signal/disputes/:dispute/answer
     POST /submissions/:signal/questions/:asker/answer POST /submissions/:signal/release POST /submissions/:signal/withdraw`,
  ],
  [
    ['partner_admin'],
    `GET /developer GET /developer/requests GET /developer/sandbox POST /developer/sandbox/asks GET /webhooks POST /webhooks/:endpoint/deliveries/:message/redelivery POST /webhooks/:endpoint/end
     POST /webhooks/:endpoint/rotation POST /webhooks/:endpoint/test POST /webhooks/add`,
  ],
  [
    ['partner_admin', 'node_admin'],
    `GET /people GET /people/:id POST /people/:id/end-role POST /people/:id/end-sessions POST /people/:id/grant
     POST /people/:id/leave POST /people/add`,
  ],
  [LOOKERS, 'GET /log/entries GET /log/entries/find GET /log/file'],
  [['governance', 'partner_admin'], 'GET /log/matrix GET /log/matrix/file'],
  [['governance', 'observer'], 'GET /reports GET /reports/:digest GET /reports/:digest/file'],
  [
    ['governance'],
    `GET /log/readers GET /log/readers/proof GET /anomalies GET /anomalies/source POST /anomalies/:id/close POST /anomalies/:id/look POST /anomalies/source/hold
     POST /anomalies/source/release GET /anomalies/feeds POST /anomalies/feeds/pause POST /anomalies/feeds/resume POST /onboarding/:id/judge POST /reports/:digest/publish POST /reports/draft
     GET /registers/government
     POST /registers/government/close POST /registers/government/receive GET /registers/subjects
     GET /registers/subjects/:id POST /registers/subjects/:id/close POST /registers/subjects/:id/erase
     POST /registers/subjects/:id/extend POST /registers/subjects/:id/match POST /registers/subjects/receive
     GET /registers/erasures/:id/certificate`,
  ],
  [
    ADMINISTRATORS,
    `GET /groups GET /groups/:slug GET /onboarding GET /onboarding/:id GET /registers/agreements GET /requests
     GET /requests/:id POST /requests/:id/approve POST /requests/:id/cancel POST /requests/:id/deny
     POST /requests/:id/execute GET /retention POST /retention/hold POST /retention/lift POST /retention/purge GET /sight`,
  ],
  [
    ['node_admin'],
    `GET /participants/:slug/credentials/:id/revoke GET /participants/:slug/suspend POST /groups/:slug/change
     POST /groups/:slug/end POST /groups/:slug/preview POST /groups/make POST /onboarding/:id/abandon
     POST /onboarding/:id/admission POST /onboarding/:id/provide POST /onboarding/open
     POST /participants/:slug/credentials/:id/revoke POST /participants/:slug/end-probation POST /participants/:slug/invite
     POST /participants/:slug/read-back POST /participants/:slug/suspend POST /requests/:id/undo`,
  ],
]

/** By route, who may; `everybody` without signing in. */
export const MATRIX: ReadonlyMap<string, 'everybody' | readonly Who[]> = new Map(
  TABLE.flatMap(([who, routes]) =>
    [...routes.matchAll(/(GET|POST) (\S+)/g)].map(([, method, path]) => [`${method} ${path}`, who] as const),
  ),
)
