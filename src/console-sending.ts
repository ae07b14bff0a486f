import type { SavedViews } from './console/saved-views.ts'
import type { Searching } from './console/searching.ts'
import type { Sending } from './console/sending.ts'
import type { Tactics } from './console/tactics.ts'
import type { Serving } from './listeners.ts'
import type { Parts } from './parts.ts'
import { rulesOf } from './signals/rules.ts'

/** What the screens of a source stand on. */
export function sendingOf(
  { clock, authority, views }: Pick<Parts, 'clock' | 'authority'> & { views: SavedViews },
  { feedback, feeds, signals }: Pick<Serving, 'feedback' | 'feeds' | 'signals'>,
): Sending {
  const { sent, sentFigures, sentSignal, attention, answer, answerQuestion, release } = feedback
  const { heard, disputed } = feeds
  return {
    ...{ sent, sentFigures, sentSignal, attention, answer, answerQuestion, release, heard, disputed, clock },
    ...{ withdraw: signals.withdraw, views },
    categories: rulesOf(authority).categoriesNow,
  }
}

/** What the search stands on. */
export function searchingOf(
  { clock, authority }: Pick<Parts, 'clock' | 'authority'>,
  { feedback, feeds }: Pick<Serving, 'feedback' | 'feeds'>,
): Searching {
  return {
    ...{ clock, lookUp: feeds.lookUp, sentSignal: feedback.sentSignal },
    groupsOf: (participant) =>
      authority.audiencesOf(participant).map(({ label, mode }) => ({ label, sealed: mode === 'sealed' })),
    suites: () => authority.hashProfiles().flatMap(({ status, suite }) => (status === 'active' ? [suite] : [])),
  }
}

/** What the board of tactics stands on. */
export function tacticsOf(
  { clock, authority }: Pick<Parts, 'clock' | 'authority'>,
  { feeds: { patterns, pattern, revisions, event } }: Pick<Serving, 'feeds'>,
): Tactics {
  return { patterns, pattern, revisions, event, clock, sources: () => authority.participants().map(({ slug }) => slug) }
}
