import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../src/reports/schema.ts'
import { CLI } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

let n: TestNode
let owl: Member
const folder = mkdtempSync(join(tmpdir(), 'aldis-report-'))
const [log, file] = [join(folder, 'log'), join(folder, 'report.json')]
let from: string
let to: string

interface Ran {
  code: number
  out: string
  err: string
}

const aldis = (...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const all = [CLI, '--home', owl.home.dir, ...args]
    execFile(process.execPath, all, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }))
  })
const instant = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`
const make = (...more: readonly string[]) =>
  aldis('report', 'make', file, '--log', log, '--from', from, '--to', to, ...more)

beforeAll(async () => {
  from = instant(Date.now() - 1_000)
  n = await aTestNode()
  const apple = await n.member('apple')
  owl = await n.member('owl', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  const everybody = await apple.everybody()
  const items = await Promise.all(
    Array.from({ length: 6 }, (_, i) => apple.item({ type: 'url', raw: `https://bad.example/${i}` }, everybody)),
  )
  const { submission } = await apple.client.submit(await apple.sign(items))
  await apple.client.receipt(submission ?? '')
  // The period is over with the next full second.
  const next = Math.ceil((Date.now() + 1) / 1_000) * 1_000
  await new Promise((resolve) => setTimeout(resolve, next - Date.now() + 10))
  to = instant(next)
  expect(await aldis('log', 'export', log, '--records')).toMatchObject({ code: 0 })
  expect(await make()).toMatchObject({ code: 0, err: '' })
}, 120_000)
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

const read = (): Report => JSON.parse(readFileSync(file, 'utf8')) as Report
const written = (change: (report: Report) => void): string => {
  const report = read()
  change(report)
  const path = join(folder, 'changed.json')
  writeFileSync(path, JSON.stringify(report))
  return path
}
const shared = ({ figures }: Report) => figures.find(({ id }) => id === 'signals.shared')

describe('a report made of an export', { timeout: 60_000 }, () => {
  test('says what the log says, and is verified to the digit without the node', async () => {
    expect(shared(read())).toEqual({
      ...{ id: 'signals.shared', value: 6, reporting: null },
      by: { type: [{ key: 'url', value: 6 }], category: [{ key: 'grooming', value: 6 }] },
    })
    expect(await aldis('report', 'verify', file, '--log', log)).toMatchObject({
      ...{ code: 0, err: '' },
      out: 'PASS  every figure is what the log makes it\n',
    })
  })

  test('of which one figure was changed fails, and names it', async () => {
    const changed = written((report) => {
      const figure = shared(report)
      if (figure !== undefined) figure.value = 7
    })
    expect(await aldis('report', 'verify', changed, '--log', log)).toMatchObject({
      ...{ code: 7 },
      out: 'FAIL  signals.shared: the report says 7, the log makes 6\n',
    })
  })

  test('at a checkpoint that the log does not continue fails', async () => {
    const changed = written((report) => {
      report.checkpoint = report.checkpoint.replace(/\n(\d+)\n/, (_, size: string) => `\n${Number(size) - 1}\n`)
    })
    const verified = await aldis('report', 'verify', changed, '--log', log)
    expect(verified).toMatchObject({ code: 7, out: expect.stringContaining('the checkpoint of the report') })
  })

  test('is for people a text, a page and a table', async () => {
    const [text, page, table] = [
      await aldis('report', 'show', file),
      await aldis('report', 'show', file, '--as', 'html'),
      await aldis('report', 'show', file, '--as', 'csv'),
    ]
    expect(text.out).toMatch(/Signals shared +6 signals/)
    expect(page.out).toMatch(/^<!doctype html>/)
    expect(table.out).toContain('signals.shared,signals,type,url,6,')
  })

  test('of a log whose records were changed is not made', async () => {
    const [name = ''] = readdirSync(join(log, 'records'))
    const path = join(log, 'records', name)
    const good = readFileSync(path)
    const lines = good.toString().split('\n')
    writeFileSync(path, [...lines.slice(0, 5), ...lines.slice(6)].join('\n'))
    try {
      expect(await make()).toMatchObject({ code: 7, out: expect.stringContaining('the log itself does not pass') })
    } finally {
      writeFileSync(path, good)
    }
  })

  test.for([
    ['a period that is not over', ['--to', instant(Date.now() + 86_400_000)], 78, 'not over'],
    ['a period that ends before it begins', ['--to', '2020-01-01'], 78, 'to is after from'],
    ['a day that is none', ['--to', '2026-02-30'], 2, 'a day, such as'],
    ['no number to withhold below', ['--k', '0'], 2, 'a number from 1 to 99'],
  ] as const)('is refused for %s', async ([, args, code, says]) => {
    expect(await make(...args)).toMatchObject({ code, err: expect.stringContaining(says) })
  })

  test('that is none is refused', async () => {
    const path = join(folder, 'none.json')
    writeFileSync(path, '{"format":"aldis-report/1"}')
    expect(await aldis('report', 'verify', path, '--log', log)).toMatchObject({
      code: 78,
      err: expect.stringContaining('no report'),
    })
  })
})
