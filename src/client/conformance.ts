import type { Uuid } from '../kernel/ids.ts'
import type { ConformanceResult, ConformanceSteps } from '../sandbox/schema.ts'

/** How our programs did when they went through the exchange, as the node keeps it. */
export interface ConformanceClient {
  /** Once for each run. */
  report(run: Uuid, steps: ConformanceSteps): Promise<ConformanceResult>
  latest(): Promise<ConformanceResult>
}

interface Asking {
  get<T>(path: string): Promise<T>
  send<T>(method: 'PUT', path: string, body: unknown): Promise<T>
}

export const conformanceOver = ({ get, send }: Asking): ConformanceClient => ({
  report: (run, steps) => send('PUT', `/v1/conformance-runs/${run}`, { steps }),
  latest: () => get('/v1/conformance-runs/latest'),
})
