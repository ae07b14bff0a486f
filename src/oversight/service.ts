import type { Anomalies } from '../anomalies/service.ts'
import { RULES } from '../anomalies/thresholds.ts'
import type { Erasures } from '../erasure/service.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { PageAsked } from '../kernel/page.ts'
import type { ParticipantService } from '../participants/service.ts'
import type { AuditLog } from '../provenance/auditor.ts'
import type { GovernmentRegister } from '../registers/government.ts'
import type { LegalHolds } from '../registers/holds.ts'
import { termsIn } from '../registers/retention-terms.ts'
import type { SubjectRegister } from '../registers/subject.ts'
import type * as wire from './schema.ts'
import * as told from './told.ts'

/** In whose name a look is recorded. */
export interface Looker {
  participant: Uuid
  slug: string
}

/**
 * What governance works with, for programs of its own: the services of the console, cut to codes, counts and clocks. Each
 * answer that is about anybody is recorded first, as `audit.read`; policies are public, and rules the same everywhere.
 */
export interface OversightReads {
  onboardings(by: Looker, asked: PageAsked): Promise<wire.OnboardingList>
  /** `not-found` where there is none, which is no look. */
  onboarding(by: Looker, id: Uuid): Promise<wire.Onboarding>
  /** Requests that wait for persons or for their time. */
  approvals(by: Looker, asked: PageAsked): Promise<wire.ApprovalList>
  anomalies(by: Looker, asked: PageAsked): Promise<wire.AnomalyList>
  anomalyRules(): wire.AnomalyRules
  retention(by: Looker): Promise<wire.RetentionState>
  subjectRequests(by: Looker, asked: PageAsked): Promise<wire.SubjectRequestList>
  erasures(by: Looker, asked: PageAsked): Promise<wire.ErasureList>
  governmentRequests(by: Looker, asked: PageAsked): Promise<wire.GovernmentRequestList>
  policies(): Promise<wire.PolicyVersions>
  /** Exactly the bytes of a version; `not-found`. */
  policyText(kind: string, version: number): Promise<string>
}

export interface OversightOptions {
  participants: Pick<ParticipantService, 'onboardingPage' | 'findOnboarding' | 'waitingRequests' | 'policies'>
  anomalies: Pick<Anomalies, 'page'>
  erasures: Pick<Erasures, 'page'>
  subjects: Pick<SubjectRegister, 'page'>
  government: Pick<GovernmentRegister, 'page'>
  holds: Pick<LegalHolds, 'list'>
  retention: {
    preview(): Promise<wire.PurgePreview>
    run(): told.Run | undefined
    policy(): { version: number; body: string }
  }
  members(): readonly { participant_id: Uuid; slug: string }[]
  auditing: AuditLog
}

export function createOversightReads(options: OversightOptions): OversightReads {
  const { participants, anomalies, erasures, subjects, government, auditing } = options
  const recorded = async <T>(by: Looker, what: string, n: number, answer: T): Promise<T> => {
    await auditing({ ...by, auditor: true }, what, BigInt(n), 'oversight')
    return answer
  }
  return {
    async onboardings(by, asked) {
      const page = await participants.onboardingPage(asked)
      const onboardings = page.rows.map(told.onboardingOf)
      return recorded(by, 'onboardings', onboardings.length, { onboardings, ...told.nextOf(page) })
    },
    async onboarding(by, id) {
      return recorded(by, `onboarding ${id}`, 1, told.onboardingOf(await participants.findOnboarding(id)))
    },
    async approvals(by, asked) {
      const page = await participants.waitingRequests(asked)
      const approvals = page.rows.flatMap(told.approvalOf)
      return recorded(by, 'approvals', approvals.length, { approvals, ...told.nextOf(page) })
    },
    async anomalies(by, asked) {
      const page = await anomalies.page(asked)
      const cases = page.rows.map(told.anomalyOf)
      return recorded(by, 'anomalies', cases.length, { cases, ...told.nextOf(page) })
    },
    anomalyRules: () => ({
      rules: Object.entries(RULES).map(([rule, { title, unit, from }]) => ({ rule, title, unit, from })),
    }),
    async retention(by) {
      const state = await retentionOf(options)
      return recorded(by, 'retention', state.holds.length, state)
    },
    async subjectRequests(by, asked) {
      const page = await subjects.page(asked)
      const requests = page.rows.map(told.subjectRequestOf)
      return recorded(by, 'subject requests', requests.length, { requests, ...told.nextOf(page) })
    },
    async erasures(by, asked) {
      const page = await erasures.page(asked)
      const listed = page.rows.map(told.erasureOf)
      return recorded(by, 'erasures', listed.length, { erasures: listed, ...told.nextOf(page) })
    },
    async governmentRequests(by, asked) {
      const page = await government.page(asked)
      const requests = page.rows.map(told.governmentRequestOf)
      return recorded(by, 'government requests', requests.length, { requests, ...told.nextOf(page) })
    },
    policies: async () => ({ policies: (await participants.policies()).map(told.policyVersionOf) }),
    async policyText(kind, version) {
      const found = (await participants.policies()).find((one) => one.kind === kind && one.version === version)
      if (found === undefined) throw new Refusal('not-found')
      return found.body
    },
  }
}

async function retentionOf({ retention, holds, members }: OversightOptions): Promise<wire.RetentionState> {
  const { version, types, readDays } = termsIn(retention.policy())
  const signals = types.map(({ type, days, most }) => ({ type, default_days: days, maximum_days: most }))
  const slugs = new Map(members().map(({ participant_id, slug }) => [participant_id, slug]))
  const run = retention.run()
  return {
    policy: { version, signals, read_days: readDays },
    preview: await retention.preview(),
    run: run === undefined ? null : told.runOf(run),
    holds: (await holds.list()).map((one) => told.holdOf(one, slugs.get(one.participant) ?? '')),
  }
}
