import type { Clock } from '../kernel/clock.ts'
import type { Wishes } from '../review/leases.ts'
import { mayHaveSevere, nudgeFor, SEVERE } from './exposure.ts'
import type { Personal } from './personal.ts'
import type { Viewer } from './viewer.ts'

type Who = Pick<Viewer, 'person'>

/** What keeps the work bearable: whatever gives out cases asks here, on the word of the person alone. */
export interface Wellbeing {
  /** What the person does not want to be given now. */
  wishesOf(who: Who): Promise<Wishes>
  /** The person took a case, or asked for words. */
  took(who: Who, severity: string | undefined): Promise<void>
  readWords(who: Who): Promise<void>
  /** Why the person should rest; undefined where not. */
  nudge(who: Who): Promise<Nudge | undefined>
}

export interface Nudge {
  why: 'items' | 'minutes'
  items: number
}

export const createWellbeing = ({ personal, clock }: { personal: Personal; clock: Clock }): Wellbeing => ({
  async wishesOf({ person }) {
    const { preferences } = await personal.settings(person)
    const { seen = 0 } = (await personal.exposure(person)) ?? {}
    return { without: preferences.opted_out, mild: !mayHaveSevere(seen, preferences) }
  },
  async took({ person }, severity) {
    if (severity !== undefined && SEVERE.has(severity)) await personal.seeSevere(person)
  },
  async readWords({ person }) {
    await personal.seeSevere(person)
  },
  async nudge({ person }) {
    const seen = await personal.exposure(person)
    if (seen === undefined) return undefined
    const { preferences } = await personal.settings(person)
    const why = nudgeFor(seen, preferences, clock())
    return why === undefined ? undefined : { why, items: seen.since_break }
  },
})
