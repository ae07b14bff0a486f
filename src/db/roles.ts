import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { StartRefused } from '../kernel/errors.ts'
import type { Db } from './connect.ts'
import { sqlState } from './failure.ts'

/** Owns every object and never logs in. */
export const OWNER_ROLE = 'aldis_owner'

/** The roles that processes log in as; none owns anything. */
export const LOGIN_ROLES = [
  'aldis_app',
  'aldis_ledger',
  'aldis_integrator',
  'aldis_signer',
  'aldis_projector',
  'aldis_admin',
] as const

export type LoginRole = (typeof LOGIN_ROLES)[number]

/** Limits that a transaction pooler would not take as startup options. */
const LIMITS = { lock_timeout: '2s', idle_in_transaction_session_timeout: '15s' } as const
const LIMITS_SINCE_17 = { transaction_timeout: '60s' } as const

/** What another start, doing the same at the same moment, makes of a statement here. */
const RACED = new Set(['42710', '42P04', '23505', 'XX000', '40001', '55006'])
const RACE_TRIES = 20

/**
 * Makes the owner and the login roles with their limits; safe to repeat and to run twice at once. Needs a superuser, or
 * CREATEROLE. `password` is set for all login roles; without it they rely on the server's authentication rules.
 */
export async function ensureRoles(db: Db, password?: string): Promise<void> {
  await ensureRole(db, OWNER_ROLE, 'nologin')
  for (const role of LOGIN_ROLES) await ensureRole(db, role, 'login')
  if (password !== undefined) {
    for (const role of LOGIN_ROLES) await race(db, `alter role ${role} password ${literal(password)}`)
  }
  const { rows } = await sql<{ member: boolean }>`
    select pg_has_role(current_user, ${OWNER_ROLE}, 'member') as member`.execute(db)
  if (rows[0]?.member !== true) await race(db, `grant ${OWNER_ROLE} to current_user`)
}

/** Makes a database of ours, owned by `aldis_owner`, unless it is there. `db` is connected to another one. */
export async function ensureDatabase(db: Db, name: string): Promise<void> {
  const { rows } = await sql`select from pg_database where datname = ${name}`.execute(db)
  if (rows.length > 0) return
  await race(db, `create database ${identifier(name)} owner ${OWNER_ROLE} encoding 'UTF8' template template0`)
}

interface Standing {
  name: string
  superuser: boolean
  bypass: boolean
  owner: boolean
  member: boolean
}

/** Refuses a start whose login role could pass row-level security: superuser, BYPASSRLS, an owner of tables, a member of another. */
export async function assertLoginRole(db: Db): Promise<void> {
  const { rows } = await sql<Standing>`
    select r.rolname::text as name, r.rolsuper as superuser, r.rolbypassrls as bypass,
      (pg_has_role(r.oid, o.oid, 'member') or exists (
        select from pg_class c where c.relkind in ('r', 'p') and c.relowner = r.oid)) as owner,
      exists (select from pg_roles l where l.rolname = any(${[...LOGIN_ROLES]}) and l.oid <> r.oid
        and pg_has_role(r.oid, l.oid, 'member')) as member
    from pg_roles r, pg_roles o where r.rolname = current_user and o.rolname = ${OWNER_ROLE}`.execute(db)
  const role = rows[0]
  if (role === undefined) throw new StartRefused('the database has no role aldis_owner: run aldis migrate')
  const faults = [
    ...(role.superuser ? ['is a superuser'] : []),
    ...(role.bypass ? ['has BYPASSRLS'] : []),
    ...(role.owner ? ['owns tables'] : []),
    ...(role.member ? ['is a member of another login role'] : []),
  ]
  if (faults.length > 0)
    throw new StartRefused(`the database login role ${role.name} ${faults.join(', ')}; take that from it`)
}

async function ensureRole(db: Db, role: string, login: 'login' | 'nologin'): Promise<void> {
  const known = await roleNow(db, role)
  if (known === undefined)
    await race(db, `create role ${role} ${login} nosuperuser nobypassrls nocreatedb nocreaterole`)
  if (known?.strong === true) throw new StartRefused(`the database role ${role} is a superuser or has BYPASSRLS`)
  const limits: Record<string, string> = login === 'nologin' ? {} : await limitsOf(db, role)
  const set = new Set((await roleNow(db, role))?.settings ?? [])
  for (const [name, value] of Object.entries(limits)) {
    if (!set.has(`${name}=${value}`)) await race(db, `alter role ${role} set ${name} = ${literal(value)}`)
  }
}

async function limitsOf(db: Db, role: string): Promise<Record<string, string>> {
  const { rows } = await sql<{ version: string }>`select current_setting('server_version_num') as version`.execute(db)
  // The administrator copies and backs up, which may take longer than any request.
  const bounded = Number(rows[0]?.version) >= 170_000 && role !== 'aldis_admin'
  return bounded ? { ...LIMITS, ...LIMITS_SINCE_17 } : LIMITS
}

async function roleNow(db: Db, role: string): Promise<{ strong: boolean; settings: string[] | null } | undefined> {
  const { rows } = await sql<{ strong: boolean; settings: string[] | null }>`
    select rolsuper or rolbypassrls as strong, rolconfig as settings from pg_roles where rolname = ${role}`.execute(db)
  return rows[0]
}

/** Runs a statement that a twin may be running too: what the twin has made is not an error, a collision is repeated. */
async function race(db: Db, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await sql.raw(statement).execute(db)
      return
    } catch (error) {
      const state = sqlState(error) ?? ''
      if (state === '42710' || state === '42P04') return
      if (!RACED.has(state) || attempt === RACE_TRIES) throw error
      await delay(25 * attempt)
    }
  }
}

/** A string as an SQL literal; for statements that take no parameters. */
const literal = (text: string): string =>
  text.includes('\\') ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'` : `'${text.replaceAll("'", "''")}'`

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
