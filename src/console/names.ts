import type { Uuid } from '../kernel/ids.ts'
import type { ListedPerson } from '../participants/person.ts'
import type { NameOf } from './pages/requests.tsx'
import { pseudonymOf, type Viewer } from './viewer.ts'

/** Names stay in the organisation: whoever is of another one is a pseudonym. */
export function namesFor(viewer: Pick<Viewer, 'organisation' | 'person'>, people: readonly ListedPerson[]): NameOf {
  const own = new Map<Uuid, string>(
    people.flatMap((one) => (one.organisation === viewer.organisation ? [[one.person_id, one.name]] : [])),
  )
  return (person, organisation) => {
    const name = own.get(person)
    const called = name === undefined ? `${pseudonymOf(person)} of ${organisation}` : `${name} (${pseudonymOf(person)})`
    return person === viewer.person ? `${called}, you` : called
  }
}

/** The same where rows name persons alone: whose they are is looked up. */
export function personNames(viewer: Viewer, people: readonly ListedPerson[]): (person: Uuid) => string {
  const nameOf = namesFor(viewer, people)
  const organisations = new Map(people.map(({ person_id, organisation }) => [person_id, organisation]))
  return (person) => nameOf(person, organisations.get(person) ?? 'an organisation')
}
