import { setImmediate as settled } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLog } from '../../src/kernel/log.ts'
import { type AlarmChange, type Check, type Checked, createAlarms } from '../../src/operations/alarms.ts'

const QUIET: Readonly<Record<Checked, Check>> = {
  'log-halted': () => false,
  'log-behind': () => false,
  'look-ups-behind': () => false,
  'checkpoint-unpublished': () => false,
  'witness-missing': () => false,
  'anchor-unreachable': () => false,
  'disk-full': () => false,
  'certificate-ends': () => false,
  'backup-old': () => false,
  'purge-failing': () => false,
  'emergency-unreviewed': () => false,
  'scheduled-overdue': () => false,
  'evaluations-high': () => false,
  'look-ups-without-hits': () => false,
}
const AT = new Date('2026-11-26T12:00:00.000Z')

function watched(checks: Partial<Record<Checked, Check>>, checkMs = 5_000) {
  const changes: AlarmChange[] = []
  const lines: string[] = []
  const log = createLog({ level: 'debug', destination: { write: (line) => void lines.push(line) } })
  const alarms = createAlarms({
    ...{ checks: { ...QUIET, ...checks }, clock: () => AT, log, checkMs },
    onChange: (change) => void changes.push(change),
  })
  return { alarms, changes, lines }
}

test('what is quiet is not told', async () => {
  const { alarms, changes, lines } = watched({})
  await alarms.round()
  expect([changes, lines]).toEqual([[], []])
  expect(new Set(Object.values(alarms.states()))).toEqual(new Set([false]))
})

test('an alarm is told once when it is raised and once when it is cleared, in one line each', async () => {
  let holds = true
  const { alarms, changes, lines } = watched({ 'disk-full': () => holds })
  await alarms.round()
  await alarms.round()
  expect(alarms.states()).toMatchObject({ 'disk-full': true, 'log-behind': false })
  holds = false
  await alarms.round()
  await alarms.round()
  expect(changes).toEqual([
    { name: 'disk-full', state: 'raised', at: AT },
    { name: 'disk-full', state: 'cleared', at: AT },
  ])
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'error', name: 'disk-full', event: expect.stringContaining('alarm raised') },
    { level: 'info', name: 'disk-full', event: 'alarm cleared' },
  ])
})

test('a check is told what held before', async () => {
  const seen: boolean[] = []
  const { alarms } = watched({
    'disk-full': (before) => {
      seen.push(before)
      return true
    },
  })
  await alarms.round()
  await alarms.round()
  expect(seen).toEqual([false, true])
})

test('what cannot be found out stays as it was, and is an alarm of its own', async () => {
  let works = true
  const { alarms, changes } = watched({
    'witness-missing': () => {
      if (works) return true
      throw new Error('no database')
    },
  })
  await alarms.round()
  works = false
  await alarms.round()
  await alarms.round()
  expect(alarms.states()).toMatchObject({ 'witness-missing': true, 'checks-failing': true })
  works = true
  await alarms.round()
  expect(changes.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'witness-missing raised',
    'checks-failing raised',
    'checks-failing cleared',
  ])
})

test('a check without an end holds up none of the others', async () => {
  const { alarms, changes } = watched({ 'witness-missing': () => new Promise(() => {}), 'log-halted': () => true }, 10)
  await alarms.round()
  expect(changes.map(({ name }) => name)).toEqual(['log-halted', 'checks-failing'])
})

test('a check that hangs is begun no second time until it ends, and an anchor that hangs is out of reach', async () => {
  const begun = { 'disk-full': 0, 'anchor-unreachable': 0 }
  const ends: ((holds: boolean) => void)[] = []
  const hangs = (name: keyof typeof begun) => (): Promise<boolean> => {
    begun[name] += 1
    return new Promise((resolve) => void ends.push(resolve))
  }
  const checks = { 'disk-full': hangs('disk-full'), 'anchor-unreachable': hangs('anchor-unreachable') }
  const { alarms } = watched(checks, 5)
  for (let i = 0; i < 3; i++) await alarms.round()
  expect(begun).toEqual({ 'disk-full': 1, 'anchor-unreachable': 1 })
  expect(alarms.states()).toMatchObject({ 'disk-full': false, 'anchor-unreachable': true, 'checks-failing': true })
  for (const end of ends) end(false)
  await settled()
  await alarms.round()
  expect(begun).toEqual({ 'disk-full': 2, 'anchor-unreachable': 2 })
})
