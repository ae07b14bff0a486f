import { type Kysely, sql } from 'kysely'
import type { Database } from '../../src/db/tables.ts'

export interface Column {
  name: string
  /** `text[]`, `bigint`. */
  type: string
  /** Of the type, or of an array's elements: `b` base, `e` enum, `d` domain. */
  kind: string
  not_null: boolean
  default: string | null
  identity: boolean
  collation: string | null
}

export interface Key {
  name: string
  primary: boolean
  columns: string[]
}

export interface ForeignKey {
  name: string
  columns: string[]
  to: string
  to_columns: string[]
  /** Does something to these rows when those change. */
  acts: boolean
}

export interface Policy {
  role: string
  /** `*` for all. */
  command: string
  using: string | null
  check: string | null
}

/** A table or a partition of schema `public`. */
export interface Table {
  name: string
  parent: string | null
  owner: string
  secured: boolean
  forced: boolean
  columns: Column[]
  /** Primary key, unique constraints, unique indexes. */
  keys: Key[]
  foreign_keys: ForeignKey[]
  /** Triggers and rules that somebody wrote. */
  triggers: string[]
  policies: Policy[]
  /** Of the whole table or of single columns, the owner's own left out; `public` is everybody. */
  grants: { role: string; verb: string }[]
}

export interface Catalogue {
  tables: Table[]
  /** What stands beside tables: views, sequences, functions, types, event triggers. */
  others: { what: string; name: string }[]
  /** `makes`: may create in the schema. */
  roles: { name: string; strong: boolean; makes: boolean; member_of: string[]; owns: string[] }[]
}

/** What there is, as PostgreSQL itself says it; within a transaction, what would be there. */
export async function catalogueOf(db: Kysely<Database>): Promise<Catalogue> {
  const { rows: tables } = await TABLES.execute(db)
  const { rows: others } = await OTHERS.execute(db)
  const { rows: roles } = await ROLES.execute(db)
  return { tables, others, roles }
}

const TABLES = sql<Table>`
  select c.relname as name, c.relowner::regrole::text as owner, c.relrowsecurity as secured,
    c.relforcerowsecurity as forced,
    (select i.inhparent::regclass::text from pg_inherits i where i.inhrelid = c.oid) as parent,
    (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
        'kind', coalesce(e.typtype, y.typtype), 'not_null', a.attnotnull, 'identity', a.attidentity <> '',
        'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end, 'collation', l.collname) order by a.attnum)
      from pg_attribute a join pg_type y on y.oid = a.atttypid left join pg_type e on e.oid = y.typelem and y.typlen = -1
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      left join pg_collation l on l.oid = a.attcollation
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
    coalesce((select json_agg(json_build_object('name', x.relname, 'primary', i.indisprimary, 'columns', (
        select json_agg(coalesce(a.attname, '(expression)') order by k.place)
        from unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where k.place <= i.indnkeyatts)))
      from pg_index i join pg_class x on x.oid = i.indexrelid
      where i.indrelid = c.oid and i.indisunique), '[]') as keys,
    coalesce((select json_agg(json_build_object('name', k.conname, 'to', k.confrelid::regclass::text,
        'acts', k.confdeltype not in ('a', 'r') or k.confupdtype not in ('a', 'r'),
        'columns', (select json_agg(a.attname order by n.place) from unnest(k.conkey) with ordinality as n(attnum, place)
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.attnum),
        'to_columns', (select json_agg(a.attname order by n.place)
          from unnest(k.confkey) with ordinality as n(attnum, place)
          join pg_attribute a on a.attrelid = k.confrelid and a.attnum = n.attnum)))
      from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'), '[]') as foreign_keys,
    array(select t.tgname::text from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal
      union all select r.rulename::text from pg_rewrite r where r.ev_class = c.oid) as triggers,
    coalesce((select json_agg(json_build_object('role', case o when 0 then 'public' else o::regrole::text end,
        'command', p.polcmd, 'using', pg_get_expr(p.polqual, p.polrelid),
        'check', pg_get_expr(p.polwithcheck, p.polrelid)))
      from pg_policy p cross join unnest(p.polroles) o where p.polrelid = c.oid), '[]') as policies,
    coalesce((select json_agg(json_build_object('role',
        case g.grantee when 0 then 'public' else g.grantee::regrole::text end, 'verb', lower(g.privilege_type)))
      from (select (aclexplode(c.relacl)).* union
        select (aclexplode(a.attacl)).* from pg_attribute a where a.attrelid = c.oid) g
      where g.grantee <> c.relowner), '[]') as grants
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  order by c.relname collate "C"`

const OTHERS = sql<Catalogue['others'][number]>`
  select case c.relkind when 'S' then 'sequence' when 'f' then 'foreign table' else 'view' end as what,
    c.relname as name
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('S', 'v', 'm', 'f')
  union all select 'function', p.proname from pg_proc p where p.pronamespace = 'public'::regnamespace
  union all select case y.typtype when 'e' then 'enum' else 'domain' end, y.typname
  from pg_type y where y.typnamespace = 'public'::regnamespace and y.typtype in ('e', 'd')
  union all select 'event trigger', e.evtname from pg_event_trigger e
  order by 1, 2`

const ROLES = sql<Catalogue['roles'][number]>`
  select r.rolname as name,
    r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication as strong,
    has_schema_privilege(r.oid, 'public', 'create') as makes,
    array(select m.roleid::regrole::text from pg_auth_members m where m.member = r.oid) as member_of,
    array(select c.oid::regclass::text from pg_class c where c.relowner = r.oid
      union all select p.oid::regprocedure::text from pg_proc p where p.proowner = r.oid
      union all select n.nspname::text from pg_namespace n where n.nspowner = r.oid
      union all select d.datname::text from pg_database d where d.datdba = r.oid) as owns
  from pg_roles r where r.rolname like 'aldis%' and r.rolcanlogin order by r.rolname`
