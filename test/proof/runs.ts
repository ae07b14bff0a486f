import type { ClaimName } from './claims.ts'
import type { Flaw, Model, Repair } from './model.ts'

/** A model of the log as it is built, and what holds in each state of it. */
export interface Run {
  name: string
  model: Model
  /** A bound that is explored in a moment. */
  small: Partial<Model>
  claims: readonly ClaimName[]
}

/** Where a claim does not hold, because something is built wrongly. */
export interface Control {
  name: string
  model: Model
  claim: ClaimName
}

const SIGNING: readonly ClaimName[] = ['no two roots of one size are signed', 'what is signed is one history']
const PLACES: readonly ClaimName[] = [
  'an event has one place in all logs, or waits',
  'an event has one place in all stored checkpoints',
]
const DENSE: ClaimName = 'indices are dense, and the fence and what is signed are within the log'
const TOLD: ClaimName = 'what a writer was told is stored'

const TWO_OF_EACH = { integrators: 2, signers: 2 } as const
const ONE_OF_EACH = { integrators: 1, signers: 1 } as const

export const RUNS: readonly Run[] = [
  {
    name: 'two processes killed anywhere',
    model: { events: 4, ...TWO_OF_EACH, limit: 2, kills: 2, publisher: true },
    small: { events: 3, kills: 1 },
    claims: [...SIGNING, ...PLACES, DENSE, TOLD, 'nothing halts', 'what is given out is signed'],
  },
  {
    name: 'one killed, unchanged logs signed again, a watcher that reads without a lock',
    model: { events: 3, ...TWO_OF_EACH, limit: 3, kills: 1, refresh: true, watcher: true },
    small: { events: 2 },
    claims: [...SIGNING, ...PLACES, DENSE, TOLD, 'nothing halts', 'what is signed waits no more'],
  },
  {
    name: 'the database set back to any state it was in, all processes ended by that',
    model: { events: 4, ...TWO_OF_EACH, limit: 4, restores: 1, processes: 'end' },
    small: { events: 2 },
    claims: [...SIGNING, ...PLACES],
  },
  {
    name: 'the database set back under processes that live on',
    model: { events: 3, ...TWO_OF_EACH, limit: 3, restores: 1, processes: 'live on' },
    small: { events: 2 },
    claims: SIGNING,
  },
  {
    name: 'one killed, and the database set back under processes that live on',
    model: { events: 2, ...TWO_OF_EACH, limit: 1, kills: 1, restores: 1, processes: 'live on', refresh: true },
    small: { events: 1 },
    claims: SIGNING,
  },
  {
    name: 'a standby takes over that may have missed the newest A',
    model: { events: 4, ...TWO_OF_EACH, limit: 4, kills: 1, restores: 1, processes: 'end', standby: true },
    small: { events: 2 },
    claims: [...SIGNING, ...PLACES, DENSE, TOLD, 'nothing halts', 'what is signed is in the database'],
  },
  {
    name: 'a stopped node rotates its log, one process killed',
    model: { events: 2, ...TWO_OF_EACH, limit: 2, kills: 1, rotation: 'stopped' },
    small: { signers: 1, kills: 0 },
    claims: [...SIGNING, ...PLACES, DENSE, TOLD],
  },
  {
    name: 'a stopped node rotates its log, and the database is set back before or after',
    model: { events: 2, ...ONE_OF_EACH, limit: 2, restores: 1, processes: 'end', rotation: 'stopped' },
    small: { events: 1 },
    claims: [...SIGNING, ...PLACES],
  },
]

const wrong = (flaw: Flaw, model: Partial<Model>, claim: ClaimName): Control => ({
  name: flaw,
  model: { events: 2, ...ONE_OF_EACH, limit: 2, ...model, flaw },
  claim,
})
const setBack = { restores: 1, processes: 'end' } as const

export const CONTROLS: readonly Control[] = [
  wrong('no anchor', setBack, 'no two roots of one size are signed'),
  wrong(
    'anchor put without compare',
    { signers: 2, restores: 1, processes: 'live on' },
    'no two roots of one size are signed',
  ),
  wrong('anchor moved after the signature', setBack, 'no two roots of one size are signed'),
  {
    name: 'the anchor itself set back',
    model: { events: 2, ...ONE_OF_EACH, limit: 2, ...setBack, anchorRestores: 1 },
    claim: 'no two roots of one size are signed',
  },
  wrong('fence ignored', { ...setBack, standby: true }, 'what is signed is in the database'),
  wrong('fence before clearing', {}, 'what is signed waits no more'),
  wrong('clearing before indexing', { kills: 1 }, 'an event has one place in all logs, or waits'),
  wrong('fence read before the anchor', { watcher: true }, 'nothing halts'),
]

/** Where a claim does not hold without a rule that the log follows. */
export interface Finding extends Control {
  repairs: readonly Repair[]
}

export const FINDINGS: readonly Finding[] = [
  {
    name: 'rows beyond one round are signed, wait still, and are indexed again by the log of a rotation',
    model: { events: 2, integrators: 2, signers: 1, limit: 1, rotation: 'stopped' },
    claim: 'an event has one place in all logs, or waits',
    repairs: ['later logs always look for known rows'],
  },
  {
    name: 'a rotation under a running signer: a checkpoint beyond the end of the log',
    model: { events: 1, ...ONE_OF_EACH, limit: 1, rotation: 'running' },
    claim: 'an event has one place in all stored checkpoints',
    repairs: ['the rotation waits for the signer'],
  },
  {
    name: 'a rotation under a running integrator: it clears what waits again',
    model: { events: 1, ...ONE_OF_EACH, limit: 1, rotation: 'running' },
    claim: 'an event has one place in all logs, or waits',
    repairs: ['only what is indexed is cleared'],
  },
  {
    name: 'an integrator that outlives its database clears rows of the older one',
    model: { events: 1, ...ONE_OF_EACH, limit: 1, restores: 1, processes: 'live on' },
    claim: 'an event has one place in all logs, or waits',
    repairs: ['only what is indexed is cleared'],
  },
]
