import { canonicalJson } from '../kernel/canonical-json.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type {
  BulkAnswer,
  BulkAsked,
  BulkItems,
  BulkJob,
  BulkJobList,
  BulkPlan,
  BulkRequest,
} from '../review/bulk-schema.ts'
import type { ReviewSetting, SampleAnswer, SampleList, SampleResult } from '../review/sample-schema.ts'
import type {
  CaseInfo,
  CaseList,
  CasesQuery,
  ClaimRequest,
  DecisionRequest,
  DecisionResult,
  HandOverRequest,
  HoldRequest,
  LeaseResult,
  MoveResult,
  ResumeRequest,
  ReviewFigures,
  Routing,
  SecondRequest,
  TokenRequest,
} from '../review/schema.ts'
import type { Asks, Recorded } from './recorded.ts'
import { keyed } from './transport.ts'

/** What a platform's own tool does with the cases of its organisation; it attests who works. */
export interface CaseClient {
  /** A page; a logged read, named by `read`. */
  list(query?: CasesQuery): Promise<CaseList & Recorded>
  one(id: Uuid): Promise<CaseInfo & Recorded>
  /** The next of the queue, claimed; null where the queue is clear. */
  next(operator: string): Promise<{ claimed: LeaseResult | null }>
  claim(id: Uuid, request: ClaimRequest): Promise<LeaseResult>
  renew(id: Uuid, request: TokenRequest): Promise<LeaseResult>
  leave(id: Uuid, request: TokenRequest): Promise<void>
  hold(id: Uuid, request: HoldRequest): Promise<MoveResult>
  resume(id: Uuid, request: ResumeRequest): Promise<MoveResult>
  handOver(id: Uuid, request: HandOverRequest): Promise<MoveResult>
  decide(id: Uuid, request: DecisionRequest): Promise<DecisionResult>
  second(id: Uuid, decision: Uuid, request: SecondRequest): Promise<DecisionResult>
  undo(id: Uuid, decision: Uuid, operator: string): Promise<MoveResult>
  /** What would become of cases that are decided alike now; of a filter it is a logged read. */
  planBulk(asked: BulkAsked): Promise<BulkPlan & { read: string }>
  /** Up to 25 are decided by the answer; of more, `bulkJob` tells how far they are. */
  beginBulk(request: BulkRequest): Promise<BulkJob>
  bulkJob(job: Uuid): Promise<BulkJob>
  /** The newest first; `after`: the `next` of the page before. */
  bulkJobs(query?: { after?: Uuid }): Promise<BulkJobList>
  bulkItems(job: Uuid): Promise<BulkItems>
  answerBulk(job: Uuid, answer: BulkAnswer): Promise<BulkJob>
  cancelBulk(job: Uuid, operator: string): Promise<BulkJob>
  undoBulk(job: Uuid, operator: string): Promise<BulkJob>
  routing(): Promise<Routing>
  /** With `known` only where the rules still are these; `precondition-failed` where somebody came between. */
  route(rules: Routing, known?: Routing): Promise<Routing>
  setting(): Promise<ReviewSetting>
  /** With `known` as above. */
  set(setting: ReviewSetting, known?: ReviewSetting): Promise<ReviewSetting>
  /** Closed cases that somebody may decide a second time, without what was decided; a logged read. */
  samples(operator: string): Promise<SampleList & { read: string }>
  answerSample(sample: Uuid, answer: SampleAnswer): Promise<SampleResult>
  figures(): Promise<ReviewFigures>
}

type Headers = Readonly<Record<string, string>>

interface Asking {
  get<T>(path: string): Promise<T & { read: string }>
  send<T>(method: 'POST' | 'PUT', path: string, body: unknown, headers?: Headers): Promise<T & { read: string }>
  recorded: Asks
  queryOf(query: Readonly<Record<string, string | number | undefined>>): string
}

export function casesOver({ get, send, recorded, queryOf }: Asking): CaseClient {
  /** What is no read names none. */
  const plain = async <T>(told: Promise<T & { read: string }>): Promise<T> => {
    const { read: _, ...rest } = await told
    return rest as unknown as T
  }
  const post = <T>(path: string, body: unknown) => plain(send<T>('POST', `/v1/cases/${path}`, body, keyed()))
  const job = (of: Uuid, act: string, body: object) =>
    plain(send<BulkJob>('POST', `/v1/bulk-jobs/${of}/${act}`, body, keyed()))
  return {
    list: (query = {}) =>
      recorded<CaseList>({ method: 'GET', path: `/v1/cases${queryOf(query)}` }, ({ cases }) => cases.length > 0),
    one: (id) => recorded({ method: 'GET', path: `/v1/cases/${id}` }),
    next: (operator) => post('next', { operator }),
    claim: (id, request) => post(`${id}/lease`, request),
    renew: (id, request) => post(`${id}/lease/renewal`, request),
    leave: async (id, request) => void (await post(`${id}/lease/end`, request)),
    hold: (id, request) => post(`${id}/hold`, request),
    resume: (id, request) => post(`${id}/resume`, request),
    handOver: (id, request) => post(`${id}/hand-over`, request),
    // The decision's id names it.
    decide: (id, request) => plain(send('POST', `/v1/cases/${id}/decisions`, request)),
    second: (id, decision, request) => post(`${id}/decisions/${decision}/second`, request),
    undo: (id, decision, operator) => post(`${id}/decisions/${decision}/undo`, { operator }),
    planBulk: (asked) => send('POST', '/v1/bulk-jobs/plan', asked),
    beginBulk: (request) => plain(send('POST', '/v1/bulk-jobs', request)),
    bulkJob: (job) => plain(get(`/v1/bulk-jobs/${job}`)),
    bulkJobs: (query = {}) => plain(get(`/v1/bulk-jobs${queryOf(query)}`)),
    bulkItems: (job) => plain(get(`/v1/bulk-jobs/${job}/items`)),
    answerBulk: (of, answer) => job(of, 'answer', answer),
    cancelBulk: (of, operator) => job(of, 'cancel', { operator }),
    undoBulk: (of, operator) => job(of, 'undo', { operator }),
    routing: () => plain(get('/v1/review/routing')),
    route: (rules, known) => plain(send('PUT', '/v1/review/routing', rules, matching(known))),
    setting: () => plain(get('/v1/review/settings')),
    set: (setting, known) => plain(send('PUT', '/v1/review/settings', setting, matching(known))),
    samples: (operator) => get(`/v1/review/samples${queryOf({ operator })}`),
    answerSample: (sample, answer) => plain(send('POST', `/v1/review/samples/${sample}`, answer, keyed())),
    figures: () => plain(get('/v1/review/figures')),
  }
}

/** The tag that the node gives to the very same settings. */
const matching = (known: object | undefined): Headers =>
  known === undefined ? {} : { 'if-match': `"${sha256(canonicalJson(known)).toString('hex')}"` }
