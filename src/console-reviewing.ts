import type { Colleague } from './console/pages/case-view.ts'
import type { Personal } from './console/personal.ts'
import type { Reviewing } from './console/reviewing.ts'
import type { SavedViews } from './console/saved-views.ts'
import { pseudonymOf } from './console/viewer.ts'
import { createWellbeing } from './console/wellbeing.ts'
import type { Serving } from './listeners.ts'
import type { ListedPerson } from './participants/person.ts'
import type { Parts } from './parts.ts'
import { criticalSecondOf } from './review/policy.ts'
import { rulesOf } from './signals/rules.ts'

type Used = Pick<Parts, 'clock' | 'authority' | 'participants' | 'logId'> & { personal: Personal; views: SavedViews }

/** What the screens of analysts stand on. */
export function reviewingOf(
  { clock, authority, participants, logId, personal, views }: Used,
  { review, feedback, feeds, ledgers }: Pick<Serving, 'review' | 'feedback' | 'feeds' | 'ledgers'>,
): Reviewing {
  const ledger = ledgers.get(logId)
  if (ledger === undefined) throw new Error('the present log is not served')
  return {
    ...{ review, clock, opinions: feedback.opinions, sides: feedback.sides, network: feeds.network },
    ...{ reveal: feeds.reveal, revealable: feeds.revealable },
    ...{ wellbeing: createWellbeing({ personal, clock }), views, related: feeds.related },
    colleaguesOf: async (organisation) => colleaguesIn(await participants.listPeople(), organisation),
    categories: rulesOf(authority).categoriesNow,
    sources: () => authority.participants().map(({ slug }) => slug),
    audienceName: (audience) => authority.audience(audience)?.label,
    criticalSecond: () => criticalSecondOf(authority.policy('review')),
    receipt: ledger.receipt,
  }
}

/** Whom a case may be handed to: whoever decides cases there. */
export const colleaguesIn = (people: readonly ListedPerson[], organisation: string): Colleague[] =>
  people
    .filter((one) => one.active && one.organisation === organisation)
    .filter(({ roles }) => roles.includes('analyst') || roles.includes('lead'))
    .map(({ person_id, name }) => ({ pseudonym: pseudonymOf(person_id), name }))
