import type { Evaluation, EvaluationResult } from '../matching/schema.ts'
import type { Evaluator } from './tokens.ts'
import { createTransport, type TlsIdentity, type Transport } from './transport.ts'

/** Bytes of an answer: 256 elements in base64url, and what stands around them. */
const ANSWER_MAX = 65_536

export const evaluatorOver =
  (transport: Transport): Evaluator =>
  async (asked: Evaluation, key: string): Promise<EvaluationResult> => {
    const answer = await transport.call({
      ...{ method: 'POST', path: '/v1/oprf/evaluations', body: JSON.stringify(asked) },
      ...{ headers: { 'idempotency-key': key }, idempotent: true, most: ANSWER_MAX },
    })
    return JSON.parse(answer.body.toString()) as EvaluationResult
  }

/** Whoever holds the second part of a key, by the TLS key that the log names. */
export function holderAt({ origin, pin }: { origin: string; pin: string }, identity: TlsIdentity) {
  const transport = createTransport(origin, identity, { pin })
  return { evaluate: evaluatorOver(transport), close: () => transport.close() }
}
