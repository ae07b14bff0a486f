import type { Searching } from './console/searching.ts'
import type { Sending } from './console/sending.ts'
import type { Tactics } from './console/tactics.ts'
import type { Serving } from './listeners.ts'
import type { Parts } from './parts.ts'
import { rulesOf } from './signals/rules.ts'

/** What the screens of a source stand on. */
export function sendingOf(
  { clock, authority }: Pick<Parts, 'clock' | 'authority'>,
  { feedback, feeds }: Pick<Serving, 'feedback' | 'feeds'>,
): Sending {
  const { sent, sentFigures, sentSignal, attention, answer, release } = feedback
  const { heard, disputed } = feeds
  return {
    ...{ sent, sentFigures, sentSignal, attention, answer, release, heard, disputed, clock },
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
