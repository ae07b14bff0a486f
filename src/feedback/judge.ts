import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { refuseRaw } from '../identifiers/refuse-raw.ts'
import { Refusal } from '../kernel/errors.ts'
import { firstFault } from '../kernel/schema.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { DisputeItem, FeedbackItem, OTHER_REASON, REASONS, type ReviewVerdict, VERDICTS } from './schema.ts'

const FEEDBACK = Compile(FeedbackItem)
const DISPUTE = Compile(DisputeItem)

/** The signed text as what it is, or the refusal that names its fault; never a value of it. */
export function readFeedback(text: string): FeedbackItem {
  const item = read<FeedbackItem>(FEEDBACK, text)
  const { outcome, reason, note, category_suggested } = item
  checkReason(outcome, reason, note)
  checkWords({ note, category_suggested })
  return item
}

export function readDispute(text: string): DisputeItem {
  const item = read<DisputeItem>(DISPUTE, text)
  checkWords({ note: item.note })
  return item
}

/** A verdict has one of its own reasons, or `other` and a note; outcomes that are no verdict have none. */
export function checkReason(outcome: string, reason: string | undefined, note: string | undefined): void {
  if (!isVerdict(outcome)) {
    if (reason !== undefined) throw refused('this outcome has no reason')
    return
  }
  if (reason === OTHER_REASON) {
    if (note === undefined) throw refused('the reason other needs a note')
    return
  }
  if (reason === undefined || !REASONS[outcome].includes(reason))
    throw refused(`one of ${[...REASONS[outcome], OTHER_REASON].join(', ')}`)
}

/** What people write or choose freely, by the names of its members: nothing that looks raw. */
export function checkWords(words: Readonly<Record<string, string | undefined>>): void {
  refuseRaw(words, "say what it is about by the signal's id")
}

const isVerdict = (outcome: string): outcome is ReviewVerdict => VERDICTS.some((one) => one === outcome)
const refused = (detail: string): Refusal => new Refusal('reason-unknown', { detail })

function read<T>(validator: Validator<Record<never, never>, TSchema>, text: string): T {
  const value = parseStrict(text)
  if (validator.Check(value)) return value as T
  const { pointer, detail } = firstFault(validator as unknown as Validator, value)
  throw new Refusal('validation-failed', { errors: [{ pointer, code: 'validation-failed', detail }] })
}
