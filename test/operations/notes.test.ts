import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { forgetRestored, lastBackup, noteBackup, noteRestored, restoredNote } from '../../src/operations/notes.ts'

const dir = mkdtempSync(join(tmpdir(), 'aldis-notes-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('a restore is remembered until the log was told', () => {
  const home = join(dir, 'told')
  expect(restoredNote(home)).toBeUndefined()
  const note = { event_id: newId(new Date()), made_at: '2026-11-26T12:00:00.000Z', sizes: ['12'] }
  noteRestored(home, note)
  expect(restoredNote(home)).toEqual(note)
  expect(statSync(join(home, 'restored.json')).mode & 0o777).toBe(0o600)
  forgetRestored(home)
  forgetRestored(home)
  expect(restoredNote(home)).toBeUndefined()
})

test.each(['', '{', '{}', '{"event_id":"plum","made_at":"","sizes":[]}', 'null'])(
  'a damaged note is no restore that nobody made: %j',
  (text) => {
    writeFileSync(join(dir, 'restored.json'), text)
    expect(() => restoredNote(dir)).toThrow(expect.objectContaining({ name: 'StartRefused' }))
  },
)

test('the last backup is that of the last note, and none where there is no good one', () => {
  expect(lastBackup(dir)).toBeUndefined()
  noteBackup(dir, '2026-11-25T12:00:00.000Z')
  noteBackup(dir, '2026-11-26T12:00:00.000Z')
  expect(lastBackup(dir)).toEqual(new Date('2026-11-26T12:00:00.000Z'))
  writeFileSync(join(dir, 'last-backup.json'), '{"at":')
  expect(lastBackup(dir)).toBeUndefined()
})
