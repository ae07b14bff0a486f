import type { LimitList, RequestList, RequestQuery } from '../usage/schema.ts'

/** What our own programs asked of the node, and what they use of their limits. */
export interface UsageClient {
  /** A page of requests as they were answered, the newest first; `cursor`: the `next_cursor` of the page before. */
  requests(query?: RequestQuery): Promise<RequestList>
  limits(): Promise<LimitList>
}

interface Asking {
  get<T>(path: string): Promise<T>
  queryOf(query: Readonly<Record<string, string | number | undefined>>): string
}

export const usageOver = ({ get, queryOf }: Asking): UsageClient => ({
  requests: (query = {}) => get(`/v1/requests${queryOf(query)}`),
  limits: () => get('/v1/limits'),
})
