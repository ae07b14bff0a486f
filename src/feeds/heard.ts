import { toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { submissionBody } from './entry.ts'
import type { Heard, Told } from './plan.ts'

/** What a participant said of another's signal, or answered; with its signature if it signed it. */
export interface Act {
  recipient: Uuid
  signal_id: Uuid
  revision: number
  /** JSON. */
  told: string
  jws?: string
  salt?: Buffer
  item?: string
  countersignature?: string
}

/** What stands in the recipient's inbox, and the line that proves it where it was signed. */
export function heardIn(kind: string, act: Act): Heard & { proof: ((told: Told) => string) | undefined } {
  const { recipient, signal_id, revision, told, jws, salt, item, countersignature } = act
  const data = JSON.parse(told) as Readonly<Record<string, unknown>>
  const heard = { recipient, type: typeOf(kind), signal_id, revision, data, signed: undefined, proof: undefined }
  if (jws === undefined || salt === undefined || item === undefined || countersignature === undefined) return heard
  return {
    ...heard,
    // An act has one item: its leaf is the signed root.
    signed: { index: 0, salt: toBase64Url(salt), item, path: '' },
    proof: ({ event_id, source }) => submissionBody({ submission_id: event_id, source, n: 1, jws, countersignature }),
  }
}

function typeOf(kind: string): Heard['type'] {
  if (kind === 'dispute.opened' || kind === 'dispute.closed' || kind === 'question.answered') return kind
  return 'feedback.received'
}
