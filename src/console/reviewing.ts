import type { Opinions } from '../feedback/schema.ts'
import type { FeedbackService } from '../feedback/service.ts'
import type { Reader } from '../feeds/answer.ts'
import type { FeedService } from '../feeds/service.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { CriticalSecond } from '../participants/schema.ts'
import type { Given } from '../provenance/ledger.ts'
import type { Reviewer, ReviewService } from '../review/service.ts'
import type { Colleague } from './pages/case-view.ts'
import type { SavedViews } from './saved-views.ts'
import type { Viewer } from './viewer.ts'
import type { Wellbeing } from './wellbeing.ts'

/** What the screens of analysts stand on: the services that the API stands on too, and names for what they answer. */
export interface Reviewing {
  review: ReviewService
  opinions: FeedbackService['opinions']
  sides: FeedbackService['sides']
  network: FeedService['network']
  reveal: FeedService['reveal']
  revealable: FeedService['revealable']
  clock: Clock
  wellbeing: Wellbeing
  views: SavedViews
  /** How many relations of each signal the reader may see. */
  related: FeedService['related']
  /** Those of the organisation who may take a case over. */
  colleaguesOf(organisation: string): Promise<readonly Colleague[]>
  /** Categories that the programme knows now, and participants whose signals there may be. */
  categories(): readonly string[]
  sources(): readonly string[]
  audienceName(audience: Uuid): string | undefined
  /** What the programme asks of confirmations at critical, now. */
  criticalSecond(): CriticalSecond
  /** The proof of an entry, to whom it is given. */
  receipt(holder: { participant: Uuid; slug: string; auditor: boolean }, event: Uuid): Promise<Given>
}

/** Who may look at cases, and decide them. */
export const ANALYSTS = ['analyst', 'lead'] as const

/** The person as the review knows people; whose organisation is no participant has no cases. */
export function reviewerOf(viewer: Viewer): Reviewer {
  return {
    ...{ participant: participantOf(viewer), slug: viewer.organisation, who: viewer.pseudonym },
    ...{ authority: 'reviewed_here', lead: viewer.roles.includes('lead') },
  }
}

/** The organisation that reads; `route` is where the answer goes out. */
export const readerOf = (viewer: Viewer, route: string | undefined): Reader => ({
  ...{ participant: participantOf(viewer), slug: viewer.organisation, route: `console ${route ?? ''}` },
})

function participantOf({ participant }: Viewer): Uuid {
  if (participant === undefined) throw new Refusal('not-found')
  return participant
}

/** What recipients say of a signal; undefined where nothing is told of it. */
export async function opinionsOf(
  { opinions }: Pick<Reviewing, 'opinions'>,
  viewer: Viewer,
  of: { source: string; signal: Uuid },
): Promise<Opinions | undefined> {
  try {
    return await opinions(participantOf(viewer), of)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not-found') return undefined
    throw error
  }
}

/** How much waits in the sections of analysts; of an organisation that is no participant nothing does. */
export async function waitingFor({ review }: Pick<Reviewing, 'review'>, viewer: Viewer) {
  if (viewer.participant === undefined) return {}
  const { open, second } = await review.counts(reviewerOf(viewer))
  return { queue: open, second }
}

/** The next case that the person wants to be given, claimed and counted. */
export async function giveNext({ review, wellbeing }: Pick<Reviewing, 'review' | 'wellbeing'>, viewer: Viewer) {
  const by = reviewerOf(viewer)
  const claimed = await review.next(by, await wellbeing.wishesOf(viewer))
  if (claimed !== undefined) await wellbeing.took(viewer, await review.severity(by.participant, claimed.case))
  return claimed
}
