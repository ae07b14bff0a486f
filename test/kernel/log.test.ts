import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { Refusal, StartRefused } from '../../src/kernel/errors.ts'
import { createLog, describeError, type Log, type LogFields, type LogLevel } from '../../src/kernel/log.ts'

const CANARY = 'canary@example.org'

function capture(level: LogLevel = 'debug'): { log: Log; lines: () => Record<string, unknown>[]; text: () => string } {
  let text = ''
  const destination = {
    write: (line: string) => {
      text += line
    },
  }
  const lines = () =>
    text
      .trimEnd()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  return { log: createLog({ level, destination }), lines, text: () => text }
}

/** As a caller whose types were lost. */
const untyped = (fields: object): LogFields => fields as LogFields

test('a line holds its time, level, event and the facts', () => {
  const { log, lines } = capture()
  log.info({ request_id: '-_abc', method: 'GET', route: '/v1/feeds/:feed', status: 200, ms: 3, size: 12n }, 'answered')
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^20\d\d-.*Z$/),
      event: 'answered',
      request_id: '-_abc',
      method: 'GET',
      route: '/v1/feeds/:feed',
      status: 200,
      ms: 3,
      size: '12',
    },
  ])
})

test('what is not on the list is not written, but counted', () => {
  const { log, lines, text } = capture()
  const [url, body, headers] = [`/v1/signals?q=${CANARY}`, { value: CANARY }, { authorization: CANARY }]
  log.warn(untyped({ url, body, headers, req: { url }, err: new Error(CANARY), query: CANARY, __proto__: null }), 'odd')
  expect(text()).not.toContain('canary')
  expect(lines()[0]).toMatchObject({ event: 'odd', dropped: 6 })
})

const UNFIT: readonly (keyof LogFields)[] = [
  'request_id',
  'method',
  'route',
  'status',
  'code',
  'reason',
  'participant',
  'credential',
  'index',
  'ms',
  'version',
  'name',
  'minute',
  'address',
  'listener',
  'host',
  'origin',
  'ok',
  'kid',
  'names',
]
test.for(UNFIT)('%s takes nothing that does not look like one', (name) => {
  const { log, lines, text } = capture()
  log.info(untyped({ [name]: `${CANARY}?a=b` }), 'x')
  log.info(untyped({ [name]: { toJSON: () => CANARY } }), 'x')
  expect(text()).not.toContain('canary')
  expect(lines().map(({ dropped }) => dropped)).toEqual([1, 1])
})

test('of a list of names the unfit ones are left out', () => {
  const { log, lines } = capture()
  log.info({ names: ['0001-participants', CANARY] }, 'migrated')
  expect(lines()[0]?.['names']).toEqual(['0001-participants'])
})

test('absent fields are neither written nor counted', () => {
  const { log, text } = capture()
  log.info({ participant: undefined }, 'x')
  expect(text()).not.toMatch(/participant|dropped/)
})

test('a child log adds its facts to each line, through the same list', () => {
  const { log, lines, text } = capture()
  log.child(untyped({ listener: 'partner', secret: CANARY })).error({ code: 'busy' }, 'x')
  expect(lines()[0]).toMatchObject({ listener: 'partner', code: 'busy', level: 'error' })
  expect(text()).not.toContain('canary')
})

test('levels below the chosen one are silent', () => {
  const { log, lines } = capture('warn')
  log.debug({}, 'a')
  log.info({}, 'b')
  log.warn({}, 'c')
  expect(lines().map(({ event }) => event)).toEqual(['c'])
  const off = capture('silent')
  off.log.error({}, 'd')
  expect(off.text()).toBe('')
})

test('an event of many lines stays one line', () => {
  const { log, text } = capture()
  log.info({ dir: '/var/lib/a b' }, 'one\ntwo')
  expect(text().trimEnd().split('\n')).toHaveLength(1)
  expect(text()).toContain('/var/lib/a b')
})

test("an error of PostgreSQL is its state and the schema's names, never its words", () => {
  const { log, lines, text } = capture()
  const error = Object.assign(new Error(`duplicate key value: (${CANARY})`), {
    severity: 'ERROR',
    code: '23505',
    detail: `Key (email)=(${CANARY}) already exists.`,
    where: CANARY,
    hint: CANARY,
    table: 'signal',
    constraint: `signal_${CANARY}`,
  })
  log.error({ error }, 'failed')
  expect(text()).not.toContain('canary')
  expect(lines()[0]?.['error']).toMatchObject({ class: 'Error', sqlstate: '23505', table: 'signal' })
  expect(lines()[0]?.['error']).not.toHaveProperty('constraint')
})

test('of any other error the class, the code and the places are written', () => {
  const { log, lines, text } = capture()
  log.error({ error: new TypeError(`${CANARY} is not a function\n    at canary (file:///canary.ts:1:1)`) }, 'failed')
  expect(text()).not.toContain('canary')
  const { class: name, at } = (lines()[0]?.['error'] ?? {}) as { class: string; at: string[] }
  expect(name).toBe('TypeError')
  expect(at[0]).toMatch(/log\.test\.ts:\d+:\d+/)
  expect(describeError(Object.assign(new Error(CANARY), { code: 'ECONNREFUSED', syscall: 'connect' }))).toMatchObject({
    code: 'ECONNREFUSED',
    syscall: 'connect',
  })
})

test('a message that was changed afterwards takes its places with it', () => {
  const error = new Error(`${CANARY}\n    at canary (file:///canary.ts:1:1)`)
  error.message = 'another'
  expect(JSON.stringify(describeError(error))).not.toContain('canary')
})

test('a refusal is its code and status; one to start keeps its message, which is ours', () => {
  expect(describeError(new Refusal('busy', { detail: CANARY }))).toEqual({
    class: 'Refusal',
    code: 'busy',
    status: 503,
  })
  expect(describeError(new StartRefused('PARTNER_PORT: expected a port')).message).toBe('PARTNER_PORT: expected a port')
})

test('causes are followed, a circle of them to its fifth', () => {
  const error: Error & { cause?: unknown } = new Refusal('busy', { cause: new RangeError(CANARY) })
  expect(describeError(error)).toMatchObject({ cause: { class: 'RangeError' } })
  const circle: Error & { cause?: unknown } = new Error('x')
  circle.cause = circle
  expect(JSON.stringify(describeError(circle)).match(/"class"/g)).toHaveLength(5)
})

test('a name, a code and a thrown text that hold values are not written', () => {
  const named = Object.assign(new Error('x'), { name: CANARY, code: CANARY })
  expect(JSON.stringify(describeError(named))).not.toContain('canary')
  expect(describeError(CANARY)).toEqual({ class: 'string' })
  expect(describeError(null)).toEqual({ class: 'null' })
})

test('a stream of Node may take the lines', async () => {
  const chunks: string[] = []
  const destination = new Writable({
    write: (chunk, _, done) => {
      chunks.push(String(chunk))
      done()
    },
  })
  createLog({ level: 'info', destination }).info({}, 'started')
  await new Promise((resolve) => destination.end(resolve))
  expect(chunks.join('')).toContain('"event":"started"')
})
