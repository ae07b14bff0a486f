import type { AnomalyCase } from '../anomalies/service.ts'
import type { ListedErasure } from '../erasure/service.ts'
import type { Page } from '../kernel/page.ts'
import type { ListedOnboarding } from '../participants/onboarding.ts'
import type { ListedPolicy } from '../participants/policy-list.ts'
import type { ListedRequest } from '../participants/request-list.ts'
import type { GovernmentRequest } from '../registers/government.ts'
import type { LegalHold } from '../registers/holds.ts'
import type { SubjectRequest } from '../registers/subject.ts'
import type * as wire from './schema.ts'

// Rows as they cross the wire: member by member, so that who acted and what they wrote stays in the console.

const at = (time: Date): string => time.toISOString()
const atOrNull = (time: Date | null | undefined): string | null => time?.toISOString() ?? null

/** Where a list goes on. */
export const nextOf = ({ next }: Page<unknown>): Pick<wire.AnomalyList, 'next'> => ({ next: next ?? null })

export const onboardingOf = (one: ListedOnboarding): wire.Onboarding => ({
  ...{ onboarding: one.onboarding, participant: one.slug, name: one.name, kind: one.kind },
  ...{ opened_at: at(one.opened_at), outcome: one.outcome ?? null, closed_at: atOrNull(one.closed_at) },
  items: one.items.map(({ item, state, digest, version, signatory, provided_at, judged_at }) => ({
    ...{ item, state, digest: digest ?? null, version: version ?? null, signatory: signatory ?? null },
    ...{ provided_at: atOrNull(provided_at), judged_at: atOrNull(judged_at) },
  })),
  missing: [...one.missing],
})

export function approvalOf(one: ListedRequest): wire.Approval[] {
  const { standing: state } = one
  if (state !== 'short' && state !== 'ready' && state !== 'scheduled') return []
  return [
    {
      ...{ request: one.request_id, action: one.action, digest: one.digest, state, organisation: one.requested_org },
      ...{ needed: one.needed, other_org: one.other_org },
      ...{ requested_at: at(one.requested_at), expires_at: at(one.expires_at) },
      ...{ effective_at: atOrNull(one.effective_at), due_at: atOrNull(one.due_at) },
      votes: one.votes.map(({ organisation, verdict, at: given }) => ({ organisation, verdict, at: at(given) })),
    },
  ]
}

export const anomalyOf = (one: AnomalyCase): wire.AnomalyCase => ({
  ...{ case: one.id, rule: one.rule, subject: one.subject, day: one.day },
  ...{ measured: one.measured, baseline: one.baseline, threshold: one.threshold },
  ...{ state: one.state, opened_at: at(one.openedAt), moved_at: atOrNull(one.moved?.at) },
  reason: (one.moved?.reason ?? null) as wire.AnomalyCase['reason'],
})

export const holdOf = (one: LegalHold, slug: string): wire.RetentionState['holds'][number] => ({
  ...{ hold: one.id, participant: slug, what: one.what, reason: one.reason },
  ...{ placed_at: at(one.placedAt), lifted_at: atOrNull(one.liftedAt) },
})

/** A purge as the node has it. */
export interface Run {
  startedAt: Date
  finishedAt: Date | undefined
  removed: number
  done: number
  of: number
  failed: boolean
}

export const runOf = ({ startedAt, finishedAt, ...run }: Run): NonNullable<wire.RetentionState['run']> => ({
  ...{ started_at: at(startedAt), finished_at: atOrNull(finishedAt) },
  ...{ removed: run.removed, done: run.done, of: run.of, failed: run.failed },
})

export const subjectRequestOf = (one: SubjectRequest): wire.SubjectRequest => ({
  ...{ request: one.id, kind: one.kind, received_at: at(one.receivedAt), due_at: at(one.dueAt) },
  ...{ extension: one.extension ?? null, searched_at: atOrNull(one.searchedAt) },
  ...{ outcome: one.closed?.outcome ?? null, closed_at: atOrNull(one.closed?.at) },
})

export const erasureOf = ({ event, at: time, ...one }: ListedErasure): wire.Erasure => ({
  ...{ erasure: event, source: one.source, at: at(time), basis: one.basis, approval: one.approval },
  ...{ signals: one.signals, notified: one.notified, acknowledged: one.acknowledged },
  ...{ cannot_remove: one.cannot_remove, missing: one.missing, unreachable: one.unreachable },
})

export const governmentRequestOf = (one: GovernmentRequest): wire.GovernmentRequest => ({
  ...{ request: one.id, country: one.country, kind: one.kind, asked: one.asked, basis: one.basis },
  ...{ received_at: at(one.receivedAt), outcome: one.closed?.outcome ?? null, given: one.closed?.n ?? null },
  closed_at: atOrNull(one.closed?.at),
})

export const policyVersionOf = (one: ListedPolicy): wire.PolicyVersions['policies'][number] => ({
  ...{ kind: one.kind, version: one.version, digest: one.digest, published_at: at(one.published_at), event: one.event },
})
