import { sql } from 'kysely'
import type { Db } from './connect.ts'
import { LOGIN_ROLES } from './roles.ts'

interface Line {
  /** Table, or partition. */
  t: string
  line: string
}

interface TableLine {
  t: string
  secured: boolean
  forced: boolean
  /** `partition by ..` */
  by: string | null
  /** `partition of x for values ..` */
  part: string | null
}

const HEADER = `-- Written from the catalogue of a migrated database; for reading. The migrations decide.
`

/**
 * The schema `public` as SQL text: tables with columns, constraints, indexes, row-level security and grants, in the order
 * of their names, alike on every supported PostgreSQL.
 */
export async function schemaSql(db: Db): Promise<string> {
  const [tables, columns, constraints, indexes, policies, grants] = await Promise.all([
    tablesOf(db),
    columnsOf(db),
    constraintsOf(db),
    indexesOf(db),
    policiesOf(db),
    grantsOf(db),
  ])
  const of = (lines: readonly Line[], { t }: TableLine) => lines.filter((each) => each.t === t).map(({ line }) => line)
  const blocks = tables.map((table) =>
    [
      createTable(table, [...of(columns, table), ...of(constraints, table)]),
      ...of(indexes, table),
      ...(table.secured ? [`alter table ${table.t} enable row level security;`] : []),
      ...(table.forced ? [`alter table ${table.t} force row level security;`] : []),
      ...of(policies, table),
      ...of(grants, table),
    ].join('\n'),
  )
  return `${[HEADER, ...blocks].join('\n')}\n`.replace(/\n(?=create table)/g, '\n\n').replace(/\n{3,}/g, '\n\n')
}

function createTable({ t, by, part }: TableLine, members: readonly string[]): string {
  if (part !== null) return `create table ${t} ${part};`
  return `create table ${t} (\n${members.map((line) => `  ${line}`).join(',\n')}\n)${by === null ? '' : ` ${by}`};`
}

const tablesOf = async (db: Db): Promise<TableLine[]> =>
  (
    await sql<TableLine>`
      select c.oid::regclass::text as t, c.relrowsecurity as secured, c.relforcerowsecurity as forced,
        'partition by ' || pg_get_partkeydef(c.oid) as by,
        (select 'partition of ' || i.inhparent::regclass || ' ' || pg_get_expr(c.relpartbound, c.oid)
          from pg_inherits i where i.inhrelid = c.oid and c.relispartition) as part
      from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      order by c.relname collate "C"`.execute(db)
  ).rows

const columnsOf = (db: Db): Promise<Line[]> =>
  lines(
    sql<Line>`
    select c.oid::regclass::text as t,
      quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
        || coalesce(' collate ' || quote_ident(l.collname), '')
        || case when a.attnotnull then ' not null' else '' end
        || coalesce(case when a.attgenerated = '' then ' default ' else ' generated always as ' end
          || pg_get_expr(d.adbin, d.adrelid) || case when a.attgenerated = '' then '' else ' stored' end, '') as line
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and not c.relispartition
    join pg_type y on y.oid = a.atttypid
    left join pg_collation l on l.oid = a.attcollation and a.attcollation <> y.typcollation
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`,
    db,
  )

// NOT NULL has been a constraint of its own since 18; the columns say it already.
const constraintsOf = (db: Db): Promise<Line[]> =>
  lines(
    sql<Line>`
    select c.oid::regclass::text as t, 'constraint ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) as line
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where c.relnamespace = 'public'::regnamespace and not c.relispartition and k.contype in ('p', 'u', 'f', 'c', 'x')
    order by c.relname, array_position(array['p', 'u', 'f', 'c', 'x'], k.contype::text), k.conname collate "C"`,
    db,
  )

const indexesOf = (db: Db): Promise<Line[]> =>
  lines(
    sql<Line>`
    select c.oid::regclass::text as t, pg_get_indexdef(i.indexrelid) || ';' as line
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace and not c.relispartition
      and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
    order by c.relname, x.relname collate "C"`,
    db,
  )

const policiesOf = (db: Db): Promise<Line[]> =>
  lines(
    sql<Line>`
    select quote_ident(tablename) as t,
      'create policy ' || quote_ident(policyname) || ' on ' || quote_ident(tablename)
        || case when permissive = 'PERMISSIVE' then '' else ' as restrictive' end
        || ' for ' || lower(cmd) || ' to ' || array_to_string(roles, ', ')
        || coalesce(' using (' || qual || ')', '') || coalesce(' with check (' || with_check || ')', '') || ';' as line
    from pg_policies where schemaname = 'public' order by tablename, policyname collate "C"`,
    db,
  )

/** Of the whole table and of single columns; the owner's own are left out. */
const grantsOf = (db: Db): Promise<Line[]> =>
  lines(
    sql<Line>`
    with granted as (
      select c.oid, g.grantee, lower(g.privilege_type) as what
      from pg_class c cross join aclexplode(c.relacl) g where c.relkind in ('r', 'p') and g.grantee <> c.relowner
      union all
      select c.oid, g.grantee,
        lower(g.privilege_type) || ' (' || string_agg(quote_ident(a.attname), ', ' order by a.attnum) || ')'
      from pg_class c join pg_attribute a on a.attrelid = c.oid cross join aclexplode(a.attacl) g
      where c.relkind in ('r', 'p') and g.grantee <> c.relowner
      group by c.oid, g.grantee, g.privilege_type)
    select c.oid::regclass::text as t,
      'grant ' || string_agg(g.what, ', ' order by g.what collate "C") || ' on ' || c.oid::regclass || ' to '
        || coalesce(quote_ident(r.rolname), 'public') || ';' as line
    from granted g join pg_class c on c.oid = g.oid left join pg_roles r on r.oid = g.grantee
    where c.relnamespace = 'public'::regnamespace and (r.rolname = any(${[...LOGIN_ROLES]}) or r.oid is null)
    group by c.oid, c.relname, r.rolname
    order by c.relname, coalesce(r.rolname, 'public') collate "C"`,
    db,
  )

const lines = async (query: { execute(db: Db): Promise<{ rows: Line[] }> }, db: Db): Promise<Line[]> =>
  (await query.execute(db)).rows
