import { Compile } from 'typebox/compile'
import { journalDays } from '../provenance/journal-rule.ts'
import { AgreementPolicy, type PolicyKind, RetentionPolicy, ReviewPolicy, TaxonomyPolicy } from './schema.ts'

const REVIEW = Compile(ReviewPolicy)
const AGREEMENT = Compile(AgreementPolicy)
const RETENTION = Compile(RetentionPolicy)
const TAXONOMY = Compile(TaxonomyPolicy)

interface Form {
  fits(policy: unknown, body: string): boolean
  /** What whoever publishes anything else is told. */
  detail: string
}

/** What each kind has to be: whatever is in force is read with every submission, and may then fail none of them. */
const FORMS: Readonly<Record<PolicyKind, Form>> = {
  review: { fits: (policy) => REVIEW.Check(policy), detail: 'critical_second is required or marked' },
  agreement: {
    fits: (policy) => AGREEMENT.Check(policy),
    detail: 'v, label, sha256 of the document, effective_from',
  },
  retention: {
    fits: (policy, body) =>
      RETENTION.Check(policy) &&
      Object.values(policy.signal_days).every((days) => days.default <= days.maximum) &&
      journalDays(body) !== undefined,
    detail: 'version, signal_days of every type with a default of at most its maximum, read_journal_days',
  },
  taxonomy: {
    fits: (policy) =>
      TAXONOMY.Check(policy) &&
      areDifferent(policy.categories.map(({ id }) => id)) &&
      areDifferent(policy.categories.map(({ slug }) => slug)),
    detail: 'version, and categories with id, slug and needs_note, no id and no slug twice',
  },
}

const areDifferent = (values: readonly unknown[]): boolean => new Set(values).size === values.length

/** What a policy of this kind has to be, if it is not. `policy` is what was read from `body`. */
export function policyFault(kind: PolicyKind, policy: unknown, body: string): string | undefined {
  const { fits, detail } = FORMS[kind]
  return fits(policy, body) ? undefined : detail
}
