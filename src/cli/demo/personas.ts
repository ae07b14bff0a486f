import { request } from 'node:https'
import { answerTo } from '../../kernel/answer-to.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { ListedPerson } from '../../participants/person.ts'
import type { Role } from '../../participants/schema.ts'
import type { ParticipantService } from '../../participants/service.ts'
import { withParts } from '../node/open.ts'
import { personOf } from '../node/person.ts'
import { PROGRAMME } from './programme.ts'
import type { Scene } from './scene.ts'

interface Wanted {
  /** `name@organisation`; found if somebody of an earlier step is called so. */
  person: string
  role: Role
}

const OF_PROGRAMME: readonly Wanted[] = [
  ...PROGRAMME.admins.map((person): Wanted => ({ person, role: 'node_admin' })),
  { person: PROGRAMME.governance, role: 'governance' },
  { person: 'hope@council', role: 'governance' },
  { person: 'otto@council', role: 'observer' },
]

const ofPlatform = (platform: string): readonly Wanted[] => [
  { person: `Ann@${platform}`, role: 'analyst' },
  { person: `Bo@${platform}`, role: 'analyst' },
  { person: `Lee@${platform}`, role: 'lead' },
  { person: `Pat@${platform}`, role: 'partner_admin' },
]

/** The platform whose cases are the most to look at; without a past, one of the story. */
const PLATFORMS = ['damson', 'banana'] as const

/** People with accounts at the provider without passwords, so that the console can be looked at in every role. */
export async function meeting({ stage, admin, ports }: Scene): Promise<void> {
  stage.chapter('People who look at it in a browser')
  const issuer = `https://127.0.0.1:${ports.personas}`
  const met = await withParts(async ({ participants, authority, rootCertificate }) => {
    const platform = PLATFORMS.find((slug) => authority.participantBySlug(slug) !== undefined) ?? 'banana'
    const wanted = [...OF_PROGRAMME, ...ofPlatform(platform)]
    for (const one of wanted) await meet(participants, one, issuer)
    const answered = await askSignIn(`https://127.0.0.1:${ports.console}/`, rootCertificate)
    return { wanted, answered }
  }, admin)
  for (const { person, role } of met.wanted) stage.show(`${person}  ${role.replaceAll('_', ' ')}`)
  stage.proves('the console lets nobody in who has not signed in', met.answered === 303)
}

/** Makes the person, its role and its account, each unless it is there. */
async function meet(participants: ParticipantService, { person, role }: Wanted, issuer: string): Promise<void> {
  const people = await participants.listPeople()
  const [first, second] = people.filter(({ roles }) => roles.includes('node_admin'))
  if (first === undefined || second === undefined) throw new Error('the programme has no two administrators')
  const known = found(people, person)
  const id = known?.person_id ?? (await participants.addPerson(first.person_id, personOf(person))).person_id
  if (known?.roles.includes(role) !== true) await grant(participants, { person: id, role }, [first, second])
  const subject = person.toLowerCase()
  if ((await participants.findLogin({ issuer, subject })) === undefined)
    await participants.giveLogin(first.person_id, { person: id, issuer, subject })
}

function found(people: readonly ListedPerson[], text: string): ListedPerson | undefined {
  const { name, organisation } = personOf(text)
  return people.find((one) => one.active && one.name === name && one.organisation === organisation)
}

async function grant(
  participants: ParticipantService,
  given: { person: Uuid; role: Role },
  [first, second]: readonly [ListedPerson, ListedPerson],
): Promise<void> {
  if (given.role !== 'governance' && given.role !== 'observer' && given.role !== 'node_admin')
    return participants.grantRole(first.person_id, given)
  const { request_id } = await participants.propose('role.grant', given, first.person_id)
  await participants.approve(request_id, second.person_id, new Date())
  await participants.execute(request_id, first.person_id)
}

/** The status of what a browser would be answered. */
const askSignIn = (url: string, ca: string): Promise<number | undefined> =>
  answerTo(request(url, { ca, agent: false }).end()).then((answer) => {
    answer.resume()
    return answer.statusCode
  })
