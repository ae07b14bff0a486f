/** Why a match file was not made or not read; each with what to do. */
export const MATCH_FAULTS = {
  missing: 'aldis sync makes it',
  'no-match-file': 'name a file that aldis sync made',
  'version-other': 'aldis sync makes it anew for this release',
  'byte-order': 'this machine reads numbers the other way round, and cannot use it',
  truncated: 'delete it: aldis sync makes it anew from the mirror',
  damaged: 'delete it: aldis sync makes it anew from the mirror',
  'other-programme': 'each programme has a folder of its own: name that of the other one with --home',
  'mirror-truncated': 'delete the file and the one beside it: aldis sync takes the feed anew',
  'mirror-damaged': 'delete the file and the one beside it: aldis sync takes the feed anew',
  'mirror-other-programme': 'it was copied from the folder of another programme: take it away from here',
  'too-many-words': 'a match file has at most 65,536 sources, feeds, profiles and categories, and 256 handlings',
  'too-many': 'a match file has 12,000,000 signals at most: look them up at the node',
} as const

export type MatchFault = keyof typeof MATCH_FAULTS

/** A match file that is not read, or a mirror that none is made of; what was there before is there still. */
export class MatchFileRefused extends Error {
  override readonly name = 'MatchFileRefused'
  readonly reason: MatchFault

  constructor(reason: MatchFault, file: string, options?: ErrorOptions) {
    super(`${reason}: ${file}; ${MATCH_FAULTS[reason]}`, options)
    this.reason = reason
  }
}

/** The index of PDQ hashes failed or ended before it answered; the next question starts another. */
export class MatcherFailed extends Error {
  override readonly name = 'MatcherFailed'
}
