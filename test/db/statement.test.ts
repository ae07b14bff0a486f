import { expect, test } from 'vitest'
import { statementOf } from '../../src/db/statement.ts'

const CHANGES: readonly [string, readonly string[]][] = [
  ['insert into signal (a) values ($1)', ['insert signal']],
  ['INSERT INTO public."signal" AS s (a) SELECT 1', ['insert signal']],
  ['update only "signal" set a = 1', ['update signal']],
  ['delete from only signal where a = 1', ['delete signal']],
  ['delete\n from aldis.public.signal', ['delete signal']],
  ['merge into signal using x on true when matched then delete', ['merge signal']],
  ['truncate table signal', ['truncate signal']],
  ['copy signal (a) from stdin', ['copy signal']],
  ['with x as (insert into a values (1) returning 1), y as (update b set c = 1) select 1', ['insert a', 'update b']],
  ['insert into a values (1) on conflict (b) do update set c = excluded.c', ['insert a']],
  ['select 1 from a for update of b', []],
  ['select 1 from a for no key update skip locked', []],
  [`select 'insert into signal' as "update signal", $$delete from signal$$, $q$update signal$q$`, []],
  [String.raw`select e'\' insert into signal --', 1`, []],
  ['select 1 -- insert into signal\n/* update signal set a = 1 */', []],
  ['insert /* into */ into -- signal\n other values (1)', ['insert other']],
  ['select $1, "update" from x where delete = 1', []],
  ['create table a (b int references c on update cascade)', []],
  ['insert into Signal values (1)', ['insert signal']],
  ['insert into "a""b" values (1)', ['insert a"b']],
]

test.for(CHANGES)('%s changes %j', ([sql, changes]) => {
  expect(statementOf(sql).writes.map(({ verb, table }) => `${verb} ${table}`)).toEqual(changes)
})

test('only a statement that is one change itself has a telling row count', () => {
  expect(statementOf('insert into a values (1)').plain).toBe(true)
  expect(statementOf('with x as (select 1) insert into a select * from x').plain).toBe(false)
  expect(statementOf('insert into a select * from x').plain).toBe(true)
  expect(statementOf('select 1').plain).toBe(false)
})

test.for(['begin', 'COMMIT', ' end', '/* */ rollback to a', 'savepoint a', 'release a', 'abort', 'start transaction'])(
  '%s is transaction control',
  (sql) => {
    expect(statementOf(sql).control).toBe(true)
  },
)

test('setting something is no transaction control', () => {
  expect(statementOf(`set local app.participant = 'x'`).control).toBe(false)
})
