import { type Static, Type } from 'typebox'
import { ReasonSchema, VERDICTS } from '../feedback/schema.ts'
import { UuidSchema } from '../kernel/schema.ts'
import { CaseInfo, Operator } from './schema.ts'

const closed = { additionalProperties: false } as const

/** Samples of one page. */
export const SAMPLES_MAX = 50

const Day = Type.Enum(['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'])
const Minute = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' })

/** How an organisation reviews. */
export const ReviewSetting = Type.Object(
  {
    /** By UTC; null where time always counts. */
    hours: Type.Union([
      Type.Object(
        {
          days: Type.Array(Day, { minItems: 1, maxItems: 7, uniqueItems: true }),
          from: Minute,
          to: Type.String({ pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$' }),
        },
        closed,
      ),
      Type.Null(),
    ]),
    /** Of closed decisions, so many are made a second time by somebody who does not see the first. */
    sample_percent: Type.Integer({ minimum: 0, maximum: 100 }),
  },
  closed,
)
export type ReviewSetting = Static<typeof ReviewSetting>

/** What is to be decided a second time: the case, without what was decided. */
export const SampleList = Type.Object(
  {
    samples: Type.Array(Type.Object({ sample: UuidSchema, opened_at: Type.String(), case: CaseInfo }, closed)),
  },
  closed,
)
export type SampleList = Static<typeof SampleList>
export const SamplesQuery = Type.Object({ operator: Operator }, closed)
export type SamplesQuery = Static<typeof SamplesQuery>
export const SampleParams = Type.Object({ sample: UuidSchema }, closed)
export const SampleAnswer = Type.Object(
  { operator: Operator, verdict: Type.Enum([...VERDICTS]), reason: ReasonSchema },
  closed,
)
export type SampleAnswer = Static<typeof SampleAnswer>
/** Told once the second verdict stands. */
export const SampleResult = Type.Object(
  { sample: UuidSchema, agreed: Type.Boolean(), verdict: Type.String(), reason: Type.String() },
  closed,
)
export type SampleResult = Static<typeof SampleResult>
