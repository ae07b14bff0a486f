import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { watchFamilies } from '../../src/db/as-participant.ts'
import { emittedSql } from '../../src/db/connect.ts'
import { aTestNode } from '../support/node.ts'
import { faultsOf } from './sql-rules.ts'
import { accessesOf, statementsOf } from './sql-tree.ts'
import { wholeExchange } from './whole-exchange.ts'

test('probe', async () => {
  const fam = new Set<string>()
  watchFamilies((family, sql) => {
    for (const s of statementsOf(sql)) for (const { table, verb } of accessesOf(s)) fam.add(`${family} ${verb} ${table}`)
  })
  const n = await aTestNode()
  const t0 = Date.now()
  let err: unknown
  await wholeExchange(n).catch((e) => { err = e })
  const t1 = Date.now()
  const out: string[] = []
  for (const sql of emittedSql()) { let f: string; try { f = JSON.stringify(faultsOf(sql)) } catch (e) { f = String(e) } ; if (f !== '[]') out.push(f + '  ' + sql.replace(/\s+/g, ' ').slice(0, 300)) }
  writeFileSync('/tmp/probe/out.txt', out.join('\n'))
  writeFileSync('/tmp/probe/all.txt', [...emittedSql()].map(s=>s.replace(/\s+/g,' ').slice(0,400)).join('\n'))
  writeFileSync('/tmp/probe/fam.txt', [...fam].sort().join('\n'))
  writeFileSync('/tmp/probe/log.txt', n.logged())
  console.log(t1 - t0, Date.now() - t1)
  if (err) { console.log(err) }
  await n.end()
  expect(err).toBeUndefined()
}, 90_000)
