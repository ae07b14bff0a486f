import { asParticipant, type Tx } from '../db/as-participant.ts'
import { checkReason } from '../feedback/judge.ts'
import { AUTHORITY, OUTCOME } from '../feedback/schema.ts'
import type { Disclosed, Reader } from '../feeds/answer.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { Reviewer } from './case.ts'
import type { DecisionRow } from './decision-store.ts'
import { checkPersons, type DecisionsOptions } from './decisions.ts'
import { nameOf } from './outcome.ts'
import type { CaseReads } from './read.ts'
import {
  type ReviewSetting,
  SAMPLES_MAX,
  type SampleAnswer,
  type SampleList,
  type SampleResult,
} from './sample-schema.ts'
import { isSampled } from './sampling.ts'
import type { Named } from './second.ts'
import { columnsOf, type Expects, NO_SETTING, settingOf } from './setting.ts'
import * as settingStore from './setting-store.ts'
import type * as store from './store.ts'

export interface Samples {
  setting(participant: Uuid): Promise<ReviewSetting>
  /** Replaces the whole; with `expects` only what that lets pass. Answers how it is in force. */
  set(
    by: Pick<Reviewer, 'participant' | 'slug'>,
    setting: ReviewSetting,
    expects?: Expects<ReviewSetting>,
  ): Promise<ReviewSetting>
  /** What somebody may decide a second time: cases of others, without what was decided. Written down before it is given out. */
  samples(by: Reader & Named): Promise<Disclosed>
  /** The second verdict, which alters nothing; `state-conflict` where there is one. */
  answerSample(by: Reviewer, sample: Uuid, answer: Omit<SampleAnswer, 'operator'>): Promise<SampleResult>
}

type SamplesOptions = Pick<DecisionsOptions, 'db' | 'clock' | 'provenance' | 'colleagues'> & Pick<CaseReads, 'some'>

export function createSamples(options: SamplesOptions): Samples {
  const { db, provenance } = options
  const logged = async <T>(participant: Uuid, work: (tx: Tx<'participant'>) => Promise<T>): Promise<T> => {
    provenance.admit()
    const result = await asParticipant(db, participant, work)
    provenance.wake()
    return result
  }
  return {
    setting: (participant) =>
      asParticipant(db, participant, async (tx) => {
        const row = await settingStore.settingOf(tx, participant)
        return row === undefined ? NO_SETTING : settingOf(row)
      }),
    set: (by, setting, expects) => logged(by.participant, (tx) => setIn(options, tx, { by, setting, expects })),
    samples: (by) => list(options, by),
    answerSample: async (by, sample, answer) => {
      checkReason(answer.verdict, answer.reason, undefined)
      const colleagues = await options.colleagues(by.slug)
      return logged(by.participant, (tx) => answerIn(options, tx, { by, sample, answer, colleagues }))
    },
  }
}

interface Setting {
  by: Pick<Reviewer, 'participant' | 'slug'>
  setting: ReviewSetting
  expects: Expects<ReviewSetting> | undefined
}

async function setIn(
  { clock, provenance }: Pick<SamplesOptions, 'clock' | 'provenance'>,
  tx: Tx,
  { by, setting, expects }: Setting,
): Promise<ReviewSetting> {
  const columns = columnsOf(setting)
  if (columns.opens >= columns.closes) throw new Refusal('validation-failed', { detail: 'from comes before to' })
  const known = expects && (await settingStore.settingForUpdate(tx, by.participant))
  expects?.(known === undefined ? NO_SETTING : settingOf(known))
  const at = clock()
  const event_id = newId(at)
  await provenance.record(tx, {
    ...{ kind: 'review.set', event_id, participant_id: by.participant, at, actor: by.slug },
    fields: { hours: setting.hours ?? undefined, sample_percent: setting.sample_percent },
  })
  const row = { ...columns, participant_id: by.participant, last_event: event_id }
  const isFirst = expects !== undefined && known === undefined
  if (!(await settingStore.putSetting(tx, row, isFirst)))
    throw new Refusal('precondition-failed', { detail: 'another change came between: read it anew' })
  return settingOf(columns)
}

/** Part of a release: chooses some of what is closed to be decided a second time. */
export async function sample(
  tx: Tx<'participant'>,
  { row, decision, event, now }: { row: store.CaseRow; decision: DecisionRow; event: Uuid; now: Date },
): Promise<void> {
  const { participant_id, case_id } = row
  // Of an own signal there is nothing to find out: its disputes are answered.
  if (row.origin === participant_id) return
  const setting = await settingStore.settingOf(tx, participant_id)
  if (setting === undefined || !isSampled(event, setting.sample_percent)) return
  await settingStore.insertSample(tx, {
    ...{ participant_id, sample_id: event, case_id, seq: decision.seq, verdict: decision.verdict },
    ...{ reason: decision.reason, decided_by: decision.decided_by, approved_by: decision.approved_by },
    ...{ authority: decision.authority, opened_at: now, last_event: event },
    ...{ second_verdict: null, second_reason: null, second_by: null, second_authority: null, second_at: null },
  })
}

async function list({ db, colleagues, some }: SamplesOptions, by: Reader & Named): Promise<Disclosed> {
  const known = await colleagues(by.slug)
  const others = by.authority === 'reviewed_here' ? [...known] : known.has(by.who) ? 'all' : []
  const beside = { who: by.who, authority: AUTHORITY[by.authority], others } as const
  const own = await asParticipant(db, by.participant, (tx) =>
    settingStore.openSamples(tx, by.participant, { ...beside, limit: SAMPLES_MAX }),
  )
  const { body, read } = await some(
    by,
    own.map(({ case_id }) => case_id),
  )
  const { cases } = JSON.parse(body) as { cases: SampleList['samples'][number]['case'][] }
  const of = new Map(cases.map((one) => [one.case, one]))
  const samples = own.flatMap(({ sample_id, case_id, opened_at }) => {
    const found = of.get(case_id)
    return found === undefined ? [] : [{ sample: sample_id, opened_at: opened_at.toISOString(), case: found }]
  })
  return { body: JSON.stringify({ samples } satisfies SampleList), read }
}

/** Who stood for the first decision. */
const personsOf = ({ decided_by, approved_by, authority }: settingStore.SampleRow): Named[] => {
  const of = authority === AUTHORITY.reviewed_here ? 'reviewed_here' : 'attested'
  return [decided_by, ...(approved_by === null ? [] : [approved_by])].map((who) => ({ who, authority: of }))
}

async function answerIn(
  { clock, provenance }: SamplesOptions,
  tx: Tx<'participant'>,
  of: {
    by: Reviewer
    sample: Uuid
    answer: Omit<SampleAnswer, 'operator'>
    colleagues: ReadonlySet<string>
  },
): Promise<SampleResult> {
  const { by, answer, colleagues } = of
  const now = clock()
  const row = await settingStore.sampleForUpdate(tx, by.participant, of.sample)
  if (row === undefined) throw new Refusal('not-found')
  for (const person of personsOf(row)) checkPersons(person, { by, answer: 'approve', colleagues })
  if (row.second_by !== null) throw new Refusal('state-conflict', { detail: 'it was decided a second time already' })
  const [event, second_verdict] = [newId(now), OUTCOME[answer.verdict]]
  const agreed = second_verdict === row.verdict
  await provenance.record(tx, {
    ...{ kind: 'review.sampled', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
    fields: { case: row.case_id, sample: row.sample_id, agreed, authority: by.authority },
  })
  await settingStore.updateSample(tx, row, {
    ...{ second_verdict, second_reason: answer.reason, second_by: by.who, second_at: now, last_event: event },
    second_authority: AUTHORITY[by.authority],
  })
  return { sample: row.sample_id, agreed, verdict: nameOf(row.verdict), reason: row.reason }
}
