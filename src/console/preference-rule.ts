import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { CAP_MAX } from './schema.ts'

/** Acts whose key a person may choose; each with the key that it has otherwise. */
export const KEY_ACTS = {
  claim: { key: 'c', does: 'Claim, or let go' },
  select: { key: 'x', does: 'Select a row' },
  bulk: { key: 'd', does: 'Decide selected alike' },
  reason: { key: 'r', does: 'Choose the reason' },
  escalate: { key: 'e', does: 'Ask a second person' },
  submit: { key: 's', does: 'Submit' },
  next: { key: 'n', does: 'Next case, or submit and next' },
  undo: { key: 'z', does: 'Undo' },
  hold: { key: 'h', does: 'Hold' },
  hand_over: { key: 'm', does: 'Hand over' },
  approve: { key: 'y', does: 'Approve' },
  news: { key: '.', does: 'Load what is new' },
  back: { key: 'u', does: 'Back to the list' },
} as const
export type KeyAct = keyof typeof KEY_ACTS
export const KEY_ACT_NAMES = Object.keys(KEY_ACTS) as KeyAct[]

/** Keys that stay what they are: lists, verdicts, words, help, and the first of two. */
const FIXED: ReadonlySet<string> = new Set(['j', 'k', 'o', 'g', 'R', 'X', '/', '?', '1', '2', '3', '4', '5', '6', '7'])
const CHOSEN = /^[a-z0-9.,;:'+*#-]$/

/** How a person works: keys, and what keeps the work bearable. Null: no limit. */
export interface Preferences {
  keys: Partial<Record<KeyAct, string>>
  /** Categories whose cases are not given by *next*; they are found as before. */
  opted_out: readonly string[]
  /** Severe items a day. */
  daily_cap: number | null
  nudge_items: number | null
  nudge_minutes: number | null
}

export const PLAIN: Preferences = { keys: {}, opted_out: [], daily_cap: null, nudge_items: 20, nudge_minutes: 50 }

export const OPTED_OUT_MAX = 50
export const NUDGE_MINUTES_MAX = 240

const Count = (most: number) => Type.Union([Type.Integer({ minimum: 1, maximum: most }), Type.Null()])
const SHAPE = Compile(
  Type.Object(
    {
      keys: Type.Record(Type.String({ maxLength: 20 }), Type.String({ maxLength: 1 })),
      opted_out: Type.Array(Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' }), {
        ...{ maxItems: OPTED_OUT_MAX, uniqueItems: true },
      }),
      daily_cap: Count(CAP_MAX),
      nudge_items: Count(CAP_MAX),
      nudge_minutes: Count(NUDGE_MINUTES_MAX),
    },
    { additionalProperties: false },
  ),
)

/** As they are kept; what is not of the form is as if nothing were chosen. */
export function parsePreferences(text: string): Preferences {
  const value: unknown = JSON.parse(text)
  if (!SHAPE.Check(value)) return PLAIN
  const { keys, ...rest } = value
  return { ...rest, keys: 'fault' in chosenKeys(keys) ? {} : keys }
}

/** Only what differs from the keys that acts have anyhow; a fault names the act that cannot have its key. */
export function chosenKeys(
  asked: Readonly<Record<string, string>>,
): { keys: Partial<Record<KeyAct, string>> } | { fault: KeyAct; why: string } {
  const keys: Partial<Record<KeyAct, string>> = {}
  const taken = new Map<string, KeyAct>()
  for (const act of KEY_ACT_NAMES) {
    const own = KEY_ACTS[act].key
    const key = asked[act] === undefined || asked[act] === '' ? own : asked[act]
    if (FIXED.has(key)) return { fault: act, why: `${key} has a meaning everywhere that stays` }
    if (!CHOSEN.test(key)) return { fault: act, why: 'one small letter, digit or sign' }
    const other = taken.get(key)
    if (other !== undefined) return { fault: act, why: `${key} is the key of “${KEY_ACTS[other].does}”` }
    taken.set(key, act)
    if (key !== own) keys[act] = key
  }
  return { keys }
}

/** What a key is now called that pages name by the one it has otherwise. */
export function keyNow(keys: Preferences['keys'], usual: string): string {
  const act = KEY_ACT_NAMES.find((one) => KEY_ACTS[one].key === usual)
  return act === undefined ? usual : (keys[act] ?? usual)
}

/** For the browser: `pressed:usual`, and for a usual key that is now nobody's an empty one. */
export function keyMapText(keys: Preferences['keys']): string {
  const moved = KEY_ACT_NAMES.flatMap((act) => {
    const now = keys[act]
    return now === undefined ? [] : [[now, KEY_ACTS[act].key] as const]
  })
  const given = new Set(moved.map(([now]) => now))
  const free = moved.flatMap(([, usual]) => (given.has(usual) ? [] : [[usual, ''] as const]))
  return [...moved, ...free].map(([pressed, usual]) => `${pressed}=${usual}`).join(' ')
}
