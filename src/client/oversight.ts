import type {
  AnomalyList,
  AnomalyRules,
  ApprovalList,
  ErasureList,
  GovernmentRequestList,
  Onboarding,
  OnboardingList,
  OversightQuery,
  PolicyVersions,
  RetentionState,
  SubjectRequestList,
} from '../oversight/schema.ts'

/**
 * What governance works with, for an observer whose credential has `governance:read`; each answer is a logged read. `after`: the
 * `next` of the page before. Policies are for everybody who may read the log.
 */
export interface OversightClient {
  onboardings(query?: OversightQuery): Promise<OnboardingList>
  onboarding(id: string): Promise<Onboarding>
  /** Requests that wait for persons or for their time. */
  approvals(query?: OversightQuery): Promise<ApprovalList>
  anomalies(query?: OversightQuery): Promise<AnomalyList>
  anomalyRules(): Promise<AnomalyRules>
  retention(): Promise<RetentionState>
  subjectRequests(query?: OversightQuery): Promise<SubjectRequestList>
  erasures(query?: OversightQuery): Promise<ErasureList>
  governmentRequests(query?: OversightQuery): Promise<GovernmentRequestList>
  policies(): Promise<PolicyVersions>
  /** Exactly the bytes that the log names by their SHA-256. */
  policy(kind: string, version: number): Promise<string>
}

interface Asking {
  get<T>(path: string): Promise<T>
  text(path: string): Promise<string>
  queryOf(query: Readonly<Record<string, string | number | undefined>>): string
}

export const oversightOver = ({ get, text, queryOf }: Asking): OversightClient => ({
  onboardings: (query = {}) => get(`/v1/onboardings${queryOf(query)}`),
  onboarding: (id) => get(`/v1/onboardings/${id}`),
  approvals: (query = {}) => get(`/v1/approvals${queryOf(query)}`),
  anomalies: (query = {}) => get(`/v1/anomalies${queryOf(query)}`),
  anomalyRules: () => get('/v1/anomalies/rules'),
  retention: () => get('/v1/retention'),
  subjectRequests: (query = {}) => get(`/v1/subject-requests${queryOf(query)}`),
  erasures: (query = {}) => get(`/v1/erasures${queryOf(query)}`),
  governmentRequests: (query = {}) => get(`/v1/government-requests${queryOf(query)}`),
  policies: () => get('/v1/policies'),
  policy: (kind, version) => text(`/v1/policies/${kind}/${version}`),
})
