import type { Uuid } from '../kernel/ids.ts'
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

/** What a platform's own tool does with the cases of its organisation; it attests who works. */
export interface CaseClient {
  /** A page; a logged read, named by `read`. */
  list(query?: CasesQuery): Promise<CaseList & { read: string }>
  one(id: Uuid): Promise<CaseInfo & { read: string }>
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
  routing(): Promise<Routing>
  route(rules: Routing): Promise<Routing>
  figures(): Promise<ReviewFigures>
}

interface Asking {
  get<T>(path: string): Promise<T & { read: string }>
  send<T>(method: 'POST' | 'PUT', path: string, body: unknown): Promise<T & { read: string }>
  queryOf(query: Readonly<Record<string, string | number | undefined>>): string
}

export function casesOver({ get, send, queryOf }: Asking): CaseClient {
  /** What is no read names none. */
  const plain = async <T>(told: Promise<T & { read: string }>): Promise<T> => {
    const { read: _, ...rest } = await told
    return rest as unknown as T
  }
  const post = <T>(path: string, body: unknown) => plain(send<T>('POST', `/v1/cases/${path}`, body))
  return {
    list: (query = {}) => get(`/v1/cases${queryOf(query)}`),
    one: (id) => get(`/v1/cases/${id}`),
    next: (operator) => post('next', { operator }),
    claim: (id, request) => post(`${id}/lease`, request),
    renew: (id, request) => post(`${id}/lease/renewal`, request),
    leave: async (id, request) => void (await post(`${id}/lease/end`, request)),
    hold: (id, request) => post(`${id}/hold`, request),
    resume: (id, request) => post(`${id}/resume`, request),
    handOver: (id, request) => post(`${id}/hand-over`, request),
    decide: (id, request) => post(`${id}/decisions`, request),
    second: (id, decision, request) => post(`${id}/decisions/${decision}/second`, request),
    undo: (id, decision, operator) => post(`${id}/decisions/${decision}/undo`, { operator }),
    routing: () => plain(get('/v1/review/routing')),
    route: (rules) => plain(send('PUT', '/v1/review/routing', rules)),
    figures: () => plain(get('/v1/review/figures')),
  }
}
