import { commit, commitLog, logOf, type Model, put, type Step } from './model.ts'
import {
  bit,
  type Events,
  entryOf,
  eventsIn,
  eventsOf,
  type Integrator,
  type Log,
  madeAgain,
  OPENED,
  type State,
} from './state.ts'

/** Steps of one integrator: A, B and C of a round, each its own commit. */
export function integratorSteps(model: Model, state: State, n: number): Step[] {
  const one = state.integrators[n]
  if (one === undefined) return []
  const name = `integrator ${n + 1}`
  const becomes = (next: State, to: Integrator): State => ({ ...next, integrators: put(next.integrators, n, to) })
  const ended: Integrator = { at: 'idle', log: one.log, suspicious: !trusts(model, one.log) }
  if (one.at === 'idle') return index(model, state, { name, one, becomes })
  const { log, tree } = one
  const fenced = () => commitLog(model, state, log, { fence: moved(logOf(state.database, log).fence, tree) })
  const cleared = (clear: Events): State => {
    const { database } = state
    const only = model.repairs?.includes('only what is indexed is cleared') ? knownTo(database.logs, log) : clear
    return commit(model, state, { ...database, outbox: database.outbox & ~ofLog(clear & only, log) })
  }
  if (model.flaw === 'fence before clearing') {
    if (one.at === 'cleared') throw new Error('the order is another')
    const isFenced = logOf(state.database, log).fence.length >= tree.length
    return isFenced
      ? [{ label: `${name} clears (B)`, next: becomes(cleared(one.clear), ended) }]
      : [{ label: `${name} moves the fence (C)`, next: fenced() }]
  }
  if (one.at === 'cleared') return [{ label: `${name} moves the fence (C)`, next: becomes(fenced(), ended) }]
  return [{ label: `${name} clears (B)`, next: becomes(cleared(one.clear), { at: 'cleared', log, tree }) }]
}

/**
 * Whether an integrator whose round went well looks no more for known rows. Within one log, one that always looks can do
 * all that the other can: its states are left out.
 */
const trusts = ({ rotation, repairs }: Model, log: number): boolean =>
  rotation !== undefined && !(log > 0 && repairs?.includes('later logs always look for known rows'))

const moved = (fence: string, tree: string): string => (fence.length <= tree.length ? tree : fence)

/** Rows of a later log are not an earlier one's. */
const ofLog = (events: Events, log: number): Events => (log === 0 ? events & ~bit(OPENED) : events)

/** Events of the log and those before it, but what is beyond an end. */
const knownTo = (logs: readonly Log[], last: number): Events =>
  logs
    .slice(0, last + 1)
    .reduce(
      (known, { entries, closed }) => known | eventsOf(closed === undefined ? entries : entries.slice(0, closed)),
      0,
    )

interface Turn {
  name: string
  one: Extract<Integrator, { at: 'idle' }>
  becomes(next: State, to: Integrator): State
}

/** A: under the head's lock, and so at once. */
function index(model: Model, state: State, { name, one, becomes }: Turn): Step[] {
  const { log } = one
  const { database } = state
  const head = logOf(database, log)
  if (head.closed !== undefined) return []
  const waiting = rowsFor(database.outbox, log, head)
  const choices = subsetsOf(waiting, model.limit)
  return choices.flatMap((rows) => indexRows(model, state, { name, one, becomes, head, rows }))
}

function indexRows(model: Model, state: State, turn: Turn & { head: Log; rows: Events }): Step[] {
  const { name, one, becomes, head, rows } = turn
  const { log } = one
  const { database } = state
  const already = rows & eventsOf(head.entries)
  if (!one.suspicious && already !== 0)
    return [{ label: `${name} finds a row that is indexed`, next: becomes(state, { ...one, suspicious: true }) }]
  const known = one.suspicious ? rows & knownTo(database.logs, log) : 0
  const fresh = rows & ~known
  if (fresh === 0 && known === 0 && head.fence === head.entries)
    return one.suspicious && trusts(model, log)
      ? [{ label: `${name} finds nothing`, next: becomes(state, { ...one, suspicious: false }) }]
      : []
  let { made } = state
  let entries = head.entries
  for (const event of eventsIn(fresh)) {
    entries += entryOf(event, made)
    made = madeAgain(event, made)
  }
  const clearsFirst = model.flaw === 'clearing before indexing'
  const outbox = clearsFirst ? database.outbox & ~rows : database.outbox
  const next = { ...database, outbox, logs: put(database.logs, log, { ...head, entries }) }
  const holds: Integrator = { at: 'indexed', log, tree: entries, clear: known | fresh }
  const steps = [{ label: `${name} indexes (A)`, next: becomes({ ...commit(model, state, next), made }, holds) }]
  if (model.standby === true && fresh !== 0)
    steps.push({
      label: `${name} indexes (A), and its standby does not hear of it`,
      next: becomes({ ...state, database: next, made }, holds),
    })
  if (clearsFirst && state.kills > 0)
    steps.push({
      label: `${name} clears (B) and is killed before it indexes`,
      next: becomes({ ...commit(model, state, { ...database, outbox }), kills: state.kills - 1 }, one),
    })
  return steps
}

/** All rows, or as many of them as a round takes: which ones come first is left to their ids. */
function subsetsOf(rows: Events, limit: number): Events[] {
  let subsets = [{ rows: 0, n: 0 }]
  const all = eventsIn(rows)
  for (const event of all)
    subsets = subsets.flatMap(({ rows, n }) => [
      { rows, n },
      { rows: rows | bit(event), n: n + 1 },
    ])
  const size = Math.min(limit, all.length)
  return subsets.filter(({ n }) => n === size).map((one) => one.rows)
}

/** What opens a log is its first entry. */
const rowsFor = (outbox: Events, log: number, head: Log): Events =>
  log === 0 ? ofLog(outbox, 0) : head.entries === '' ? outbox & bit(OPENED) : outbox
