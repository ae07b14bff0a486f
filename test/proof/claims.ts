import { bit, type Events, eventOf, eventsIn, eventsOf, type Log, type State, type Tree } from './state.ts'

/** What must hold in each state; answers what is wrong. */
type Claim = (state: State) => string | undefined

/** The entries of a tree that has one event twice. */
const hasTwice = (tree: Tree): boolean => {
  let seen: Events = 0
  for (const entry of tree) {
    const event = bit(eventOf(entry))
    if ((seen & event) !== 0) return true
    seen |= event
  }
  return false
}

const kept = ({ entries, closed }: Log): Tree => (closed === undefined ? entries : entries.slice(0, closed))

export const CLAIMS = {
  'no two roots of one size are signed': ({ signatures }) => {
    for (const trees of signatures)
      for (const [i, tree] of trees.entries())
        for (const other of trees.slice(i + 1))
          if (other.length === tree.length) return `${tree} and ${other} are signed`
    return undefined
  },
  'what is signed is one history': ({ signatures }) => {
    for (const trees of signatures)
      for (const [i, tree] of trees.entries())
        for (const other of trees.slice(i + 1))
          if (!other.startsWith(tree) && !tree.startsWith(other)) return `${tree} and ${other} are signed`
    return undefined
  },
  'an event has one place in all logs, or waits': ({ database: { logs, records, outbox } }) => {
    const places = logs.map(kept).join('')
    if (hasTwice(places)) return `an event is twice in ${logs.map(kept).join(' and ')}`
    // Between two steps of a rotation what it ends before waits in the old log.
    const beyond = logs.length === 1 ? eventsOf(logs[0]?.entries ?? '') : 0
    const lost = records & ~(eventsOf(places) | outbox | beyond)
    return lost === 0 ? undefined : `${lettersOf(lost)} has no place and does not wait`
  },
  // A signature that died with its process was given to nobody.
  'an event has one place in all stored checkpoints': ({ database: { logs } }) =>
    hasTwice(logs.map(({ signed }) => signed).join(''))
      ? `an event is twice in ${logs.map(({ signed }) => signed).join(' and ')}`
      : undefined,
  'indices are dense, and the fence and what is signed are within the log': ({ database }) => {
    for (const { entries, fence, signed } of database.logs)
      if (!entries.startsWith(fence) || !fence.startsWith(signed))
        return `log ${entries}, fence ${fence}, signed ${signed}`
    return undefined
  },
  'what a writer was told is stored': ({ written, database: { records } }) => {
    const gone = (bit(written) - 1) & ~records
    return gone === 0 ? undefined : `${lettersOf(gone)} is gone`
  },
  'nothing halts': ({ halted }) => halted && `halted: ${halted}`,
  'what is signed waits no more': ({ database: { logs, outbox } }) => {
    const waits = outbox & logs.reduce((events, { signed }) => events | eventsOf(signed), 0)
    return waits === 0 ? undefined : `${lettersOf(waits)} is signed and waits`
  },
  'what is signed is in the database': ({ signatures, database: { logs } }) => {
    for (const [at, trees] of signatures.entries())
      for (const tree of trees) if (!logs[at]?.entries.startsWith(tree)) return `${tree} is signed and gone`
    return undefined
  },
  'what is given out is signed': ({ published, signatures }) =>
    published === '' || signatures[0]?.includes(published) ? undefined : `${published} is given out and not signed`,
} as const satisfies Record<string, Claim>

export type ClaimName = keyof typeof CLAIMS

const lettersOf = (events: Events): string =>
  eventsIn(events)
    .map((event) => 'abcdefgh'[event])
    .join('')
