import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileErasures, type ListedOrder } from '../../src/erasure/list-file.ts'
import { idOf } from '../signals/factory.ts'

let dir: string
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'aldis-erasures-')), 'erasures')
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true }))

const order = (change: Partial<ListedOrder> = {}): ListedOrder => ({
  ...{ v: 1, request: idOf(1), participant: 'apple', signals: [idOf(2), idOf(3)], basis: 'subject_request' },
  ...change,
})

describe('the list of what was erased', () => {
  test('is empty where there is none yet', () => {
    expect(fileErasures(dir).all()).toEqual([])
  })
  test('gives every order back, each once, in a file that belongs to its owner alone', () => {
    const list = fileErasures(dir)
    list.note(order())
    list.note(order({ request: idOf(4), participant: 'banana' }))
    list.note(order({ basis: 'another' }))
    expect(fileErasures(dir).all()).toEqual([order(), order({ request: idOf(4), participant: 'banana' })])
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600)
  })
  test.for([
    ['no JSON', '{'],
    ['another version', JSON.stringify({ ...order(), v: 2 })],
    ['one member more', JSON.stringify({ ...order(), value: 'x' })],
    ['no signal', JSON.stringify({ ...order(), signals: [] })],
    ['a name that is none', JSON.stringify({ ...order(), participant: '../apple' })],
    ['a key twice', JSON.stringify(order()).replace('"v":1', '"v":1,"v":1')],
  ])('is refused, and the file named, with %s', ([, text]) => {
    const list = fileErasures(dir)
    list.note(order())
    writeFileSync(join(dir, `${idOf(1)}.json`), text ?? '')
    expect(() => list.all()).toThrow(expect.objectContaining({ name: 'StartRefused' }))
    expect(() => list.all()).toThrow(join(dir, `${idOf(1)}.json`))
  })
  test('passes over what a crash left half written', () => {
    const list = fileErasures(dir)
    list.note(order())
    writeFileSync(join(dir, `${idOf(5)}.json.123.new`), '{')
    expect(list.all()).toEqual([order()])
  })
})
