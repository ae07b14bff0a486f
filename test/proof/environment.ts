import { commit, commitLog, logOf, type Model, put, type Step } from './model.ts'
import { bit, EMPTY_LOG, eventsOf, OPENED, type State } from './state.ts'

/** The log that a process works on which starts now. */
const present = ({ database }: State): number => database.logs.length - 1

/**
 * A change, its record and its outbox row are one commit; whether its writer was told by then is seen by nobody. Nor is
 * which of the writers it was: events are named in the order of their commits.
 */
export function writerSteps(model: Model, state: State): Step[] {
  const { written, database } = state
  if (written === model.events) return []
  const next = { ...database, records: database.records | bit(written), outbox: database.outbox | bit(written) }
  const told = { ...commit(model, state, next), written: written + 1 }
  return [{ label: `a writer stores ${'abcdefg'[written]}`, next: told }]
}

export function publisherSteps(model: Model, state: State): Step[] {
  const { signed } = logOf(state.database, 0)
  if (model.publisher !== true || state.published === signed) return []
  return [{ label: `the publisher gives out ${signed}`, next: { ...state, published: signed } }]
}

const allEnd = (state: State): State => ({
  ...state,
  integrators: state.integrators.map(() => ({ at: 'idle', log: present(state), suspicious: true })),
  signers: state.signers.map(() => ({ at: 'idle', log: present(state) })),
  watcher: { at: 'idle' },
})

/** Kills, and starts again what halted because the next log was opened. */
export function endSteps(state: State): Step[] {
  const steps: Step[] = []
  const log = present(state)
  const end = (label: string, isFree: boolean, next: State): void => {
    if (isFree) steps.push({ label: `${label} is started again`, next })
    else if (state.kills > 0) steps.push({ label: `${label} is killed`, next: { ...next, kills: state.kills - 1 } })
  }
  for (const [n, one] of state.integrators.entries()) {
    if (one.at === 'idle' && one.suspicious && one.log === log) continue
    const integrators = put(state.integrators, n, { at: 'idle', log, suspicious: true } as const)
    end(`integrator ${n + 1}`, one.at === 'idle' && one.log !== log, { ...state, integrators })
  }
  for (const [n, one] of state.signers.entries()) {
    if (one.at === 'idle' && one.log === log) continue
    const signers = put(state.signers, n, { at: 'idle', log } as const)
    end(`signer ${n + 1}`, one.at === 'idle', { ...state, signers })
  }
  const begun = state.rotation !== 'none' && state.rotation !== 'done'
  if (begun) end('the rotation', false, { ...state, rotation: 'none' })
  return steps
}

export function restoreSteps(model: Model, state: State): Step[] {
  const { backup, database, restores, anchors, anchorCopy, anchorRestores } = state
  const steps: Step[] = []
  if (restores > 0 && backup === undefined)
    steps.push({ label: 'a backup of the database is taken', next: { ...state, backup: database } })
  if (restores > 0 && backup !== undefined) {
    const back = {
      ...state,
      database: backup,
      backup: model.standby === true ? backup : undefined,
      restores: restores - 1,
    }
    const signers = state.signers.map((one) => (one.at === 'idle' ? one : { ...one, lost: true }))
    const rotation = backup.logs.length === 1 ? 'none' : 'done'
    steps.push({
      label: model.standby === true ? 'the standby takes over' : 'the backup is restored',
      next: model.processes === 'live on' ? { ...back, signers } : allEnd({ ...back, rotation }),
    })
  }
  if (anchorRestores > 0 && anchorCopy === undefined)
    steps.push({ label: 'the anchor is copied', next: { ...state, anchorCopy: anchors[0] } })
  if (anchorRestores > 0 && anchorCopy !== undefined)
    steps.push({
      label: 'the anchor is set back to its copy',
      next: {
        ...state,
        anchors: put(anchors, 0, anchorCopy),
        anchorCopy: undefined,
        anchorRestores: anchorRestores - 1,
      },
    })
  return steps
}

/** The steps of `rotateLog`, each its own commit. */
export function rotationSteps(model: Model, state: State): Step[] {
  if (model.rotation === undefined) return []
  const { database, rotation } = state
  const old = logOf(database, 0)
  const to = (at: State['rotation'], next: State): State => ({ ...next, rotation: at })
  switch (rotation) {
    case 'none': {
      if (database.logs.length > 1) return []
      const isSigning = state.signers.some((one) => one.at !== 'idle' && one.log === 0 && !one.lost)
      const waits = model.repairs?.includes('the rotation waits for the signer') === true
      if (isSigning && waits && model.rotation === 'running') return []
      const stopped = model.rotation === 'stopped' ? allEnd(state) : state
      const next = commitLog(model, stopped, 0, { closed: old.closed ?? old.signed.length })
      return [{ label: 'the rotation closes the log', next: to('closed', next) }]
    }
    case 'closed': {
      if ((database.records & bit(OPENED)) !== 0)
        return [{ label: 'the record of the next log is there', next: to('recorded', state) }]
      const rows = { records: database.records | bit(OPENED), outbox: database.outbox | bit(OPENED) }
      return [
        {
          label: 'the rotation records the next log',
          next: to('recorded', commit(model, state, { ...database, ...rows })),
        },
      ]
    }
    case 'recorded': {
      const outbox = database.outbox | eventsOf(old.entries.slice(old.closed ?? 0))
      return [
        {
          label: 'what was never signed waits again',
          next: to('waiting', commit(model, state, { ...database, outbox })),
        },
      ]
    }
    case 'waiting': {
      const anchors = state.anchors[1] === undefined ? put(state.anchors, 1, '') : state.anchors
      return [{ label: 'the next log gets its anchor', next: to('anchored', { ...state, anchors }) }]
    }
    case 'anchored': {
      const opened = commit(model, state, { ...database, logs: [old, EMPTY_LOG] })
      return [
        { label: 'the next log is opened', next: to('done', model.rotation === 'stopped' ? allEnd(opened) : opened) },
      ]
    }
    case 'done':
      return []
  }
}
