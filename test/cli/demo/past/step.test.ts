import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keepPast } from '../../../../src/cli/demo/past/kept.ts'
import { pastStep } from '../../../../src/cli/demo/past/step.ts'
import { openScene, type Scene } from '../../../../src/cli/demo/scene.ts'
import { StartRefused } from '../../../../src/kernel/errors.ts'

const ASKED = { seed: '1', days: 10, signals: 60 }
const cases = { open: 6, held: 1, awaiting_second: 1, decided: 1, closed: 44, void: 1, leased: 2 }

let dir: string
let scene: Scene
let shown: string[]
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-step-'))
  shown = []
  const opened = await openScene(dir)
  scene = { ...opened, stage: { ...opened.stage, show: (text) => void shown.push(text), chapter: () => {} } }
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('a past that is there is told of and not made again', async () => {
  keepPast(dir, { ...ASKED, summary: { platforms: 5, signals: 63, cases, disputes: { rejected: 4, open: 1 } } })
  await pastStep(scene, { ...ASKED, named: true })
  expect(shown.slice(0, 3)).toEqual([
    '5 platforms, 63 signals over 10 days',
    'cases: 6 open, 1 held, 1 awaiting second, 1 decided, 44 closed, 1 void; of the open ones 2 are being worked on',
    'disputes: 4 rejected, 1 open',
  ])
  expect(readdirSync(dir)).not.toContain('node')
})

test('one that was begun and not ended is refused, and names the folder', async () => {
  keepPast(dir, ASKED)
  await expect(pastStep(scene, { ...ASKED, named: false })).rejects.toThrow(StartRefused)
  await expect(pastStep(scene, { ...ASKED, named: false })).rejects.toThrow(`${dir}: its past was begun and not ended`)
})

test('a node that is there has no past put before it: told in passing, refused where it was asked for', async () => {
  mkdirSync(join(dir, 'node'))
  await pastStep(scene, { ...ASKED, named: false })
  expect(shown.join()).toContain('goes on without')
  await expect(pastStep(scene, { ...ASKED, named: true })).rejects.toThrow(StartRefused)
  expect(readdirSync(dir)).not.toContain('past.json')
})
