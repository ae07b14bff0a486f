import { type Static, Type } from 'typebox'
import type { Uuid } from '../kernel/ids.ts'
import { UuidSchema } from '../kernel/schema.ts'

const closed = { additionalProperties: false } as const

/** What an organisation's programs go through before they take part, in this order. */
export const CONFORMANCE_STEPS = [
  'clock',
  'mutual_tls',
  'admitted_key',
  'submit',
  'sync_verified',
  'lookup',
  'feedback',
  'withdrawal_obeyed',
  'erasure_acknowledged',
  'webhook_answered',
] as const
export type ConformanceStep = (typeof CONFORMANCE_STEPS)[number]

const Outcome = Type.Enum(['pass', 'fail'])

/** Each step with what became of it: one that was not reached has failed. */
export const ConformanceSteps = Type.Object(
  Object.fromEntries(CONFORMANCE_STEPS.map((step) => [step, Outcome])) as Record<ConformanceStep, typeof Outcome>,
  closed,
)
export type ConformanceSteps = Static<typeof ConformanceSteps>

export const ConformanceReport = Type.Object({ run: UuidSchema, steps: ConformanceSteps }, closed)
export type ConformanceReport = Static<typeof ConformanceReport>

export const ConformanceResult = Type.Object(
  { run: UuidSchema, at: Type.String(), passed: Type.Boolean(), steps: ConformanceSteps },
  closed,
)
export type ConformanceResult = Static<typeof ConformanceResult>

/** A run as it was recorded. */
export interface ConformanceRun {
  run_id: Uuid
  at: Date
  steps: ConformanceSteps
  passed: boolean
}

export const passedAll = (steps: ConformanceSteps): boolean => Object.values(steps).every((one) => one === 'pass')

/** As a row has them: it was checked before it was written. */
export const stepsOf = (text: string): ConformanceSteps => JSON.parse(text) as ConformanceSteps

/** `signal`: of the simulated participant's own, and for `feedback` of the asker's. */
export const SandboxAsk = Type.Union([
  Type.Object({ do: Type.Literal('signal') }, closed),
  Type.Object({ do: Type.Enum(['revision', 'withdrawal', 'feedback', 'erasure']), signal: UuidSchema }, closed),
])
export type SandboxAsk = Static<typeof SandboxAsk>

/** `raw`: what a new signal is of, so that it can be looked up. */
export const SandboxDone = Type.Object(
  { source: Type.String(), signal: UuidSchema, raw: Type.Optional(Type.String()) },
  closed,
)
export type SandboxDone = Static<typeof SandboxDone>

/** Seconds by which an answer may be put off on request. */
export const SANDBOX_DELAY_MAX = 30
export const RefusalParams = Type.Object({ code: Type.String({ pattern: '^[a-z]+(-[a-z]+)*$' }) }, closed)
export const RefusalQuery = Type.Object(
  {
    seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: SANDBOX_DELAY_MAX })),
    retry_after: Type.Optional(Type.Integer({ minimum: 0, maximum: 600 })),
  },
  closed,
)
