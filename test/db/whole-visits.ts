import { randomBytes } from 'node:crypto'
import { createSessions } from '../../src/console/session.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { newId } from '../../src/kernel/ids.ts'
import type { TestNode } from '../support/node.ts'

const ISSUER = 'https://id.apple.example'
const MINUTES = 60_000

/** People with logins and sessions, from the first sign-in until their access has ended. */
export async function visited({ parts, ada, t }: TestNode): Promise<void> {
  const { participants } = parts
  let passed = 0
  const clock = () => new Date(Date.now() + passed)
  const sessions = createSessions({ db: t.admin, clock, randomBytes })
  const { person_id } = await participants.addPerson(ada, { name: 'Pia', organisation: 'apple' })
  await participants.grantRole(ada, { person: person_id, role: 'partner_admin' })
  const login = { issuer: ISSUER, subject: 'pia' }
  const { login_id } = await participants.giveLogin(ada, { person: person_id, ...login })
  const again = await participants.giveLogin(ada, { person: person_id, issuer: ISSUER, subject: 'pia-2' })
  await participants.endLogin(ada, again.login_id)
  await participants.listLogins()
  await participants.findLogin(login)
  const who = {
    ...{ login_id, person_id, claimed: ['partner_admin'], granted: ['partner_admin'] as const, acr: undefined },
    ...{ steppedUp: false, authTime: clock(), userAgent: undefined },
  }
  const cookie = await sessions.begin(who)
  passed += 2 * MINUTES
  const session = await sessions.find(cookie)
  if (typeof session !== 'object') throw new Error('no session')
  await sessions.renew(session)
  await sessions.stepUp(session, { ...who, acr: 'urn:mfa', steppedUp: true })
  const form = newId(clock())
  await sessions.once(session.session_id, form, async () => {})
  await sessions.once(session.session_id, form, async () => {}).catch(() => {})
  const refused = sessions.once(session.session_id, newId(clock()), async () => {
    throw new Refusal('policy-refused')
  })
  await refused.catch(() => {})
  await sessions.list(person_id)
  await sessions.lastSeen([person_id])
  await sessions.end({ person: person_id, session: session.session_id, reason: 'signed_out' })
  const [open] = await participants.requestsFor(ada)
  if (open !== undefined) await participants.requestFor(ada, open.request_id)
  await participants.endedRequestsFor(ada, { limit: 1 })
  await participants.endPerson(ada, person_id)
}
