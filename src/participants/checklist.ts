/** What an organisation shows before it is admitted; names of the log, never reused. */
export const CHECKLIST = ['agreement', 'appeals', 'human_review', 'retention'] as const
export type ChecklistItem = (typeof CHECKLIST)[number]

/** Stored as numbers; an item that nobody provided has no row and is `open`. */
export const ITEM_STATE = { provided: 1, accepted: 2, returned: 3 } as const
export type ItemState = keyof typeof ITEM_STATE | 'open'

export const ONBOARDING_OUTCOME = { admitted: 1, abandoned: 2 } as const
export type OnboardingOutcome = keyof typeof ONBOARDING_OUTCOME

/** The moves of an item: provided anew as often as it takes, judged by another person, and accepted for good. */
const MOVES: Readonly<Record<ItemState, readonly ItemState[]>> = {
  open: ['provided'],
  provided: ['provided', 'accepted', 'returned'],
  returned: ['provided'],
  accepted: [],
}

export const mayMove = (from: ItemState, to: ItemState): boolean => MOVES[from].includes(to)

/** Items that keep somebody from being admitted. */
export const missingOf = (states: ReadonlyMap<string, ItemState>): ChecklistItem[] =>
  CHECKLIST.filter((item) => states.get(item) !== 'accepted')
