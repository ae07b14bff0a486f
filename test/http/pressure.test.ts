import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shedLoad } from '../../src/http/pressure.ts'
import { type Instances, instances } from './instances.ts'

const DELAY_MS = 50
let made: Instances
beforeAll(async () => {
  made = await instances()
})
afterAll(() => made.closeAll())

/** Two routes, one of them bulk, behind so many that wait for the database; an event loop that others hold up is no matter. */
async function anApp(waiting: number, loopDelayMs = 3_600_000): Promise<FastifyInstance> {
  const { app } = made.make()
  await shedLoad(app, { loopDelayMs, queue: 10, waiting: () => waiting })
  app.get('/bulk', { config: { scope: 'public', bulk: true } }, async () => 'bulk')
  app.get('/single', { config: { scope: 'public' } }, async () => 'single')
  await app.ready()
  return app
}

const answers = async (app: FastifyInstance): Promise<(number | string)[]> => {
  const [bulk, single] = await Promise.all(['/bulk', '/single'].map((url) => app.inject({ method: 'GET', url })))
  return [bulk, single].map((answer) => (answer?.statusCode === 200 ? 200 : String(answer?.json().code)))
}

/** Holds the event loop up in several turns. */
async function burden(ms: number): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const until = performance.now() + ms
    while (performance.now() < until);
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('requests that wait for the database', () => {
  test.for([
    [5, [200, 200]],
    [6, ['busy', 200]],
    [10, ['busy', 200]],
    [11, ['busy', 'busy']],
  ] as const)('%i of 10 at most: bulk is refused at half as many, everything beyond', async ([waiting, expected]) => {
    expect(await answers(await anApp(waiting))).toEqual(expected)
  })

  test('are told when to come again', async () => {
    const answer = await (await anApp(11)).inject({ method: 'GET', url: '/single' })
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1'])
  })
})

describe('an event loop that is late', () => {
  test('refuses nothing while it is in time', async () => {
    const app = await anApp(0, DELAY_MS)
    await new Promise((resolve) => setTimeout(resolve, 250))
    // A machine that is busy with others is late by itself, for a while.
    await expect.poll(() => answers(app), { interval: 150 }).toEqual([200, 200])
  })

  test('refuses everything when it is far too late, and again nothing afterwards', async () => {
    const app = await anApp(0, DELAY_MS)
    await burden(20 * DELAY_MS)
    expect(await answers(app)).toEqual(['busy', 'busy'])
    await expect.poll(() => answers(app), { timeout: 20_000, interval: 300 }).toEqual([200, 200])
  })

  test('refuses everything also when every turn is longer than its sample', async () => {
    const app = await anApp(0, DELAY_MS)
    for (let i = 0; i < 5; i++) {
      await burden(6 * DELAY_MS)
      await new Promise((resolve) => setTimeout(resolve, 1))
      expect((await answers(app))[0]).toBe('busy')
    }
  })
})
