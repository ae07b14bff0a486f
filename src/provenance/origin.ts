import { type Hash, utf8 } from '../kernel/bytes.ts'
import { derivedId, type Uuid } from '../kernel/ids.ts'

/** The number at the end of a log's origin (`<host>/provenance/<number>`), by which its node tells it apart. */
export const logIdOf = (origin: string): number => Number(origin.slice(origin.lastIndexOf('/') + 1))

/** What the logs of one node have in common. */
export const hostOf = (origin: string): string => origin.slice(0, origin.lastIndexOf('/'))

/** The event that opens a log after another: the same whoever derives it. */
export const openingOf = (hash: Hash, origin: string): Uuid => derivedId(hash(utf8(`log-opened/v1\n${origin}\n`)))

/** The event that tells, in the log after it, that a log ended. */
export const closingOf = (hash: Hash, origin: string): Uuid => derivedId(hash(utf8(`log-closed/v1\n${origin}\n`)))

/** Log after log: an order over the entries of all logs of a node, in which those of the first have their own index. */
export const placeOf = (logId: number, idx: bigint): bigint => (BigInt(logId - 1) << 48n) + idx

/** The log and the index that a place names. */
export const placedIn = (place: bigint): { logId: number; idx: bigint } => ({
  logId: Number(place >> 48n) + 1,
  idx: BigInt.asUintN(48, place),
})
