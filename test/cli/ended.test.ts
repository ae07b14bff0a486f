import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EndedBySignal, untilSignal } from '../../src/cli/ended.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** What Node does for each signal that somebody listens for. */
const send = (signal: (typeof SIGNALS)[number]): boolean => process.emit(signal, signal)
const listening = (): number[] => SIGNALS.map((signal) => process.listenerCount(signal))

/** Work that goes on until it is told to end, and then puts away what it began. */
const untilTold = (ended: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    ended.addEventListener('abort', () => reject(new Error('broken off')))
  })

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test.for([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s makes the work fail, and ends the command with %i', async ([signal, exitCode]) => {
  const before = listening()
  const done = untilSignal(untilTold)
  expect(send(signal)).toBe(true)
  await expect(done).rejects.toMatchObject({ name: 'EndedBySignal', exitCode })
  expect(listening()).toEqual(before)
})

test('a signal within a second is the first one again, and nobody hears a later one', async () => {
  const before = listening()
  let finish = (): void => {}
  const done = untilSignal(() => new Promise<void>((resolve) => (finish = resolve)))
  send('SIGINT')
  vi.advanceTimersByTime(999)
  send('SIGINT')
  expect(listening()).not.toEqual(before)
  vi.advanceTimersByTime(1)
  expect(listening()).toEqual(before)
  finish()
  // What had come to its end all the same is done.
  await expect(done).resolves.toBeUndefined()
})

test('without a signal the work is answered as it is, and its own failure told', async () => {
  const before = listening()
  expect(await untilSignal(async ({ aborted }) => aborted)).toBe(false)
  const failing = untilSignal(async () => Promise.reject(new Error('its own')))
  await expect(failing).rejects.toThrow('its own')
  await expect(failing).rejects.not.toBeInstanceOf(EndedBySignal)
  expect(listening()).toEqual(before)
})
