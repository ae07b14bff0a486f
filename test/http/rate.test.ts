import type { FastifyInstance } from 'fastify'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { LIMITS } from '../../src/http/limits.ts'
import type { Peer } from '../../src/http/peer.ts'
import { createRequestCounts, limitRequests } from '../../src/http/rate.ts'
import type { Rate } from '../../src/http/token-bucket.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { type Instances, instances } from './instances.ts'

const open = { scope: 'public' } as const
let all: Instances
beforeAll(async () => {
  all = await instances()
})
afterEach(() => all.closeAll())

/** The connection says who asks; here a header does. `/found` is there, `/secret` is refused, `/gone` is not found. */
function limited(rate?: Rate) {
  const { app } = all.make()
  let now = 0
  app.decorateRequest('peer')
  app.addHook('onRequest', async (request) => {
    request.peer = { credential: request.headers['x-credential'] } as Peer
  })
  const clock = () => new Date(now)
  limitRequests(app, clock, createRequestCounts(clock, rate))
  app.get('/found', { config: open }, async () => ({}))
  app.get('/secret', { config: open }, async () => {
    throw new Refusal('scope-missing')
  })
  app.get('/gone', { config: open }, async () => {
    throw new Refusal('not-found')
  })
  app.get('/bad', { config: open }, async () => {
    throw new Refusal('validation-failed')
  })
  return { app, advance: (ms: number) => (now += ms) }
}

const ask = (app: FastifyInstance, credential: string, url = '/found') =>
  app.inject({ url, headers: { 'x-credential': credential } })

async function answered(app: FastifyInstance, credential: string, tries: number): Promise<number> {
  const answers = await Promise.all(Array.from({ length: tries }, () => ask(app, credential)))
  return answers.filter(({ statusCode }) => statusCode === 200).length
}

describe('a credential', () => {
  const rate = { perSecond: 3, burst: 5 }

  test('is told with each answer how much is left, and when all of it is there again', async () => {
    const { app, advance } = limited(rate)
    const told = async () => {
      const { headers } = await ask(app, 'quince')
      return [headers['ratelimit-policy'], headers['ratelimit']]
    }
    expect(await told()).toEqual(['"requests";q=5;w=2', '"requests";r=4;t=1'])
    expect(await told()).toEqual(['"requests";q=5;w=2', '"requests";r=3;t=1'])
    expect(await answered(app, 'quince', 9)).toBe(3)
    expect((await told())[1]).toBe('"requests";r=0;t=2')
    advance(3_600_000)
    expect((await told())[1]).toBe('"requests";r=4;t=1')
  })

  test('beyond its burst is told to come again, and gets what its rate gives', async () => {
    const { app, advance } = limited(rate)
    expect(await answered(app, 'plum', 9)).toBe(5)
    const refused = await ask(app, 'plum')
    expect([refused.statusCode, refused.json().code]).toEqual([429, 'rate-limited'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    advance(1_000)
    expect(await answered(app, 'plum', 9)).toBe(3)
    advance(3_600_000)
    expect(await answered(app, 'plum', 9)).toBe(5)
  })

  test('takes nothing from another', async () => {
    const { app } = limited(rate)
    expect(await answered(app, 'plum', 9)).toBe(5)
    expect(await answered(app, 'finch', 9)).toBe(5)
  })

  test('has the rate and the burst of the table if none is given', async () => {
    const { app, advance } = limited()
    const { requests_per_credential_burst: burst, requests_per_credential_per_second: perSecond } = LIMITS
    expect(await answered(app, 'plum', burst + 50)).toBe(burst)
    advance(1_000)
    expect(await answered(app, 'plum', perSecond + 50)).toBe(perSecond)
  })
})

describe('a credential that tries doors', () => {
  const plenty = { perSecond: 1_000_000, burst: 1_000_000 }
  const most = LIMITS.refusals_per_credential_per_minute

  test.for(['/secret', '/gone', '/nowhere'])(
    'such as %s is held up for a second each time, whatever it asks',
    async (url) => {
      const { app, advance } = limited(plenty)
      for (let i = 0; i < most; i++) await ask(app, 'plum', url)
      expect((await ask(app, 'plum')).statusCode).toBe(200)
      await ask(app, 'plum', url)
      expect((await ask(app, 'plum')).json().code).toBe('rate-limited')
      expect((await ask(app, 'finch')).statusCode).toBe(200)
      advance(1_000)
      expect((await ask(app, 'plum')).statusCode).toBe(200)
    },
  )

  test('may go on at the rate that honest use needs', async () => {
    const { app, advance } = limited(plenty)
    for (let i = 0; i < 2 * most; i++) {
      advance(60_000 / most)
      expect((await ask(app, 'plum', '/gone')).statusCode).toBe(404)
    }
    expect((await ask(app, 'plum')).statusCode).toBe(200)
  })

  test('is not one whose requests are malformed', async () => {
    const { app } = limited(plenty)
    for (let i = 0; i < 2 * most; i++) await ask(app, 'plum', '/bad')
    expect((await ask(app, 'plum')).statusCode).toBe(200)
  })
})
