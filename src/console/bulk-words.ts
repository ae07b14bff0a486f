import type { BulkJob } from '../review/bulk-schema.ts'

/** Results that change a case. */
export const BULK_CHANGES: ReadonlySet<string> = new Set(['decided', 'proposed'])

/** What became of cases, behind their number, and of one of them. */
const RESULTS: Readonly<Record<string, readonly [many: string, one: string]>> = {
  decided: ['decided', 'decided'],
  proposed: ['wait for a second person', 'critical: a second person has to approve it'],
  claimed: ['worked on by somebody else', 'somebody else works on it'],
  own: ['of your own organisation', 'it is your own signal'],
  already_decided: ['already decided', 'it is already decided'],
  parked: ['parked', 'it is parked'],
  signal_ended: ['ended meanwhile', 'its signal has ended'],
  moved: ['changed since', 'it changed since it was looked at'],
  not_there: ['not there', 'it is not there'],
  cancelled: ['left when it was cancelled', 'the job was cancelled before'],
}

export const bulkResultLabel = (result: string, of: 'many' | 'one' = 'many'): string =>
  RESULTS[result]?.[of === 'many' ? 0 : 1] ?? result

export const BULK_STATE_WORDS: Readonly<Record<BulkJob['state'], string>> = {
  proposed: 'Waits for a lead',
  running: 'Under way',
  done: 'Done',
  undoing: 'Being undone',
  undone: 'Undone',
  refused: 'Not carried out',
  cancelled: 'Cancelled',
}

/** Why a job was not carried out. */
const REFUSALS: Readonly<Record<string, string>> = {
  denied: 'A lead denied it.',
  retracted: 'It was taken back.',
  time_over: 'No lead answered within a day.',
  list_changed: 'The list is not the one that was asked for: nothing of it was carried out.',
}

export const bulkRefusalLabel = (refusal: string): string => REFUSALS[refusal] ?? `A lead denied it: ${refusal}.`
