import type { Database, Log, State } from './state.ts'
import { EMPTY_LOG } from './state.ts'

/** How the pipeline may be built wrongly: each has to be found. */
export type Flaw =
  | 'no anchor'
  | 'anchor put without compare'
  | 'anchor moved after the signature'
  | 'fence ignored'
  | 'fence before clearing'
  | 'clearing before indexing'
  | 'fence read before the anchor'

/** What would end a finding, one each: see docs/proof.md. */
export type Repair =
  | 'later logs always look for known rows'
  | 'the rotation waits for the signer'
  | 'only what is indexed is cleared'

/** What there is and what may happen, each so many times. */
export interface Model {
  /** Changes that are stored, by any writers. */
  events: number
  integrators: number
  signers: number
  /** Outbox rows of one round. */
  limit: number
  /** Processes that are killed, each between any two steps. */
  kills?: number
  /** Times that the database is set back to any state that it was in. */
  restores?: number
  /** What that does to processes: they end, or they live on and find their connections broken. */
  processes?: 'end' | 'live on'
  /** The database is set back only to what its standby surely has: an A whose wait was cancelled may be missing. */
  standby?: boolean
  /** Times that the anchor is set back to any state that it was in: the one thing that must not happen. */
  anchorRestores?: number
  /** Whether the log is rotated, and what its processes do meanwhile. */
  rotation?: 'stopped' | 'running'
  /** An unchanged log is signed again. */
  refresh?: boolean
  publisher?: boolean
  watcher?: boolean
  flaw?: Flaw
  repairs?: readonly Repair[]
}

export interface Step {
  label: string
  next: State
}

export function initialOf(model: Model): State {
  const database: Database = { logs: [EMPTY_LOG], records: 0, outbox: 0 }
  return {
    database,
    anchors: [''],
    signatures: [[]],
    published: '',
    written: 0,
    made: 0,
    integrators: Array.from({ length: model.integrators }, () => ({ at: 'idle', log: 0, suspicious: true })),
    signers: Array.from({ length: model.signers }, () => ({ at: 'idle', log: 0 })),
    watcher: { at: 'idle' },
    rotation: 'none',
    backup: model.standby === true ? database : undefined,
    anchorCopy: undefined,
    kills: model.kills ?? 0,
    restores: model.restores ?? 0,
    anchorRestores: model.anchorRestores ?? 0,
    halted: undefined,
  }
}

export const put = <T>(all: readonly T[], at: number, one: T): T[] => {
  const copy = all.slice()
  copy[at] = one
  return copy
}

export const logOf = ({ logs }: Database, at: number): Log => logs[at] ?? EMPTY_LOG

/** Commits: with a standby, to it also. */
export const commit = (model: Model, state: State, database: Database): State => ({
  ...state,
  database,
  backup: model.standby === true ? database : state.backup,
})

export const commitLog = (model: Model, state: State, at: number, change: Partial<Log>): State => {
  const { database } = state
  const logs = put(database.logs, at, { ...logOf(database, at), ...change })
  return commit(model, state, { ...database, logs })
}
