import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { haltOf } from '../src/loops.ts'
import { type HaltReason, LogHalted } from '../src/provenance/anchor.ts'
import { fileHalts } from '../src/provenance/halts.ts'

const NOON = new Date('2026-03-01T12:00:00Z')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a round of signing that was under way when a contradiction was found does not lift the halt', async () => {
  const halts = fileHalts(folder)
  const signer = { round: async () => true, check: async () => {}, recheck: async () => {} }
  const told: (HaltReason | undefined)[] = []
  const halt = haltOf({ signer, halts, clock: () => NOON }, (reason) => told.push(reason))
  const contradicted = new LogHalted('contradicted', 'the witness w holds another history')
  await expect(halt.watch(async () => halt.contradict(contradicted))).rejects.toBe(contradicted)
  expect([told, halt.stands()]).toEqual([['contradicted'], true])
  await expect(halt.checked()).rejects.toBe(contradicted)
  expect([told, halt.stands()]).toEqual([['contradicted'], true])
})
