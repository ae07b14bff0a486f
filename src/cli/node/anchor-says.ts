import type { Config } from '../../config.ts'
import { anchorOf, laterThan } from '../../core.ts'
import { compareAnchor, expectNewest, LogHalted } from '../../provenance/anchor.ts'
import type { LogStanding } from '../../provenance/standing.ts'

/** What will become of the node's log over this database. */
export interface AnchorSays {
  state: 'equal' | 'older' | 'ahead' | 'halted' | 'none'
  /** Entries that were signed and are not in the database. */
  behind: string
  says: string
}

const STARTS = 'the node may start'

/** Compares a database with what was signed, as the node will at its start; changes neither. */
export async function anchorSays(config: Config, log: LogStanding | undefined): Promise<AnchorSays> {
  if (log === undefined) return { state: 'none', behind: '0', says: 'there is no log yet' }
  const { log_id, origin, signed, signed_root, fenced, closed_size } = log
  const anchored = await anchorOf(config, log_id).read()
  // After a closed log the start opens the next one, whose anchor is there already if a rotation was broken off.
  const later = (await laterThan(config, log_id)).filter(({ size }) => closed_size === null || size > 0n)
  try {
    const state = compareAnchor(anchored, {
      origin,
      signed: { size: signed, root: signed_root },
      fence: { size: fenced },
    })
    expectNewest(later)
    return {
      state,
      behind: '0',
      says: state === 'equal' ? `the anchor is equal: ${STARTS}` : `${STARTS}: it will ${WILL[state]}`,
    }
  } catch (error) {
    if (!(error instanceof LogHalted)) throw error
    const own = anchored !== undefined && anchored.size > fenced ? anchored.size - fenced : 0n
    const behind = later.reduce((sum, { size }) => sum + size, own)
    const says =
      behind === 0n
        ? error.message
        : `behind by ${behind} entries: the node will serve the tree and refuse to sign; ${error.message}`
    return { state: 'halted', behind: String(behind), says }
  }
}

const WILL = {
  older: 'look whether it signed the tree that the anchor names, which is an older one',
  ahead: 'sign the tree that the anchor names, if the entries make it',
} as const
