import type { Member, TestNode } from '../support/node.ts'

const DAY_MS = 86_400_000

/** RFC 3339 in UTC to the second, so many days from now. */
export const days = (n: number): string => `${new Date(Date.now() + n * DAY_MS).toISOString().slice(0, 19)}Z`

/** An OPRF epoch that runs for a year. */
export const oprfEpoch = (n: TestNode, kid: string, from = -1): Promise<unknown> =>
  n.decide('hash-profile.publish', {
    ...{ kid, suite: 'oprf-ristretto255-sha512', not_before: days(from), not_after: days(365) },
  })

export interface Answer {
  status: number
  body: Record<string, unknown>
  retryAfter: number | undefined
}

/** One request as it is, without the SDK's retries. */
export async function ask({ client }: Member, body: unknown, headers: Record<string, string>): Promise<Answer> {
  const message = await client.transport.open({
    ...{ method: 'POST', path: '/v1/oprf/evaluations', type: 'application/json', headers },
    write: async (out) => void out.write(JSON.stringify(body)),
  })
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const after = message.headers['retry-after']
  return {
    status: message.statusCode ?? 0,
    body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
    retryAfter: after === undefined ? undefined : Number(after),
  }
}
