import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { matchFileOf, refreshMatchFile, updateMatchFile } from '../../src/client/match-mirror.ts'
import { openMatchFile } from '../../src/client/match-reader.ts'
import { createMatcher } from '../../src/client/matcher.ts'
import { mirroredEvents, mirroredFeeds } from '../../src/client/mirror-reader.ts'
import { decodeRecord, type MatchRecord, RECORD_BYTES } from '../../src/matching/record.ts'
import type { MATCH_FAULTS } from '../../src/matching/refused.ts'
import { anItem, idOf, NOON, PROGRAMME } from '../signals/factory.ts'
import { aHash, aMirror, apple, banana, type MirrorFolder } from './mirror-folder.ts'
import { FEED } from './source.ts'

let mirror: MirrorFolder
beforeEach(() => {
  mirror = aMirror(mkdtempSync(join(tmpdir(), 'aldis-match-')))
})
afterEach(() => rmSync(mirror.home, { recursive: true }))

const refresh = ({ home }: MirrorFolder = mirror, programme = PROGRAMME) =>
  refreshMatchFile({ home, programme, now: NOON })
const path = (): string => matchFileOf(mirror.home)

/** Every signal of the file, in an order of its own. */
function kept({ home }: MirrorFolder = mirror): MatchRecord[] {
  const reader = openMatchFile(matchFileOf(home))
  try {
    const records = reader.allRecords()
    const found = Array.from({ length: records.length / RECORD_BYTES }, (_, i) =>
      decodeRecord(records, i * RECORD_BYTES, reader.header.words),
    ).filter((one) => one !== undefined)
    expect(found).toHaveLength(reader.header.counts.signals)
    return found.sort((a, b) => (`${a.signal}${a.source}${a.feed}` < `${b.signal}${b.source}${b.feed}` ? -1 : 1))
  } finally {
    reader.close()
  }
}

describe('the match file', () => {
  test('is made, extended by what is new, and left alone where nothing is', async () => {
    await mirror.says(apple, [anItem(), anItem({}, 'email')])
    expect(await refresh()).toEqual({ outcome: 'made', signals: 2 })
    const { ino, mtimeMs } = statSync(path())
    expect(await refresh()).toEqual({ outcome: 'unchanged', signals: 2 })
    expect(statSync(path())).toMatchObject({ ino, mtimeMs })
    await mirror.says(banana, [anItem({}, 'phone')])
    expect(await refresh()).toEqual({ outcome: 'extended', signals: 3 })
    expect(
      kept()
        .map(({ source }) => source)
        .sort(),
    ).toEqual(['apple', 'apple', 'banana'])
  })

  test("is its owner's alone", async () => {
    await mirror.says(apple, [anItem()])
    await refresh()
    expect(statSync(path()).mode & 0o777).toBe(0o600)
  })

  test('says of which programme it is, when it was made, what it has and how far each feed had come', async () => {
    await mirror.says(apple, [
      anItem(),
      aHash('pdq', 'ab12'.repeat(16)),
      anItem({}, 'keyword_pattern'),
      anItem({}, 'tactic'),
    ])
    await refresh()
    const { header, close } = openMatchFile(path())
    close()
    expect(header).toMatchObject({
      ...{ programme: PROGRAMME, made_at: NOON.toISOString() },
      counts: { signals: 3, keys: 3, pdq: 1, patterns: 1 },
      feeds: [{ feed: FEED, seq: '4', bytes: statSync(mirror.file()).size }],
    })
  })

  test('has another secret each time it is made', async () => {
    await mirror.says(apple, [anItem()])
    const secrets: number[][] = []
    for (let i = 0; i < 2; i++) {
      rmSync(path(), { force: true })
      await refresh()
      const { header, close } = openMatchFile(path())
      close()
      secrets.push(header.secret)
    }
    expect(secrets[0]).not.toEqual(secrets[1])
  })

  describe('takes what just came to the mirror', () => {
    /** What is appended by `work`, as a synchronisation tells it. */
    async function came(work: () => Promise<unknown>) {
      const [feed] = mirroredFeeds(join(mirror.home, 'feeds'))
      await work()
      const [now] = mirroredFeeds(join(mirror.home, 'feeds'))
      if (now === undefined) throw new Error('nothing came')
      const after = feed === undefined ? undefined : { feed: feed.feed, seq: feed.seq, bytes: feed.bytes }
      const events = await Array.fromAsync(mirroredEvents(now, { after, programme: PROGRAMME }))
      return { events, from: feed?.bytes ?? 0, to: { feed: now.feed, seq: now.seq, bytes: now.bytes } }
    }
    const update = () => updateMatchFile({ home: mirror.home, programme: PROGRAMME, now: NOON })
    const unread = (): void => writeFileSync(mirror.file(), 'x'.repeat(statSync(mirror.file()).size))

    test('without reading it there', async () => {
      const one = await came(() => mirror.says(apple, [anItem(), anItem({}, 'email')]))
      unread()
      const first = update()
      first.take(one.events, one.from, one.to)
      expect(await first.finish()).toEqual({ outcome: 'made', signals: 2 })
      rmSync(mirror.file())
      writeFileSync(mirror.file(), 'x'.repeat(one.to.bytes))
      const more = await came(() => mirror.says(banana, [anItem({}, 'phone')]))
      unread()
      const second = update()
      second.take(more.events, more.from, more.to)
      expect(await second.finish()).toEqual({ outcome: 'extended', signals: 3 })
      expect(await refresh()).toEqual({ outcome: 'unchanged', signals: 3 })
    })

    test('and reads there what it was not told, as after a crash', async () => {
      await mirror.says(apple, [anItem()])
      const more = await came(() => mirror.says(banana, [anItem({}, 'phone')]))
      const crashed = update()
      crashed.take(more.events, more.from, more.to)
      expect(await crashed.finish()).toEqual({ outcome: 'made', signals: 2 })
    })

    test('and nothing that does not follow, though as many bytes are before it', async () => {
      await mirror.says(apple, [anItem()])
      await refresh()
      const more = await came(() => mirror.says(banana, [anItem({}, 'phone')]))
      const [event] = more.events
      if (event === undefined) throw new Error('one event')
      const other = { ...event, event: { ...event.event, seq: '9', signal: idOf(5) } }
      const after = update()
      after.take([other], more.from, more.to)
      expect(await after.finish()).toEqual({ outcome: 'extended', signals: 2 })
      expect(kept().map(({ signal }) => signal)).not.toContain(idOf(5))
    })
  })

  test('takes a signal whose note holds what only a text calls an end of line', async () => {
    await mirror.says(apple, [anItem({ note: 'one\u2028two\u2029three' }, 'email')])
    await mirror.says(banana, [anItem({}, 'phone')])
    expect(await refresh()).toEqual({ outcome: 'made', signals: 2 })
  })

  test('passes over what it does not know', async () => {
    await mirror.says(apple, [
      { ...anItem(), type: 'smell', value: { of: 'plum' } },
      { ...anItem(), value: { profile: 'url/2', sha256: 'plum' } },
      anItem(),
    ])
    expect(await refresh()).toEqual({ outcome: 'made', signals: 1 })
  })

  test('extended step by step is what it is if it is made at once', async () => {
    const stepArb = fc.record({
      what: fc.constantFrom('says', 'revised', 'signal.withdrawn', 'signal.held', 'signal.released', 'refresh'),
      signal: fc.nat({ max: 3 }),
      source: fc.constantFrom('apple', 'banana'),
      feed: fc.constantFrom(FEED, idOf(901)),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(stepArb, { maxLength: 16 }), async (steps) => {
        const [a, b] = [aMirror(mkdtempSync(join(mirror.home, 'a-'))), aMirror(mkdtempSync(join(mirror.home, 'b-')))]
        let revision = 1
        const live = new Set<string>()
        for (const { what, signal, source, feed } of steps) {
          revision += 1
          // The node says nothing of what is not there.
          const name = `${signal} ${source} ${feed}`
          if (what.startsWith('signal.') && !live.has(name)) continue
          if (what === 'signal.withdrawn') live.delete(name)
          else if (what !== 'refresh') live.add(name)
          const item = anItem(
            { signal: idOf(800 + signal), revision, ...(revision % 2 === 0 ? { severity: 'low' } : {}) },
            'email',
          )
          for (const one of [a, b]) {
            if (what === 'refresh') continue
            if (what === 'says' || what === 'revised')
              await one.says(source === 'apple' ? apple : banana, [item], { feed })
            else one.nodeSays(what, { source, signal: idOf(800 + signal), revision, feed })
          }
          if (what === 'refresh') await refresh(a)
        }
        await refresh(a)
        await refresh(b)
        const [one, other] = [a, b].map((of) => kept(of).map(({ event: _, ...rest }) => rest))
        expect(one).toEqual(other)
      }),
      { numRuns: 25 },
    )
  })
})

describe('is made anew', () => {
  test.for<[string, () => void]>([
    ['was cut', () => truncateSync(path(), statSync(path()).size - 1)],
    ['was damaged', () => writeFileSync(path(), readFileSync(path()).fill(7, 1_000))],
    ['is something else', () => writeFileSync(path(), 'plum')],
    ['is gone', () => rmSync(path())],
  ])('where it %s', async ([, harm]) => {
    await mirror.says(apple, [anItem(), anItem()])
    await refresh()
    harm()
    expect(await refresh()).toEqual({ outcome: 'made', signals: 2 })
  })

  test('where the mirror was taken anew and is shorter', async () => {
    await mirror.says(apple, [anItem(), anItem(), anItem()])
    await refresh()
    rmSync(join(mirror.home, 'feeds'), { recursive: true })
    const again = aMirror(mirror.home)
    await again.says(apple, [anItem()])
    expect(await refresh()).toEqual({ outcome: 'made', signals: 1 })
  })

  test('where the mirror was taken anew and is shorter, once the file before was read', async () => {
    await mirror.says(apple, [anItem(), anItem(), anItem()])
    await refresh()
    const update = updateMatchFile({ home: mirror.home, programme: PROGRAMME, now: NOON })
    const [feed] = mirroredFeeds(join(mirror.home, 'feeds'))
    if (feed === undefined) throw new Error('a feed')
    const came = await Array.fromAsync(mirroredEvents(feed, { after: undefined, programme: PROGRAMME }))
    update.take(came, 9, { feed: idOf(5), seq: '9', bytes: 9 })
    rmSync(join(mirror.home, 'feeds'), { recursive: true })
    await aMirror(mirror.home).says(apple, [anItem()])
    expect(await update.finish()).toEqual({ outcome: 'made', signals: 1 })
  })

  test('where the mirror was taken anew and is longer', async () => {
    await mirror.says(apple, [anItem()])
    await refresh()
    rmSync(join(mirror.home, 'feeds'), { recursive: true })
    const again = aMirror(mirror.home)
    await again.says(apple, [anItem({ note: 'a longer one' }), anItem(), anItem()])
    expect(await refresh()).toEqual({ outcome: 'made', signals: 3 })
  })

  test('and what a crash left half written is no match file', async () => {
    await mirror.says(apple, [anItem()])
    writeFileSync(`${path()}.1.new`, 'half')
    await refresh()
    expect(kept()).toHaveLength(1)
  })
})

describe('a mirror is refused by name, and the file stays as it was, where it', () => {
  test.for<[keyof typeof MATCH_FAULTS, () => unknown]>([
    ['mirror-truncated', () => truncateSync(mirror.file(), statSync(mirror.file()).size - 1)],
    ['mirror-truncated', () => rmSync(mirror.file())],
    [
      'mirror-damaged',
      () => writeFileSync(mirror.file(), readFileSync(mirror.file(), 'utf8').replaceAll('{"event"', '["event"')),
    ],
    [
      'mirror-damaged',
      () => writeFileSync(mirror.file(), readFileSync(mirror.file(), 'utf8').replace('"seq":"3"', '"seq":"4"')),
    ],
    ['mirror-other-programme', () => mirror.says(apple, [anItem()], { prg: 'garden' })],
  ])('%s', async ([reason, harm]) => {
    await mirror.says(apple, [anItem(), anItem()])
    await refresh()
    const before = readFileSync(path())
    await mirror.says(apple, [anItem()])
    await harm()
    await expect(refresh()).rejects.toMatchObject({ name: 'MatchFileRefused', reason })
    expect(readFileSync(path())).toEqual(before)
  })
})

describe('a match file is refused by name where it', () => {
  const opened = (programme = PROGRAMME) => createMatcher(path(), { programme })

  test('is missing', () => {
    expect(opened).toThrow(expect.objectContaining({ reason: 'missing' }))
  })

  test('is of another programme', async () => {
    await mirror.says(apple, [anItem()])
    await refresh()
    expect(() => opened('garden')).toThrow(expect.objectContaining({ reason: 'other-programme' }))
  })

  test('was cut anywhere, or anything was appended', async () => {
    await mirror.says(apple, [anItem(), aHash('pdq', 'ab12'.repeat(16))])
    await refresh()
    const whole = readFileSync(path())
    for (let size = 0; size < whole.length; size += 37) {
      writeFileSync(path(), whole.subarray(0, size))
      const reason = size < 8 ? 'no-match-file' : 'truncated'
      expect(opened, `${size}`).toThrow(expect.objectContaining({ name: 'MatchFileRefused', reason }))
    }
    writeFileSync(path(), whole)
    appendFileSync(path(), '\0')
    expect(opened).toThrow(expect.objectContaining({ reason: 'damaged' }))
  })

  test('has any byte changed', async () => {
    await mirror.says(apple, [anItem()])
    await refresh()
    const whole = readFileSync(path())
    for (let at = 0; at < whole.length; at += 11) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 0x10
      writeFileSync(path(), changed)
      expect(opened, `${at}`).toThrow(expect.objectContaining({ name: 'MatchFileRefused' }))
    }
  })

  test('is of a later version', async () => {
    await mirror.says(apple, [anItem()])
    await refresh()
    const whole = readFileSync(path())
    whole.writeUInt32LE(2, 8)
    writeFileSync(path(), whole)
    expect(opened).toThrow(expect.objectContaining({ reason: 'version-other' }))
  })
})

test('a file that is open stays as it was while another is put in its place', async () => {
  const item = anItem({}, 'email')
  await mirror.says(apple, [item])
  await refresh()
  const before = createMatcher(path(), { now: () => NOON })
  mirror.nodeSays('signal.withdrawn', { source: 'apple', signal: item.signal })
  await refresh()
  const after = createMatcher(path(), { now: () => NOON })
  const n = await Promise.all(
    [before, after].map(async (one) => (await one.match({ type: 'email', ...item.value })).matches.length),
  )
  expect(n).toEqual([1, 0])
  await Promise.all([before.close(), after.close()])
  expect(existsSync(path())).toBe(true)
})
